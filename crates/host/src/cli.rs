//! What can be typed: commands, flags, their help, and the limits of every number.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Train small neural networks whose bits never change: same seed, same weights, on every machine.
#[derive(Debug, Parser)]
#[command(
    name = "host",
    version,
    after_help = "Without a command it trains, and takes the flags of `train`:\n  \
        host                         train the default model on handwritten digits\n  \
        host --model mlp-wide        train a larger one\n  \
        host models                  see which there are\n  \
        host eval                    test the model trained last\n  \
        host predict digit.png       let it read a picture\n  \
        host train --help            all flags\n\n\
        From a checkout, `cargo run -p host --` stands for `host`."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a model and save it (the default)
    Train(TrainArgs),
    /// Test a trained model on digits it has never seen
    Eval(EvalArgs),
    /// Let a trained model read a picture of a digit
    Predict(PredictArgs),
    /// List the models that can be trained
    Models,
    /// Look at the digits of a dataset
    Show(ShowArgs),
}

/// Which digits to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dataset {
    /// MNIST if it can be had, else made-up digits
    Auto,
    /// The handwritten digits of MNIST: found in a folder, or downloaded once
    Mnist,
    /// Digits drawn by arithmetic: no network, no file
    MadeUp,
}

/// The rule that moves the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptimizerName {
    /// Gradient descent
    Sgd,
    /// Gradient descent with momentum
    Momentum,
    /// Momentum that looks ahead
    Nesterov,
    /// Adam
    Adam,
    /// Adam with decoupled weight decay
    Adamw,
}

/// How the learning rate moves over the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScheduleName {
    /// The same throughout
    Constant,
    /// A tenth of it after each third of the run
    Step,
    /// Half a cosine down to 0
    Cosine,
    /// Up over the first twentieth of the run, then half a cosine down
    WarmupCosine,
    /// Up and down once over the whole run
    OneCycle,
}

/// The vector instructions to use; they change no bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SimdName {
    /// The best this CPU has
    Auto,
    /// What every CPU of the kind has
    Baseline,
    /// AVX2 with FMA
    Avx2,
    /// AVX-512
    Avx512,
    /// NEON
    Neon,
}

/// What trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Device {
    /// The CPU: the same bits on every machine
    Cpu,
    /// The fastest GPU: within 0.1 % of the CPU's loss, not the same bits
    Gpu,
}

/// Where datasets come from.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataArgs {
    /// Which digits [default: auto: MNIST if it can be had, else made-up]
    #[arg(long, value_enum, value_name = "NAME", hide_possible_values = false)]
    pub(crate) dataset: Option<Dataset>,
    /// A folder with the four MNIST files, raw or gzip [default: $MNIST_DIR, else the cache folder]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    host train                              the default model, its own settings\n  \
    host train --epochs 3 --threads 4       shorter, on four threads: the same bits as on one\n  \
    host train --optimizer adamw            another optimizer\n  \
    host train --resume                     go on with the latest run\n  \
    host train --json --no-save             one line of JSON on standard output, no files")]
pub(crate) struct TrainArgs {
    /// Which model; `host models` lists them [default: mlp]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub(crate) model: Option<String>,
    /// The model's kin with this nonlinearity: relu or sigmoid
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub(crate) activation: Option<String>,

    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Train on the first N digits of the training set only
    #[arg(long, value_name = "N", value_parser = positive, help_heading = "Data")]
    pub(crate) train_size: Option<u32>,
    /// Hold back the last N training digits for validation; 0 for none
    /// [default: 5000 of MNIST, 2000 made-up]
    #[arg(long, value_name = "N", help_heading = "Data", verbatim_doc_comment)]
    pub(crate) validation: Option<u32>,

    #[command(flatten)]
    pub(crate) recipe: RecipeArgs,

    /// Go on with a saved run: a run folder or a checkpoint; without a name the latest one
    #[arg(long, value_name = "RUN", num_args = 0..=1, help_heading = "Run")]
    pub(crate) resume: Option<Option<PathBuf>>,
    /// What trains: cpu, or gpu where there is one (not the same bits) [default: cpu]
    #[arg(
        long,
        value_enum,
        value_name = "NAME",
        default_value = "cpu",
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = "Run"
    )]
    pub(crate) device: Device,
    /// Threads to use; they change no bit [default: 1]
    #[arg(long, value_name = "N", value_parser = threads, default_value = "1",
        hide_default_value = true, help_heading = "Run")]
    pub(crate) threads: usize,
    /// Vector instructions to use; they change no bit (for tests) [default: auto]
    #[arg(
        long,
        value_enum,
        value_name = "NAME",
        default_value = "auto",
        hide_default_value = true,
        help_heading = "Run"
    )]
    pub(crate) simd: SimdName,
    /// Where runs are saved
    #[arg(long, value_name = "FOLDER", default_value = "runs", help_heading = "Run")]
    pub(crate) out_dir: PathBuf,
    /// Seconds between checkpoints within an epoch; 0 saves after every step
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30",
        help_heading = "Run")]
    pub(crate) checkpoint_seconds: f64,
    /// Write no files
    #[arg(long, conflicts_with = "resume", help_heading = "Run")]
    pub(crate) no_save: bool,
    /// Take the time of each phase of training, and print where it went
    #[arg(long, help_heading = "Run")]
    pub(crate) profile: bool,
    /// Print one line of JSON on standard output, and everything else on standard error
    #[arg(long, help_heading = "Run")]
    pub(crate) json: bool,
}

/// The settings of a run. What is not given comes from the model's own recipe.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Training (what is not given comes from the model)")]
pub(crate) struct RecipeArgs {
    /// Passes over the training set
    #[arg(long, value_name = "N", value_parser = epochs)]
    pub(crate) epochs: Option<u32>,
    /// Samples a step
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) batch_size: Option<u32>,
    /// The full learning rate
    #[arg(long, value_name = "X", value_parser = above_zero, allow_negative_numbers = true)]
    pub(crate) learning_rate: Option<f32>,
    /// The rule that moves the weights
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) optimizer: Option<OptimizerName>,
    /// The share of the last step that is kept, 0 to below 1
    #[arg(long, value_name = "X", value_parser = below_one, allow_negative_numbers = true)]
    pub(crate) momentum: Option<f32>,
    /// The pull of every weight towards zero
    #[arg(long, value_name = "X", value_parser = zero_or_more, allow_negative_numbers = true)]
    pub(crate) weight_decay: Option<f32>,
    /// How the learning rate moves
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) schedule: Option<ScheduleName>,
    /// The share of each label that is spread over all classes, 0 to below 1
    #[arg(long, value_name = "X", value_parser = below_one, allow_negative_numbers = true)]
    pub(crate) label_smoothing: Option<f32>,
    /// Scale gradients down to this length; 0 for no limit
    #[arg(long, value_name = "X", value_parser = zero_or_more, allow_negative_numbers = true)]
    pub(crate) clip_norm: Option<f32>,
    /// Decides the first weights and the order of the samples [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    host eval                           the latest run, on the data it was made for\n  \
    host eval runs/NAME                 that run\n  \
    host eval --dataset made-up         on other digits than it was trained on")]
pub(crate) struct EvalArgs {
    /// A run folder or a checkpoint [default: the latest run]
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Where runs were saved
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) out_dir: PathBuf,
    /// Threads to use; they change no bit
    #[arg(long, value_name = "N", value_parser = threads, default_value = "1")]
    pub(crate) threads: usize,
    /// Print one line of JSON on standard output, and everything else on standard error
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
#[command(
    after_help = "The picture may have any size and either ink on paper or chalk on a board: it is cut \
    to the ink,\nscaled to 20×20 and centred in 28×28, as the digits of MNIST were.\n\n\
    Examples:\n  \
    host predict digit.png\n  \
    host predict digit.png --run runs/NAME --json"
)]
pub(crate) struct PredictArgs {
    /// A PNG picture of one digit
    #[arg(value_name = "IMAGE.png")]
    pub(crate) image: PathBuf,
    /// A run folder or a checkpoint [default: the latest run]
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<PathBuf>,
    /// Take a 28×28 picture as it is: light ink on black
    #[arg(long)]
    pub(crate) raw: bool,
    /// Where runs were saved
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) out_dir: PathBuf,
    /// Print one line of JSON on standard output, and everything else on standard error
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    host show                           the first test digits\n  \
    host show --label 7 --count 20      sevens\n  \
    host show --index 123 --count 1     digit 123\n  \
    host show --dataset made-up         digits drawn by arithmetic")]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Digits to show
    #[arg(long, value_name = "N", default_value = "10", value_parser = positive)]
    pub(crate) count: u32,
    /// Only this figure
    #[arg(long, value_name = "0-9", value_parser = clap::value_parser!(u8).range(0..=9))]
    pub(crate) label: Option<u8>,
    /// The number of the first digit to show, counted from 0
    #[arg(long, value_name = "N", default_value = "0")]
    pub(crate) index: usize,
}

fn number<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("expected {what}"))
}

fn positive(text: &str) -> Result<u32, String> {
    let value = number(text, "a whole number from 1 up")?;
    (value > 0).then_some(value).ok_or("expected at least 1".into())
}

fn epochs(text: &str) -> Result<u32, String> {
    let value = number(text, "a whole number from 1 to 1000000")?;
    let fits = (1..=1_000_000).contains(&value);
    fits.then_some(value).ok_or("expected 1 to 1000000".into())
}

fn threads(text: &str) -> Result<usize, String> {
    let value = number(text, "a whole number from 1 to 64")?;
    (1..=64).contains(&value).then_some(value).ok_or("expected 1 to 64".into())
}

fn above_zero(text: &str) -> Result<f32, String> {
    let value: f32 = number(text, "a number above 0")?;
    let fits = value > 0.0 && value.is_finite();
    fits.then_some(value).ok_or("expected a number above 0".into())
}

fn zero_or_more(text: &str) -> Result<f32, String> {
    let value: f32 = number(text, "0 or a number above it")?;
    let fits = value >= 0.0 && value.is_finite();
    // `+ 0.0` turns −0 into 0, which a checkpoint could not tell apart from it.
    fits.then_some(value + 0.0).ok_or("expected 0 or a number above it".into())
}

fn below_one(text: &str) -> Result<f32, String> {
    let value: f32 = number(text, "a number from 0 to below 1")?;
    let fits = (0.0..1.0).contains(&value);
    fits.then_some(value + 0.0).ok_or("expected a number from 0 to below 1".into())
}

fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = number(text, "0 or a number of seconds")?;
    let fits = (0.0..=1e9).contains(&value);
    fits.then_some(value).ok_or("expected 0 or a number of seconds".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn numbers_have_limits() {
        for bad in ["0", "-1", "1.5", "", "x", "4294967296"] {
            assert!(positive(bad).is_err(), "{bad}");
        }
        for bad in ["0", "-0.1", "nan", "NaN", "inf", "1e39", "x", ""] {
            assert!(above_zero(bad).is_err(), "{bad}");
        }
        for bad in ["-0.1", "1", "nan", "inf"] {
            assert!(below_one(bad).is_err(), "{bad}");
        }
        assert_eq!(zero_or_more("-0").map(f32::to_bits), Ok(0));
        assert_eq!(
            (threads("64"), threads("65").is_err(), threads("0").is_err()),
            (Ok(64), true, true)
        );
    }
}
