//! How a model lies in memory: `f32`s one after the other, alive from all-zero bytes.
//!
//! This file and `kernels/` are the only places with `unsafe`. Two facts about a type are stated here
//! once, as unsafe traits, and everything else follows from them in safe code: a model is a flat slice
//! ([`Params`]), and a model or a workspace of any size comes to life without passing through the
//! stack ([`Zero`]).
#![allow(unsafe_code)]

use crate::chain::{Chain, ChainActs};
use crate::layer::Layer;
use crate::layers::{Dense, NoBias};
use core::mem::MaybeUninit;

/// A type for which all-zero bytes are a value.
///
/// # Safety
/// The all-zero bit pattern must be a valid value of the type.
pub unsafe trait Zero: Sized {
    /// The value of all-zero bytes; a `static` that starts with it costs no flash (`.bss`).
    ///
    /// At run time prefer [`boxed`](Zero::boxed) or a `static`: a large value on the stack may not fit.
    const ZERO: Self = {
        // SAFETY: the trait's promise.
        unsafe { MaybeUninit::zeroed().assume_init() }
    };

    /// A zero value on the heap, never on the stack.
    ///
    /// # Panics
    /// Aborts as every `Box` does if memory runs out.
    #[cfg(feature = "alloc")]
    fn boxed() -> alloc::boxed::Box<Self> {
        // SAFETY: the trait's promise.
        unsafe { alloc::boxed::Box::new_zeroed().assume_init() }
    }
}

/// The parameters of a model as one flat slice: the model itself, its gradient, an optimizer's moment.
///
/// The order is that of the fields: layer after layer, for a [`Dense`] the weights row by row (input
/// after input), then the bias.
///
/// # Safety
/// The type must consist of `f32`s and nothing else: no padding, any bit pattern valid, alignment at
/// most 4. A `#[repr(C)]` struct of `f32` arrays and of other `Params` qualifies; so does a type of
/// size zero.
pub unsafe trait Params: Zero {
    /// The number of parameters; the type takes `4 · COUNT` bytes.
    const COUNT: usize = {
        assert!(size_of::<Self>().is_multiple_of(4), "Params: the type must consist of f32s");
        assert!(align_of::<Self>() <= 4, "Params: the type must consist of f32s");
        size_of::<Self>() / 4
    };

    /// All parameters in order. Never panics.
    #[inline(always)]
    fn flat(&self) -> &[f32] {
        if Self::COUNT == 0 {
            return &[]; // a type of size zero may sit at an address no f32 may have
        }
        // SAFETY: `self` is COUNT f32s without padding (the trait's promise), aligned because it then
        // holds at least one of them, borrowed for as long as the slice.
        unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).cast(), Self::COUNT) }
    }

    /// All parameters in order, to write through; every value is allowed. Never panics.
    #[inline(always)]
    fn flat_mut(&mut self) -> &mut [f32] {
        if Self::COUNT == 0 {
            return &mut [];
        }
        // SAFETY: as in `flat`, and the borrow is exclusive.
        unsafe { core::slice::from_raw_parts_mut(core::ptr::from_mut(self).cast(), Self::COUNT) }
    }
}

/// A value that begins with a cache line: `Aligned::<Model>::boxed()`.
///
/// Vectors that lie across two lines cost about twice as much to load. A model asks for no more alignment
/// than its numbers do, so where it begins is up to whoever keeps it; it changes no bit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub struct Aligned<T>(pub T);

impl<T> core::ops::Deref for Aligned<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> core::ops::DerefMut for Aligned<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

// SAFETY: the field is zero-able, and padding may hold anything.
unsafe impl<T: Zero> Zero for Aligned<T> {}
// SAFETY: numbers are zero when their bytes are.
unsafe impl Zero for f32 {}
// SAFETY: as above.
unsafe impl Zero for u8 {}
// SAFETY: as above.
unsafe impl Zero for i8 {}
// SAFETY: as above.
unsafe impl Zero for i16 {}
// SAFETY: as above.
unsafe impl Zero for i32 {}
// SAFETY: the unit type has no bytes.
unsafe impl Zero for () {}
// SAFETY: an array of zero-able values.
unsafe impl<T: Zero, const N: usize> Zero for [T; N] {}
// SAFETY: both fields are zero-able.
unsafe impl<A: Layer + Zero, B: Layer<Input = A::Output> + Zero> Zero for Chain<A, B> {}
// SAFETY: both fields are zero-able.
unsafe impl<A: Zero, B: Zero> Zero for ChainActs<A, B> {}
// SAFETY: both fields are zero-able.
unsafe impl<const IN: usize, const OUT: usize, B: Zero> Zero for Dense<IN, OUT, B> {}

// SAFETY: one f32.
unsafe impl Params for f32 {}
// SAFETY: no bytes.
unsafe impl Params for () {}
// SAFETY: an array has no padding between or after its elements.
unsafe impl<P: Params, const N: usize> Params for [P; N] {}
// SAFETY: `repr(C)`; both fields consist of f32s with alignment at most 4, so no padding arises.
unsafe impl<A: Layer + Params, B: Layer<Input = A::Output> + Params> Params for Chain<A, B> {}
// SAFETY: `repr(C)` of an f32 array and of `B`, which consists of f32s.
unsafe impl<const IN: usize, const OUT: usize, B: Params> Params for Dense<IN, OUT, B> {}

/// States that a unit struct, generic over `const usize`s, has no parameters and no bytes.
macro_rules! no_parameters {
    ($($name:ident <$(const $n:ident : $t:ty),*>)*) => {$(
        // SAFETY: a unit struct has no bytes.
        unsafe impl<$(const $n: $t),*> Zero for crate::layers::$name<$($n),*> {}
        // SAFETY: a unit struct has no bytes.
        unsafe impl<$(const $n: $t),*> Params for crate::layers::$name<$($n),*> {}
    )*};
}
no_parameters! {
    Relu<const N: usize>
    LeakyRelu<const N: usize, const PERMILLE: u32>
    Sigmoid<const N: usize>
    Tanh<const N: usize>
    Gelu<const N: usize>
    Softmax<const N: usize>
    Dropout<const N: usize, const PERCENT: u32>
}
// SAFETY: no bytes.
unsafe impl Zero for NoBias {}
// SAFETY: no bytes.
unsafe impl Params for NoBias {}
// SAFETY: no bytes: a phantom of its shape.
unsafe impl<T, const N: usize> Zero for crate::layers::Flatten<T, N> {}
// SAFETY: as above.
unsafe impl<T, const N: usize> Params for crate::layers::Flatten<T, N> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Relu, Seq};

    type Net = Seq![Dense<3, 2>, Relu<2>, Dense<2, 1, NoBias>];

    #[test]
    fn the_flat_slice_is_the_fields_in_order() {
        let mut net = Net::ZERO;
        for (k, p) in net.flat_mut().iter_mut().enumerate() {
            *p = k as f32;
        }
        assert_eq!(net.0.weights, [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]);
        assert_eq!(net.0.bias, [6.0, 7.0]);
        assert_eq!(net.1.1.weights, [[8.0], [9.0]]);
        assert_eq!(Net::COUNT, 10);
        assert_eq!(net.flat().len(), 10);
        assert_eq!(net.1.0.flat(), [0.0; 0]);
    }

    #[test]
    #[cfg(feature = "alloc")]
    fn boxes_are_born_zero() {
        assert!(Dense::<100, 100>::boxed().flat().iter().all(|p| p.to_bits() == 0));
    }

    static ALIVE: Net = Net::ZERO;

    #[test]
    fn a_model_lives_in_a_static() {
        assert_eq!(ALIVE.flat(), [0.0; 10]);
    }
}
