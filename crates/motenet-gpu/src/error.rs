//! What can go wrong on a GPU, and what to do about it.

/// An error of the GPU back end. None of them leaves a checkpoint half-written: those are written from
/// the CPU's memory, after what they hold has been read back whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No adapter answers.
    #[error("no GPU adapter found: {reason}; train with --device cpu")]
    NoAdapter {
        /// What was asked, and what answered.
        reason: String,
    },
    /// There is an adapter, but it does not give a device.
    #[error("the GPU {name} cannot be used: {reason}; train with --device cpu")]
    Refused {
        /// The adapter.
        name: String,
        /// What it says, or what it lacks.
        reason: String,
    },
    /// A layer without a kernel.
    #[error(
        "layer {number} of the model is {layer}, for which there is no GPU kernel (Dense, Flatten, Relu, Sigmoid and Tanh have one): train with --device cpu"
    )]
    Unsupported {
        /// The layer's number, from 1.
        number: usize,
        /// Its name.
        layer: String,
    },
    /// Something is larger than the device allows.
    #[error("{what}: {found} {unit}, the GPU allows {limit}: {advice}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        found: u64,
        /// The most that the device allows.
        limit: u64,
        /// Of what.
        unit: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The device's memory is used up.
    #[error("out of memory on the GPU: lower --batch-size, or train with --device cpu")]
    OutOfMemory,
    /// The device is gone: unplugged, reset by its driver, or taken away.
    #[error("the GPU was lost ({reason}): go on from the last checkpoint with --resume")]
    Lost {
        /// What the driver says.
        reason: String,
    },
    /// What should not happen.
    #[error("the GPU back end failed ({reason}): this is a defect of motenet, please report it")]
    Defect {
        /// What was complained about.
        reason: String,
    },
}

impl Error {
    /// The first line of `text`, since an error is one line.
    pub(crate) fn line(text: &str) -> String {
        text.lines().next().unwrap_or_default().trim().to_owned()
    }

    pub(crate) fn lost(reason: &str) -> Self {
        Error::Lost { reason: Self::line(reason) }
    }

    pub(crate) fn defect(reason: impl std::fmt::Display) -> Self {
        let all = reason.to_string();
        let text: Vec<&str> = all.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Error::Defect { reason: text.join(" ") }
    }
}

impl From<wgpu::Error> for Error {
    fn from(error: wgpu::Error) -> Self {
        match error {
            wgpu::Error::OutOfMemory { .. } => Error::OutOfMemory,
            other => Error::defect(other),
        }
    }
}
