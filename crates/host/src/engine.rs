//! What trains: the CPU, or a GPU with the CPU behind it.
//!
//! A session asks an [`Engine`] for epochs; whichever it is, the samples, their order and the settings are the
//! same. The CPU's trainer is what is saved and tested, so a GPU's weights are read back when a checkpoint is
//! due, and at the end.

use crate::cli::Device;
use crate::failure::{Failure, fail};
use crate::session::Course;
use motenet_models::{Input, Model, Target};
use motenet_train::{Position, Progress, Samples, Settings, Summary, Trainer};
use std::ops::ControlFlow;

#[cfg(feature = "gpu")]
use motenet_gpu::{Dataset, Gpu, GpuLoss, GpuTrainer, Resident};

/// A model that every engine trains.
#[cfg(feature = "gpu")]
pub(crate) trait Trainable: Model<Loss: GpuLoss> {}
#[cfg(feature = "gpu")]
impl<M: Model<Loss: GpuLoss>> Trainable for M {}
#[cfg(not(feature = "gpu"))]
pub(crate) trait Trainable: Model {}
#[cfg(not(feature = "gpu"))]
impl<M: Model> Trainable for M {}

/// Samples that every engine can take in.
#[cfg(feature = "gpu")]
pub(crate) trait Set<M: Model>:
    Samples<Input<M>, Target<M>> + Resident<Input<M>, Target<M>>
{
}
#[cfg(feature = "gpu")]
impl<M: Model, S: Samples<Input<M>, Target<M>> + Resident<Input<M>, Target<M>>> Set<M> for S {}
#[cfg(not(feature = "gpu"))]
pub(crate) trait Set<M: Model>: Samples<Input<M>, Target<M>> {}
#[cfg(not(feature = "gpu"))]
impl<M: Model, S: Samples<Input<M>, Target<M>>> Set<M> for S {}

/// A device that has been found, before there is a model.
#[derive(Debug)]
pub(crate) enum Place {
    Cpu,
    #[cfg(feature = "gpu")]
    Gpu(Box<Gpu>),
}

impl Place {
    /// Finds `device`.
    pub(crate) fn open(device: Device) -> Result<Self, Failure> {
        match device {
            Device::Cpu => Ok(Place::Cpu),
            #[cfg(feature = "gpu")]
            Device::Gpu => Ok(Place::Gpu(Box::new(Gpu::open()?))),
            #[cfg(not(feature = "gpu"))]
            Device::Gpu => fail!(
                "this program was built without GPU support: build it with the feature `gpu` (`cargo run -p host --features gpu -- train --device gpu`), or train with --device cpu"
            ),
        }
    }

    /// What the GPU calls itself, and whether it is one; `None` on the CPU.
    pub(crate) fn gpu(&self) -> Option<String> {
        match self {
            Place::Cpu => None,
            #[cfg(feature = "gpu")]
            Place::Gpu(gpu) if gpu.is_software() => {
                Some(format!("{}, software, slower than --device cpu", gpu.name()))
            }
            #[cfg(feature = "gpu")]
            Place::Gpu(gpu) => Some(gpu.name()),
        }
    }
}

/// A run on its device.
pub(crate) enum Engine<M: Model> {
    Cpu(Box<Trainer<M>>),
    #[cfg(feature = "gpu")]
    Gpu(Box<OnGpu<M>>),
}

/// A run on a GPU, and the validation set that lies there too.
#[cfg(feature = "gpu")]
pub(crate) struct OnGpu<M: Model> {
    trainer: GpuTrainer<M>,
    validation: Option<Dataset>,
}

/// What a step leaves to look at.
pub(crate) enum View<'a, M: Model> {
    Cpu(&'a Trainer<M>),
    #[cfg(feature = "gpu")]
    Gpu(&'a mut GpuTrainer<M>),
}

impl<'a, M: Trainable> View<'a, M> {
    /// The trainer as it stands, read back if it has to be.
    pub(crate) fn trainer(self) -> Result<&'a Trainer<M>, Failure> {
        match self {
            View::Cpu(trainer) => Ok(trainer),
            #[cfg(feature = "gpu")]
            View::Gpu(trainer) => Ok(trainer.trainer()?),
        }
    }
}

impl<M: Trainable> Engine<M> {
    /// `trainer`, put to work at `place`.
    pub(crate) fn new<S: Set<M> + ?Sized>(
        place: &Place,
        trainer: Trainer<M>,
        course: &Course<'_, S>,
    ) -> Result<Self, Failure> {
        let _ = course; // the CPU gets its samples epoch by epoch
        match place {
            Place::Cpu => Ok(Engine::Cpu(Box::new(trainer))),
            #[cfg(feature = "gpu")]
            Place::Gpu(gpu) => {
                let trainer = GpuTrainer::new(gpu, trainer, course.train)?;
                let validation = course.validation.map(|set| trainer.upload(set)).transpose()?;
                Ok(Engine::Gpu(Box::new(OnGpu { trainer, validation })))
            }
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        match self {
            Engine::Cpu(trainer) => trainer.settings(),
            #[cfg(feature = "gpu")]
            Engine::Gpu(on) => on.trainer.settings(),
        }
    }

    pub(crate) fn position(&self) -> Position {
        match self {
            Engine::Cpu(trainer) => trainer.position(),
            #[cfg(feature = "gpu")]
            Engine::Gpu(on) => on.trainer.position(),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.settings().is_done(self.position())
    }

    /// The trainer as it stands, read back if it has to be.
    pub(crate) fn trainer(&mut self) -> Result<&mut Trainer<M>, Failure> {
        match self {
            Engine::Cpu(trainer) => Ok(trainer),
            #[cfg(feature = "gpu")]
            Engine::Gpu(on) => Ok(on.trainer.trainer()?),
        }
    }

    /// The same, for good.
    pub(crate) fn into_trainer(self) -> Result<Trainer<M>, Failure> {
        match self {
            Engine::Cpu(trainer) => Ok(*trainer),
            #[cfg(feature = "gpu")]
            Engine::Gpu(on) => Ok(on.trainer.into_trainer()?),
        }
    }

    /// Trains to the end of the epoch, or until `watch` breaks: after each step on the CPU, after each
    /// submission of many steps on a GPU.
    pub(crate) fn train_epoch<S: Set<M> + ?Sized>(
        &mut self,
        train: &S,
        mut watch: impl FnMut(View<'_, M>, Progress) -> ControlFlow<()>,
    ) -> Result<Option<Summary>, Failure> {
        match self {
            Engine::Cpu(trainer) => {
                Ok(trainer
                    .train_epoch(train, |trainer, progress| watch(View::Cpu(trainer), progress)))
            }
            #[cfg(feature = "gpu")]
            Engine::Gpu(on) => {
                let watch =
                    |trainer: &mut GpuTrainer<M>, progress| watch(View::Gpu(trainer), progress);
                Ok(on.trainer.train_epoch(watch)?)
            }
        }
    }

    /// Runs the model over `set`, which is the course's validation set.
    pub(crate) fn validate<S: Set<M> + ?Sized>(&mut self, set: &S) -> Result<Summary, Failure> {
        match self {
            Engine::Cpu(trainer) => Ok(trainer.evaluate(set, |_, _, _, _| {})),
            #[cfg(feature = "gpu")]
            Engine::Gpu(on) => match &on.validation {
                Some(set) => Ok(on.trainer.evaluate(set)?),
                None => fail!("the validation set is not on the GPU"),
            },
        }
    }
}
