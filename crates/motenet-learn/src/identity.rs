//! What tells the weights of one network from those of another.

use motenet::Layer;
use sha2::{Digest, Sha256};

/// Whose the weights are that a network `M` has learned behind what `base` hashes: the first 8 bytes of SHA-256 of each
/// layer's name, inputs, outputs and parameters (the name and a zero byte, then `u32`s, lowest byte first), and of `base`.
///
/// `base` is the hash of what does not learn, such as the file of the layers before; zeros if all does. Never panics.
///
/// ```
/// use motenet::{Dense, Relu, Seq};
/// use motenet_learn::identity;
/// type Net = Seq![Dense<4, 3>, Relu<3>, Dense<3, 2>];
/// // The same number of weights, 23.
/// type Other = Dense<22, 1>;
/// assert_ne!(identity::<Net>(&[0; 32]), identity::<Other>(&[0; 32]));
/// assert_ne!(identity::<Net>(&[0; 32]), identity::<Net>(&[1; 32]));
/// ```
pub fn identity<M: Layer>(base: &[u8; 32]) -> [u8; 8] {
    let mut hash = Sha256::new();
    M::describe(&mut |layer| {
        hash.update(layer.name);
        hash.update([0]);
        for number in [layer.input_len, layer.output_len, layer.params] {
            hash.update((number as u32).to_le_bytes());
        }
    });
    hash.update(base);
    let hash: [u8; 32] = hash.finalize().into();
    *hash.first_chunk().unwrap_or(&[0; 8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use motenet::{Dense, Relu, Seq};
    use std::vec::Vec;

    #[test]
    fn it_is_the_hash_of_what_it_says() {
        let mut bytes: Vec<u8> = Vec::new();
        for (name, numbers) in [("Dense", [4u32, 3, 15]), ("Relu", [3, 3, 0]), ("Dense", [3, 2, 8])]
        {
            bytes.extend(name.bytes().chain([0]));
            bytes.extend(numbers.map(u32::to_le_bytes).as_flattened());
        }
        bytes.extend([7; 32]);
        let expected = &Sha256::digest(bytes)[..8];
        assert_eq!(identity::<Seq![Dense<4, 3>, Relu<3>, Dense<3, 2>]>(&[7; 32]), expected);
    }
}
