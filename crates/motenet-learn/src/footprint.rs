//! What training a network costs, known from its type.

use crate::Learner;
use motenet::Train;
use motenet_quant::Budget;

/// RAM of training, as constants: of every network that can be trained.
///
/// ```
/// use motenet_learn::{DigitNetwork, TrainFootprint};
/// assert_eq!(DigitNetwork::WEIGHTS_BYTES, 50_920);
/// assert_eq!(DigitNetwork::TRAIN_RAM_BYTES, 2 * 50_920 + 4 * 784 + 2 * 4 * (16 + 16 + 10) + 24);
/// assert_eq!(DigitNetwork::PROGRAM_RAM_MAX, 116_120);
/// ```
///
/// Asserted against a chip's RAM, a network that is too large to be trained there does not build: `the network
/// needs 105336 bytes of RAM to be trained, the budget is 16384: make a layer narrower or choose a larger chip`.
///
/// ```compile_fail
/// # use motenet_learn::{DigitNetwork, TrainFootprint};
/// const _: () = DigitNetwork::TRAINS_IN.of(16_384);
/// ```
pub trait TrainFootprint: Train {
    /// Bytes of the weights, and of the gradient as well.
    const WEIGHTS_BYTES: usize = size_of::<Self>();
    /// Bytes of one sample as numbers, of what its forward pass leaves behind, and of the gradient of that.
    const WORKSPACE_BYTES: usize = size_of::<Self::Input>() + 2 * size_of::<Self::Acts<1>>();
    /// Bytes of a [`Learner`] with room for one sample: weights, gradient, workspace, a few counters.
    const TRAIN_RAM_BYTES: usize = size_of::<Learner<Self, 1>>();
    /// What a whole program that trains this network may take of RAM, its buffers and its stack included:
    /// `11·weights / 5 + 4096`.
    const PROGRAM_RAM_MAX: usize = 11 * Self::WEIGHTS_BYTES / 5 + 4096;
    /// The network's need, to be asserted: see `Need::of`.
    const TRAINS_IN: Need = Need { bytes: Self::TRAIN_RAM_BYTES };
}

impl<M: Train> TrainFootprint for M {}

/// Bytes of RAM that training needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    bytes: usize,
}

impl Need {
    /// Nothing, if `ram` bytes are enough. For a `const`, where a panic is an error of the compiler.
    ///
    /// # Panics
    /// If they are not, with both numbers.
    pub const fn of(self, ram: usize) {
        Budget::assert_bytes("RAM to be trained", self.bytes, ram);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DigitNetwork;
    use motenet::{Dense, Seq};

    #[test]
    fn a_learner_is_what_the_formula_says() {
        type Net = Seq![Dense<7, 3>, Dense<3, 2>];
        let (weights, workspace) = (4 * (8 * 3 + 4 * 2), 4 * (7 + 2 * (3 + 2)));
        assert_eq!((Net::WEIGHTS_BYTES, Net::WORKSPACE_BYTES), (weights, workspace));
        let counters = Net::TRAIN_RAM_BYTES - 2 * weights - workspace;
        assert!((20..=28).contains(&counters), "{counters}");
    }

    #[test]
    fn what_fits_fits() {
        DigitNetwork::TRAINS_IN.of(DigitNetwork::TRAIN_RAM_BYTES);
        const { assert!(DigitNetwork::TRAIN_RAM_BYTES < DigitNetwork::PROGRAM_RAM_MAX) };
    }

    #[test]
    #[should_panic = "the network needs 105336 bytes of RAM to be trained, the budget is 105335: "]
    fn a_byte_too_few() {
        DigitNetwork::TRAINS_IN.of(105_335);
    }
}
