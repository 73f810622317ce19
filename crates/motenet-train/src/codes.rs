//! Samples that enter a network as bytes.

use crate::lane::{AHEAD, CAPACITY};
use crate::samples::Samples;
use motenet::kernels::{Coded, mark, words};
use motenet::{Pass, Tensor};
use motenet_models::{Input, Model, Target};

/// Room for as many samples as a lane has.
#[derive(Default)]
pub(crate) struct Codes {
    codes: Vec<u8>,
    values: Option<[f32; 256]>,
    marks: Vec<u64>,
}

impl Codes {
    /// Loads the samples `indices`; `visit` gets their targets.
    pub(crate) fn load<M: Model>(
        &mut self,
        pass: Pass,
        samples: &(impl Samples<Input<M>, Target<M>> + ?Sized),
        indices: &[u32],
        mut visit: impl FnMut(Target<M>),
    ) {
        let len = Input::<M>::LEN;
        self.codes.resize(CAPACITY * len, 0);
        self.marks.resize(CAPACITY * words(len), 0);
        self.values = samples.values().copied();
        let mut ahead = indices.iter().skip(AHEAD);
        let rows = self.codes.chunks_mut(len.max(1)).zip(self.marks.chunks_mut(words(len).max(1)));
        for ((codes, marks), &index) in rows.zip(indices) {
            if let Some(&index) = ahead.next() {
                samples.prefetch(index as usize);
            }
            visit(samples.load_bytes(index as usize, codes));
            mark(pass.simd, codes, marks);
        }
    }

    /// The first so many samples.
    pub(crate) fn first<M: Model>(&self, samples: usize) -> Coded<'_> {
        let (len, words) = (Input::<M>::LEN, words(Input::<M>::LEN));
        let (codes, marks) = (&self.codes[..samples * len], &self.marks[..samples * words]);
        Coded { codes, values: self.values.as_ref().unwrap_or(&[0.0; 256]), marks }
    }
}
