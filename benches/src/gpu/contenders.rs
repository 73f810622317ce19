//! Whatever trains a model, as a function that trains one epoch of it.

use super::cpus;
use super::peer::Peer;
use motenet::Simd;
use motenet_data::Digits;
#[cfg(feature = "cuda")]
use motenet_gpu::cuda::{Cuda, CudaTrainer};
use motenet_gpu::{Error, Gpu, GpuTrainer};
use motenet_models::Recipe;
use motenet_models::digits::DigitModel;
use motenet_train::{Settings, Summary, Trainer};
use std::ops::ControlFlow;
use std::time::Instant;

/// What is there to train on.
pub(super) struct Devices {
    pub(super) gpu: Option<Gpu>,
    #[cfg(feature = "cuda")]
    cuda: Option<Cuda>,
    peer: Option<Peer>,
}

/// An epoch: its seconds, its mean loss, and its accuracy where that is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epoch {
    pub(super) seconds: f64,
    pub(super) loss: f64,
    pub(super) accuracy: Option<f64>,
}

/// Trains another epoch.
pub(super) type Next<'a> = Box<dyn FnMut(&mut Option<Peer>) -> Result<Epoch, String> + 'a>;

/// A model in training on a device.
pub(super) struct Contender<'a> {
    pub(super) device: String,
    /// `None` if there is no such device.
    pub(super) next: Option<Result<Next<'a>, String>>,
}

impl Devices {
    /// `gpu`, and what else there is; of what there is not it says so.
    pub(super) fn new(gpu: Option<Gpu>, command: Option<&str>, samples: u32) -> Self {
        #[cfg(feature = "cuda")]
        let cuda = match Cuda::open() {
            Ok(cuda) => {
                println!("cuBLAS: {}", cuda.name());
                Some(cuda)
            }
            Err(error) => {
                println!("cuBLAS: skipped ({error})");
                None
            }
        };
        let peer = command.and_then(|command| match Peer::start(command, samples) {
            Ok(peer) => {
                println!("Peer: {}", peer.name());
                Some(peer)
            }
            Err(error) => {
                println!("Peer: skipped ({error})");
                None
            }
        });
        Devices {
            gpu,
            #[cfg(feature = "cuda")]
            cuda,
            peer,
        }
    }

    /// Everything that trains `M`, with the CPU's single thread first.
    pub(super) fn contenders<'a, M: DigitModel>(
        &self,
        shape: &'static str,
        recipe: Recipe,
        train: &'a Digits,
    ) -> Vec<Contender<'a>> {
        let mut all = Vec::new();
        for (threads, device) in cpus() {
            let mut trainer = trainer::<M>(recipe, threads);
            let epoch = move || Ok(trainer.train_epoch(train, |_, _| ControlFlow::Continue(())));
            all.push(Contender { device, next: Some(Ok(timed(epoch))) });
        }
        let on_gpu = |gpu| {
            let mut trainer = GpuTrainer::new(gpu, trainer::<M>(recipe, 1), train)?;
            Ok(timed(move || trainer.train_epoch(|_, _| ControlFlow::Continue(()))))
        };
        all.push(found("GPU", self.gpu.as_ref().map(on_gpu)));
        #[cfg(feature = "cuda")]
        {
            let on_cuda = |cuda| {
                let mut trainer = CudaTrainer::new(cuda, trainer::<M>(recipe, 1), train)?;
                Ok(timed(move || trainer.train_epoch().map(Some)))
            };
            // Where there is no CUDA, a line has said so.
            all.extend(self.cuda.as_ref().map(|cuda| found("cuBLAS", Some(on_cuda(cuda)))));
        }
        for way in self.peer.iter().flat_map(Peer::ways).cloned() {
            let (asked, batch) = (way.clone(), recipe.batch_size);
            let next: Next<'a> = Box::new(move |peer| match peer {
                Some(peer) => peer.epoch(shape, batch, &asked),
                None => Err("the peer is gone".into()),
            });
            all.push(Contender { device: way, next: Some(Ok(next)) });
        }
        all
    }

    pub(super) fn peer(&mut self) -> &mut Option<Peer> {
        &mut self.peer
    }
}

fn found<'a>(device: &str, next: Option<Result<Next<'a>, Error>>) -> Contender<'a> {
    let next = next.map(|made| made.map_err(|error| error.to_string()));
    Contender { device: device.into(), next }
}

/// The same start on every device.
pub(super) fn trainer<M: DigitModel>(recipe: Recipe, threads: usize) -> Trainer<M> {
    Trainer::new(Settings { recipe, seed: 1 }, threads, Simd::detect())
}

fn timed<'a>(mut epoch: impl FnMut() -> Result<Option<Summary>, Error> + 'a) -> Next<'a> {
    Box::new(move |_| {
        let start = Instant::now();
        let summary = epoch().map_err(|error| error.to_string())?;
        let seconds = start.elapsed().as_secs_f64();
        // Nobody stops these epochs.
        let summary = summary.unwrap_or_default();
        Ok(Epoch { seconds, loss: summary.loss, accuracy: Some(summary.accuracy) })
    })
}
