//! Layers in a row: `(g ∘ f)(x) = g(f(x))`.

use crate::first_layer::FirstLayer;
use crate::kernels::Coded;
use crate::layer::{Acts, Layer, LayerInfo, Pass, Train};
use crate::tensor::{Tensor, first};
use crate::{Init, Scheme, Shard, Zero};
use rand_core::Rng;

/// `A`, then `B`, whose input is `A`'s output: a wrong size is an error of the compiler.
///
/// Two is enough: `Chain<A, Chain<B, C>>` is three, and [`Seq!`](crate::Seq) writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Chain<A: Layer, B: Layer<Input = A::Output>>(pub A, pub B);

/// The type of layers in a row.
///
/// ```
/// use motenet::{Chain, Dense, Relu, Seq};
/// type Net = Seq![Dense<2, 3>, Relu<3>, Dense<3, 1>];
/// type Same = Chain<Dense<2, 3>, Chain<Relu<3>, Dense<3, 1>>>;
/// let net: Net = motenet::Zero::ZERO;
/// let _same: Same = net;
/// ```
#[macro_export]
macro_rules! Seq {
    ($layer:ty $(,)?) => { $layer };
    ($layer:ty, $($rest:ty),+ $(,)?) => { $crate::Chain<$layer, $crate::Seq![$($rest),+]> };
}

/// The workspaces of both.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ChainActs<A, B> {
    a: A,
    b: B,
}

impl<Y, A: Zero + Send + Sync, B: Acts<Y>> Acts<Y> for ChainActs<A, B> {
    #[inline(always)]
    fn output(&self) -> &[Y] {
        self.b.output()
    }

    #[inline(always)]
    fn output_mut(&mut self) -> &mut [Y] {
        self.b.output_mut()
    }
}

impl<A: Layer, B: Layer<Input = A::Output>> Layer for Chain<A, B> {
    type Input = A::Input;
    type Output = B::Output;
    type Acts<const N: usize> = ChainActs<A::Acts<N>, B::Acts<N>>;

    /// `h = f(x)`, `y = g(h)`.
    #[inline]
    fn forward<const N: usize>(&self, pass: Pass, x: &[A::Input], acts: &mut Self::Acts<N>) {
        let (pass_a, pass_b) = pass.fork();
        self.0.forward(pass_a, x, &mut acts.a);
        pass_a.lap();
        self.1.forward(pass_b, first(acts.a.output(), x.len()), &mut acts.b);
    }

    fn describe(visit: &mut dyn FnMut(LayerInfo)) {
        A::describe(visit);
        B::describe(visit);
    }
}

impl<A: Train, B: Train + Layer<Input = A::Output>> Train for Chain<A, B> {
    /// `dh = (∂g/∂h)ᵀ dy`, then `dx = (∂f/∂x)ᵀ dh`: forward's lines, last one first.
    #[inline]
    fn backward<const N: usize>(
        &self,
        pass: Pass,
        x: &[A::Input],
        acts: &Self::Acts<N>,
        d_acts: &mut Self::Acts<N>,
        dx: Option<&mut [A::Input]>,
    ) {
        let (pass_a, pass_b) = pass.fork();
        let h = first(acts.a.output(), x.len());
        self.1.backward(pass_b, h, &acts.b, &mut d_acts.b, Some(d_acts.a.output_mut()));
        pass_b.lap();
        self.0.backward(pass_a, x, &acts.a, &mut d_acts.a, dx);
    }

    #[inline]
    fn accumulate<const N: usize>(
        pass: Pass,
        x: &[A::Input],
        acts: &Self::Acts<N>,
        d_acts: &Self::Acts<N>,
        grad: Shard<'_>,
    ) {
        let (pass_a, pass_b) = pass.fork();
        let (grad_a, grad_b) = grad.split(A::COUNT);
        let h = first(acts.a.output(), x.len());
        A::accumulate(pass_a, x, &acts.a, &d_acts.a, grad_a);
        pass_a.lap();
        B::accumulate(pass_b, h, &acts.b, &d_acts.b, grad_b);
    }
}

impl<A: FirstLayer, B: Train + Layer<Input = A::Output>> FirstLayer for Chain<A, B> {
    const CODED: bool = A::CODED;
    const COLUMNS: usize = A::COLUMNS;

    #[inline]
    fn forward_coded<const N: usize>(&self, pass: Pass, x: Coded<'_>, acts: &mut Self::Acts<N>) {
        let (pass_a, pass_b) = pass.fork();
        self.0.forward_coded(pass_a, x, &mut acts.a);
        pass_a.lap();
        let samples = x.samples(<A::Input as Tensor>::LEN);
        self.1.forward(pass_b, first(acts.a.output(), samples), &mut acts.b);
    }

    fn accumulate_coded<const N: usize>(
        pass: Pass,
        x: Coded<'_>,
        acts: &Self::Acts<N>,
        d_acts: &Self::Acts<N>,
        grad: Shard<'_>,
    ) {
        let (pass_a, pass_b) = pass.fork();
        let (grad_a, grad_b) = grad.split(A::COUNT);
        let h = first(acts.a.output(), x.samples(<A::Input as Tensor>::LEN));
        A::accumulate_coded(pass_a, x, &acts.a, &d_acts.a, grad_a);
        pass_a.lap();
        B::accumulate(pass_b, h, &acts.b, &d_acts.b, grad_b);
    }

    #[inline]
    fn columns<const N: usize>(acts: &Self::Acts<N>) -> &[f32] {
        A::columns(&acts.a)
    }

    #[inline]
    fn columns_mut<const N: usize>(acts: &mut Self::Acts<N>) -> &mut [f32] {
        A::columns_mut(&mut acts.a)
    }

    #[inline]
    fn forward_columns(pass: Pass, x: Coded<'_>, columns: &[f32], y: &mut [f32]) {
        A::forward_columns(pass.fork().0, x, columns, y);
    }

    #[inline]
    fn forward_rest<const N: usize>(&self, pass: Pass, samples: usize, acts: &mut Self::Acts<N>) {
        let (pass_a, pass_b) = pass.fork();
        self.0.forward_rest(pass_a, samples, &mut acts.a);
        pass_a.lap();
        self.1.forward(pass_b, first(acts.a.output(), samples), &mut acts.b);
    }

    #[inline]
    fn accumulate_columns(pass: Pass, x: Coded<'_>, dy: &[f32], grad: &mut [f32]) {
        A::accumulate_columns(pass.fork().0, x, dy, grad);
    }
}

impl<A: Layer + Init, B: Layer<Input = A::Output> + Init> Init for Chain<A, B> {
    const GAIN: f32 = A::GAIN;

    /// Each layer is scaled for the one that follows it; the last for `gain`.
    fn init<R: Rng>(&mut self, scheme: Scheme, gain: f32, rng: &mut R) {
        self.0.init(scheme, B::GAIN, rng);
        self.1.init(scheme, gain, rng);
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::{Dense, Relu, Simd};
    use std::cell::RefCell;
    use std::prelude::v1::*;

    type Net = crate::Seq![Dense<3, 4>, Relu<4>, Dense<4, 2>];

    std::thread_local! {
        static DONE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    }

    fn done() -> Vec<usize> {
        DONE.take()
    }

    #[test]
    fn a_watched_pass_tells_which_layer_is_done() {
        let pass = Pass::infer(Simd::baseline())
            .watched(|layer| DONE.with_borrow_mut(|done| done.push(layer)));
        let (net, x) = (Net::ZERO, [[1.0; 3]; 2]);
        let (mut acts, mut d_acts) = (<Net as Layer>::Acts::<2>::ZERO, Zero::ZERO);
        net.forward(pass, &x, &mut acts);
        assert_eq!(done(), [0, 1]);
        net.backward(pass, &x, &acts, &mut d_acts, None);
        assert_eq!(done(), [2, 1]);
        let mut grad = Net::ZERO;
        Net::accumulate(pass, &x, &acts, &d_acts, Shard::whole(&mut grad));
        assert_eq!(done(), [0, 1]);
    }
}
