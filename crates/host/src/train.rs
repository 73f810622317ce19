//! `host train`: from flags to a trained, tested and saved model.

use crate::cli::{Dataset, Device, RecipeArgs, TrainArgs};
use crate::console::Console;
use crate::data::{self, Cut};
use crate::engine::{Engine, Place, Set, Trainable};
use crate::failure::{Failure, fail};
use crate::models::Card;
use crate::published::Comparison;
use crate::report::Report;
use crate::saved::{Book, Saved, Source};
use crate::session::{self, Course, Outcome, thousands};
use crate::{interrupt, profile, published, rectangles, resolve};
use motenet::Simd;
use motenet_data::Splits;
use motenet_models::Model;
use motenet_models::digits::{self, DigitModel};
use motenet_train::{Settings, Trainer};
use serde::Serialize;
use std::process::ExitCode;

/// The seed of a run that names none.
pub(crate) const SEED: u64 = 1;

/// What `--json` prints: all that a script wants to know of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Answer<'a> {
    pub(crate) model: &'a str,
    pub(crate) dataset: &'a str,
    pub(crate) epochs: u32,
    pub(crate) batch_size: u32,
    pub(crate) threads: usize,
    pub(crate) seed: u64,
    /// The median training time of an epoch.
    pub(crate) seconds_per_epoch: Option<f64>,
    pub(crate) samples_per_second: Option<f64>,
    pub(crate) train_loss: Option<f64>,
    pub(crate) validation_accuracy: Option<f64>,
    pub(crate) test_accuracy: f64,
    pub(crate) weights_sha256: String,
    /// Whether that is the published hash; `None` where none was published for the settings.
    pub(crate) matches_published: Option<bool>,
    pub(crate) run_dir: Option<String>,
}

/// A run that is about to start, or to go on.
pub(crate) struct Job {
    pub(crate) args: TrainArgs,
    pub(crate) console: Console,
    pub(crate) simd: Simd,
    pub(crate) place: Place,
    /// Where it goes on from.
    pub(crate) saved: Option<Saved>,
}

/// Trains.
pub(crate) fn run(args: TrainArgs) -> Result<ExitCode, Failure> {
    let simd = resolve::simd(args.simd)?;
    if args.profile && args.device != Device::Cpu {
        return fail!(
            "--profile times what the CPU does: leave it out, or train with --device cpu"
        );
    }
    let console = Console::new(args.json);
    let saved = match &args.resume {
        None => None,
        Some(run) => Some(Saved::open(run.as_deref(), &args.out_dir)?),
    };
    let model = saved.as_ref().map_or(resolve::DEFAULT_MODEL, Saved::model);
    let model = args.model.as_deref().unwrap_or(model);
    let name = resolve::model(model, args.activation.as_deref())?;
    if let Some(saved) = saved.as_ref().filter(|saved| saved.model() != name) {
        return contradiction("--model", saved.model());
    }
    if let Some(saved) = &saved {
        agree(saved, &args.recipe)?;
    }
    // Before anything is written: a run that cannot start leaves no folder.
    let place = Place::open(args.device)?;
    let mut job = Job { args, console, simd, place, saved };
    let done = digits::find(name, OnDigits(&mut job));
    let done =
        done.or_else(|| motenet_models::rectangles::find(name, rectangles::OnRectangles(&mut job)));
    done.unwrap_or_else(|| fail!("there is no model '{name}'"))
}

/// The error of a flag that wants something else than the run it resumes.
pub(crate) fn contradiction<T>(flag: &str, saved: impl std::fmt::Display) -> Result<T, Failure> {
    fail!(
        "the run to resume has another {flag} ({saved}): leave {flag} out, or start a new run without --resume"
    )
}

struct OnDigits<'a>(&'a mut Job);

impl digits::Visit for OnDigits<'_> {
    type Result = Result<ExitCode, Failure>;

    fn visit<M: DigitModel>(self) -> Self::Result {
        self.0.train_on_digits::<M>()
    }
}

impl Job {
    /// Trains to the end, and says where the time went if that was asked for.
    pub(crate) fn follow<M: Trainable, S: Set<M> + ?Sized>(
        &mut self,
        mut trainer: Trainer<M>,
        course: &Course<'_, S>,
        book: &mut Book,
    ) -> Result<(Trainer<M>, Outcome), Failure> {
        if self.args.profile {
            trainer.start_profile();
        }
        let mut engine = Engine::new(&self.place, trainer, course)?;
        let outcome = session::train(&mut engine, course, book, &mut self.console)?;
        let trainer = engine.into_trainer()?;
        if self.args.profile {
            profile::print::<M>(&trainer.profile(), self.simd, &self.console);
        }
        Ok((trainer, outcome))
    }

    fn train_on_digits<M: DigitModel>(&mut self) -> Result<ExitCode, Failure> {
        let splits = self.splits()?;
        let source = Source {
            dataset: splits.name.clone(),
            sha256: splits.sha256.clone(),
            samples: splits.train.len(),
            validation: splits.validation.len(),
        };
        let (trainer, mut book) = self.prepare::<M>(source)?;
        self.introduce::<M>(&trainer, &book, &data_line(&splits));
        let course = Course {
            train: &splits.train,
            validation: (!splits.validation.is_empty()).then_some(&splits.validation),
            loss_title: "loss",
            loss_text: |loss| format!("{loss:.4}"),
        };
        let (mut trainer, mut outcome) = self.follow(trainer, &course, &mut book)?;
        if outcome.interrupted {
            return Ok(self.interrupted(&trainer, &book));
        }
        // A run that was complete already has figures, too.
        if let (None, Some(digits)) = (outcome.validation, course.validation) {
            outcome.validation = Some(trainer.evaluate(digits, |_, _, _, _| {}));
        }
        let report = Report::new(&mut trainer, &splits.test);
        let console = &self.console;
        console.line(format_args!(
            "\n{} on the {} test digits, none of them trained on (loss {:.4})\n",
            console.bold(format_args!("Test accuracy {:.2} %", 100.0 * report.summary.accuracy)),
            thousands(report.summary.samples),
            report.summary.loss,
        ));
        report.print_tables(console);
        console.line("");
        report.print_worst(console, &splits.test);
        console.line("");
        let drawn = book.draw(&trainer, &report, &splits.test);
        self.conclude(
            &trainer,
            &book,
            &outcome,
            &splits.name,
            splits.train.len(),
            report.summary.accuracy,
        );
        if book.folder().is_some() {
            let host = program();
            console.line(format_args!("Next      {host} eval                  test it again"));
            console.line(format_args!(
                "          {host} predict digit.png     let it read a picture of yours"
            ));
            console.line(format_args!(
                "          {host} show                  look at the digits it was tested on"
            ));
        }
        drawn.map(|()| ExitCode::SUCCESS)
    }

    fn splits(&self) -> Result<Splits, Failure> {
        let typed = Cut { validation: self.args.validation, train: self.args.train_size };
        let mut args = self.args.data.clone();
        let Some(saved) = &self.saved else {
            return data::load(&args, typed, &self.console);
        };
        let same = saved.dataset_flag()?;
        if args.dataset.is_some_and(|typed| typed != same && typed != Dataset::Auto) {
            return contradiction("--dataset", saved.dataset());
        }
        args.dataset = Some(same);
        let cut = saved.cut();
        if let (Some(typed), Some(saved)) = (typed.train, cut.train)
            && typed != saved
        {
            return contradiction("--train-size", saved);
        }
        if let (Some(typed), Some(saved)) = (typed.validation, cut.validation)
            && typed != saved
        {
            return contradiction("--validation", saved);
        }
        let splits = data::load(&args, cut, &self.console)?;
        if splits.sha256 == saved.dataset_sha256() {
            return Ok(splits);
        }
        fail!(
            "the data is not that of the run to resume (SHA-256 {}, expected {}): give the --data-dir that it was started with",
            splits.sha256,
            saved.dataset_sha256()
        )
    }

    /// A trainer, fresh or resumed, and the book that its checkpoints go to.
    pub(crate) fn prepare<M: Model>(
        &mut self,
        source: Source,
    ) -> Result<(Trainer<M>, Book), Failure> {
        let samples = source.samples;
        let (flags, threads) = (&self.args.recipe, self.args.threads);
        let every = self.args.checkpoint_seconds;
        if let Some(saved) = self.saved.take() {
            return saved.resume(threads, self.simd, source, every);
        }
        let settings = Settings {
            recipe: resolve::recipe(M::RECIPE, flags, samples)?,
            seed: flags.seed.unwrap_or(SEED),
        };
        let trainer = Trainer::new(settings, threads, self.simd);
        let out_dir = (!self.args.no_save).then_some(self.args.out_dir.as_path());
        let book = Book::create(&trainer, source, out_dir, every)?;
        Ok((trainer, book))
    }

    /// Says what is trained on what, and how.
    pub(crate) fn introduce<M: Model>(&self, trainer: &Trainer<M>, book: &Book, data: &str) {
        let (console, card) = (&self.console, Card::of::<M>());
        let Settings { recipe, seed } = trainer.settings();
        let say = |what: &str, text: String| {
            console.line(format_args!("{}{text}", console.dim(format_args!("{what:<10}"))))
        };
        let bytes = thousands(4 * card.parameters as u64);
        let parameters = thousands(card.parameters as u64);
        say(
            "Model",
            format!(
                "{} {}: {parameters} parameters, {bytes} bytes",
                console.bold(M::NAME),
                card.shape
            ),
        );
        say("Data", data.into());
        say(
            "Training",
            format!(
                "{} epochs in batches of {}, learning rate {} ({})",
                recipe.epochs,
                recipe.batch_size,
                recipe.learning_rate,
                resolve::describe_schedule(recipe.schedule)
            ),
        );
        let mut optimizer = resolve::describe_optimizer(&recipe.optimizer);
        if recipe.label_smoothing > 0.0 {
            optimizer.push_str(&format!(", label smoothing {}", recipe.label_smoothing));
        }
        if recipe.clip_norm > 0.0 {
            optimizer.push_str(&format!(", gradients clipped at {}", recipe.clip_norm));
        }
        say("Optimizer", optimizer);
        let threads = self.args.threads;
        let plural = if threads == 1 { "" } else { "s" };
        let device = match self.place.gpu() {
            Some(gpu) => format!("{gpu}: the losses of the CPU, not its bits"),
            None => format!("{threads} thread{plural}, {} instructions", self.simd.name()),
        };
        say("Run", format!("seed {seed}, {device}"));
        if let Some(folder) = book.folder() {
            say("Saved in", folder.display().to_string());
        }
        let position = trainer.position();
        if trainer.is_done() {
            console.line("\nAll epochs of this run are done already.");
        } else if position.epoch > 0 || position.step > 0 {
            console.line(format_args!(
                "\nGoing on after {} whole epochs and {} steps.",
                position.epoch, position.step
            ));
        }
        console.line("");
    }

    /// Says how to go on, and gives the exit code of an interrupted run.
    pub(crate) fn interrupted<M: Model>(&self, trainer: &Trainer<M>, book: &Book) -> ExitCode {
        let position = trainer.position();
        let at =
            format!("Stopped after {} whole epochs and {} steps", position.epoch, position.step);
        match book.folder() {
            Some(folder) => {
                self.console.line(format_args!("\n{at}; everything is saved. To go on:"));
                let device = if self.place.gpu().is_some() { " --device gpu" } else { "" };
                let folder = folder.display();
                self.console.line(format_args!("  {} --resume {folder}{device}", program()));
            }
            None => self.console.line(format_args!("\n{at}; nothing is saved (--no-save).")),
        }
        ExitCode::from(interrupt::EXIT_CODE)
    }

    /// Says what came of the run, to people and to programs.
    pub(crate) fn conclude<M: Model>(
        &self,
        trainer: &Trainer<M>,
        book: &Book,
        outcome: &Outcome,
        dataset: &str,
        samples: usize,
        test_accuracy: f64,
    ) {
        let Settings { recipe, seed } = *trainer.settings();
        let hash = Saved::hash(trainer);
        let console = &self.console;
        // A GPU is outside the contract: its bits are its own.
        let published = (self.args.device == Device::Cpu)
            .then(|| published::compare::<M>(book.dataset_sha256(), trainer.settings(), &hash))
            .flatten();
        console.line(format_args!("{}  SHA-256 {hash}", console.bold("Weights ")));
        if let Some(published) = published {
            let text = published.text();
            let text = if published.matches() { console.good(text) } else { console.bold(text) };
            console.line(format_args!("          {text}"));
        }
        if let Some(folder) = book.folder() {
            console.line(format_args!("{}  {}", console.bold("Saved in"), folder.display()));
            for line in book.contents(68) {
                console.line(console.dim(format_args!("          {line}")));
            }
        }
        if !console.json() {
            return;
        }
        let seconds = outcome.seconds_per_epoch();
        let answer = Answer {
            model: M::NAME,
            dataset,
            epochs: recipe.epochs,
            batch_size: recipe.batch_size,
            threads: self.args.threads,
            seed,
            seconds_per_epoch: seconds,
            samples_per_second: seconds.map(|seconds| samples as f64 / seconds),
            train_loss: outcome.train.map(|train| train.loss).or(book.last_train_loss()),
            validation_accuracy: outcome.validation.map(|validation| validation.accuracy),
            test_accuracy,
            weights_sha256: hash,
            matches_published: published.map(Comparison::matches),
            run_dir: book.folder().map(|folder| folder.display().to_string()),
        };
        // A struct of numbers and strings always has a JSON form.
        console.answer(serde_json::to_string(&answer).unwrap_or_default());
    }
}

/// Checks that the flags typed with `--resume` leave the settings as they were.
fn agree(saved: &Saved, flags: &RecipeArgs) -> Result<(), Failure> {
    let Settings { recipe: ref saved_recipe, seed } = saved.settings();
    let samples = usize::try_from(saved.samples()).unwrap_or(usize::MAX);
    let (typed, saved) = (resolve::recipe(*saved_recipe, flags, samples)?, saved_recipe);
    if flags.seed.is_some_and(|typed| typed != seed) {
        return contradiction("--seed", seed);
    }
    if typed.epochs != saved.epochs {
        return contradiction("--epochs", saved.epochs);
    }
    if typed.batch_size != saved.batch_size {
        return contradiction("--batch-size", saved.batch_size);
    }
    if typed.optimizer != saved.optimizer {
        return contradiction("--optimizer", resolve::describe_optimizer(&saved.optimizer));
    }
    if typed.learning_rate != saved.learning_rate {
        return contradiction("--learning-rate", saved.learning_rate);
    }
    if typed.schedule != saved.schedule {
        return contradiction("--schedule", resolve::describe_schedule(saved.schedule));
    }
    if typed.label_smoothing != saved.label_smoothing {
        return contradiction("--label-smoothing", saved.label_smoothing);
    }
    if typed.clip_norm != saved.clip_norm {
        return contradiction("--clip-norm", saved.clip_norm);
    }
    Ok(())
}

/// `mnist from FOLDER: 55,000 to train on, …`
pub(crate) fn data_line(splits: &Splits) -> String {
    let count = |len: usize| thousands(len as u64);
    format!(
        "{} ({}): {} to train on, {} to validate, {} to test",
        splits.name,
        splits.origin,
        count(splits.train.len()),
        count(splits.validation.len()),
        count(splits.test.len())
    )
}

/// How the user calls this program.
pub(crate) fn program() -> &'static str {
    // `cargo run` tells the program that it runs under it.
    if std::env::var_os("CARGO").is_some() { "cargo run -p host --" } else { "host" }
}
