//! From what was typed to what is meant: a model's name, and the settings of a run.

use crate::cli::{OptimizerName, RecipeArgs, ScheduleName, SimdName};
use crate::failure::{Failure, fail};
use motenet::{Adam, AnyOptimizer, Schedule, Sgd, Simd};
use motenet_models::{Recipe, digits, rectangles};

/// The model that is trained if none is named.
pub(crate) const DEFAULT_MODEL: &str = "mlp";

/// The customary rate of Adam, which wants far smaller ones than gradient descent does.
const ADAM_LEARNING_RATE: f32 = 1e-3;

/// The names of all models, digits first.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    digits::NAMES.iter().chain(rectangles::NAMES).copied()
}

/// The name of the model meant by `--model` and `--activation`.
pub(crate) fn model(name: &str, activation: Option<&str>) -> Result<&'static str, Failure> {
    let known = |name: &str| names().find(|known| *known == name);
    let Some(found) = known(name) else {
        let names = names().collect::<Vec<_>>().join(", ");
        return fail!("there is no model '{name}': choose one of {names}");
    };
    let base = found.strip_suffix("-sigmoid").unwrap_or(found);
    let wanted = match activation {
        None => return Ok(found),
        Some("relu") => base.to_string(),
        Some("sigmoid") => format!("{base}-sigmoid"),
        Some(other) => return fail!("there is no activation '{other}': choose relu or sigmoid"),
    };
    known(&wanted).ok_or_else(|| {
        let both = names().filter_map(|name| name.strip_suffix("-sigmoid"));
        let both = both.collect::<Vec<_>>().join(", ");
        Failure::new(format!(
            "model '{name}' comes with ReLU only: leave --activation out, or choose a model with both ({both})"
        ))
    })
}

/// The recipe with the flags applied; `samples` is the length of an epoch.
pub(crate) fn recipe(base: Recipe, flags: &RecipeArgs, samples: usize) -> Result<Recipe, Failure> {
    let optimizer = optimizer(base.optimizer, flags)?;
    let changed_kind = matches!(optimizer, AnyOptimizer::Adam(_))
        && matches!(base.optimizer, AnyOptimizer::Sgd(_));
    let learning_rate = if changed_kind { ADAM_LEARNING_RATE } else { base.learning_rate };
    let mut recipe = Recipe {
        epochs: flags.epochs.unwrap_or(base.epochs),
        batch_size: flags.batch_size.unwrap_or(base.batch_size),
        learning_rate: flags.learning_rate.unwrap_or(learning_rate),
        optimizer,
        label_smoothing: flags.label_smoothing.unwrap_or(base.label_smoothing),
        clip_norm: flags.clip_norm.unwrap_or(base.clip_norm),
        ..base
    };
    let batch = recipe.batch_size.max(1) as u64;
    let steps = u64::from(recipe.epochs) * (samples as u64).div_ceil(batch);
    let Ok(steps) = u32::try_from(steps) else {
        return fail!(
            "{} epochs in batches of {batch} are {steps} steps, expected at most {}: lower --epochs or raise --batch-size",
            recipe.epochs,
            u32::MAX
        );
    };
    if let Some(name) = flags.schedule {
        recipe.schedule = schedule(name, steps);
    }
    Ok(recipe)
}

fn schedule(name: ScheduleName, steps: u32) -> Schedule {
    match name {
        ScheduleName::Constant => Schedule::Constant,
        ScheduleName::Step => Schedule::StepDecay { every: steps.div_ceil(3), factor: 0.1 },
        ScheduleName::Cosine => Schedule::Cosine,
        ScheduleName::WarmupCosine => Schedule::WarmupCosine { steps: steps.div_ceil(20) },
        ScheduleName::OneCycle => Schedule::OneCycle,
    }
}

fn optimizer(base: AnyOptimizer, flags: &RecipeArgs) -> Result<AnyOptimizer, Failure> {
    let decay = match base {
        AnyOptimizer::Sgd(rule) => rule.weight_decay,
        AnyOptimizer::Adam(rule) => rule.weight_decay,
    };
    let sgd =
        |momentum, nesterov| AnyOptimizer::Sgd(Sgd { momentum, nesterov, weight_decay: decay });
    let adam =
        |decoupled| AnyOptimizer::Adam(Adam { weight_decay: decay, decoupled, ..Adam::default() });
    let mut optimizer = match flags.optimizer {
        None => base,
        Some(OptimizerName::Sgd) => sgd(0.0, false),
        Some(OptimizerName::Momentum) => sgd(0.9, false),
        Some(OptimizerName::Nesterov) => sgd(0.9, true),
        Some(OptimizerName::Adam) => adam(false),
        Some(OptimizerName::Adamw) => adam(true),
    };
    match (&mut optimizer, flags.momentum) {
        (AnyOptimizer::Sgd(rule), Some(momentum)) => rule.momentum = momentum,
        (AnyOptimizer::Adam(_), Some(_)) => {
            return fail!("Adam has no --momentum: leave it out, or choose --optimizer momentum");
        }
        (_, None) => {}
    }
    if let Some(decay) = flags.weight_decay {
        match &mut optimizer {
            AnyOptimizer::Sgd(rule) => rule.weight_decay = decay,
            AnyOptimizer::Adam(rule) => rule.weight_decay = decay,
        }
    }
    Ok(optimizer)
}

/// The instruction set meant by `--simd`.
pub(crate) fn simd(name: SimdName) -> Result<Simd, Failure> {
    let name = match name {
        SimdName::Auto => return Ok(Simd::detect()),
        SimdName::Baseline => "baseline",
        SimdName::Avx2 => "avx2",
        SimdName::Avx512 => "avx512",
        SimdName::Neon => "neon",
    };
    Simd::available().find(|simd| simd.name() == name).ok_or_else(|| {
        let all: Vec<_> = Simd::available().map(Simd::name).collect();
        Failure::new(format!("this CPU has no {name}: choose auto or one of {}", all.join(", ")))
    })
}

/// An optimizer as one reads it: `SGD, momentum 0.9, weight decay 0.0003`.
pub(crate) fn describe_optimizer(optimizer: &AnyOptimizer) -> String {
    let (mut text, decay) = match optimizer {
        AnyOptimizer::Sgd(Sgd { momentum, nesterov, weight_decay }) => {
            let text = match (momentum, nesterov) {
                (0.0, _) => "gradient descent".to_string(),
                (momentum, false) => format!("gradient descent with momentum {momentum}"),
                (momentum, true) => format!("gradient descent with Nesterov momentum {momentum}"),
            };
            (text, weight_decay)
        }
        AnyOptimizer::Adam(rule) => {
            (if rule.decoupled { "AdamW" } else { "Adam" }.to_string(), &rule.weight_decay)
        }
    };
    if *decay != 0.0 {
        text.push_str(&format!(", weight decay {decay}"));
    }
    text
}

/// A schedule as one reads it.
pub(crate) fn describe_schedule(schedule: Schedule) -> String {
    match schedule {
        Schedule::Constant => "constant".into(),
        Schedule::StepDecay { every, factor } => format!("times {factor} every {every} steps"),
        Schedule::Cosine => "falling along a cosine".into(),
        Schedule::WarmupCosine { steps } => {
            format!("up for {steps} steps, then down along a cosine")
        }
        Schedule::OneCycle => "one cycle up and down".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_choose_among_kin() {
        assert_eq!(model("mlp", None).unwrap(), "mlp");
        assert_eq!(model("framework", Some("sigmoid")).unwrap(), "framework-sigmoid");
        assert_eq!(model("framework-sigmoid", Some("relu")).unwrap(), "framework");
        assert_eq!(model("framework-sigmoid", Some("sigmoid")).unwrap(), "framework-sigmoid");
        assert!(model("mlp", Some("sigmoid")).unwrap_err().to_string().contains("framework"));
        assert!(model("mlp", Some("gelu")).unwrap_err().to_string().contains("relu or sigmoid"));
        assert!(model("nosuch", None).unwrap_err().to_string().contains("mlp-wide"));
    }

    #[test]
    fn what_is_not_typed_comes_from_the_recipe() {
        let base = <digits::Mlp as motenet_models::Model>::RECIPE;
        assert_eq!(recipe(base, &RecipeArgs::default(), 100).unwrap(), base);
        let flags = RecipeArgs { optimizer: Some(OptimizerName::Adamw), ..RecipeArgs::default() };
        let adam = recipe(base, &flags, 100).unwrap();
        assert_eq!(adam.learning_rate, 1e-3);
        let AnyOptimizer::Adam(rule) = adam.optimizer else { panic!("{adam:?}") };
        assert_eq!((rule.weight_decay, rule.decoupled), (3e-4, true));
        // Applied once more, as a resumed run does, they change nothing.
        assert_eq!(recipe(adam, &flags, 100).unwrap(), adam);
    }

    #[test]
    fn schedules_fit_the_run() {
        let flags = RecipeArgs {
            schedule: Some(ScheduleName::Step),
            epochs: Some(3),
            batch_size: Some(10),
            ..RecipeArgs::default()
        };
        let made = recipe(Recipe::PLAIN, &flags, 95).unwrap();
        assert_eq!(made.schedule, Schedule::StepDecay { every: 10, factor: 0.1 });
    }

    #[test]
    fn too_many_steps_are_refused() {
        let flags =
            RecipeArgs { epochs: Some(1_000_000), batch_size: Some(1), ..RecipeArgs::default() };
        assert!(recipe(Recipe::PLAIN, &flags, 60_000).is_err());
        let flags = RecipeArgs {
            momentum: Some(0.5),
            optimizer: Some(OptimizerName::Adam),
            ..RecipeArgs::default()
        };
        assert!(recipe(Recipe::PLAIN, &flags, 100).is_err());
    }
}
