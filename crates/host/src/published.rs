//! Whether a run ended with the weights that were published for its settings.

use motenet_models::{Model, Published};
use motenet_train::Settings;

/// How weights compare with the published ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// They are the same to the last bit.
    Same,
    /// They are not.
    Other {
        /// The published hash.
        expected: &'static str,
    },
}

/// Compares a run's weights, by their hash; `None` where nothing was published for its settings.
pub(crate) fn compare<M: Model>(
    dataset_sha256: &str,
    settings: &Settings,
    weights_sha256: &str,
) -> Option<Comparison> {
    let published = Published::of::<M>(dataset_sha256, &settings.recipe, settings.seed)?;
    let expected = published.weights_sha256;
    Some(if weights_sha256 == expected { Comparison::Same } else { Comparison::Other { expected } })
}

impl Comparison {
    /// What `--json` says.
    pub(crate) fn matches(self) -> bool {
        self == Comparison::Same
    }

    /// What people are told, beside the hash that was found.
    pub(crate) fn text(self) -> String {
        match self {
            Comparison::Same => {
                "the published hash of this run: every bit is as it should be".into()
            }
            Comparison::Other { expected } => format!(
                "NOT THE PUBLISHED HASH of this run, which is {expected}: this build or this machine \
                 computes otherwise, or the run began on a GPU or before a change of the arithmetic; \
                 `cargo xtask hashes` narrows it down"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use motenet_models::Recipe;
    use motenet_models::digits::{Mlp, MlpWide};

    const MNIST: Published = Mlp::PUBLISHED[0];
    const SETTINGS: Settings = Settings { recipe: Mlp::RECIPE, seed: 1 };

    #[test]
    fn the_same_and_other_weights() {
        for Published { dataset_sha256, weights_sha256, seed } in Mlp::PUBLISHED {
            assert_eq!(*seed, crate::train::SEED);
            let same = compare::<Mlp>(dataset_sha256, &SETTINGS, weights_sha256).unwrap();
            assert!(same.matches() && same.text().contains("the published hash"));
            let found = weights_sha256.replace('b', "c");
            let other = compare::<Mlp>(dataset_sha256, &SETTINGS, &found).unwrap();
            assert!(!other.matches());
            let text = other.text();
            assert!(text.starts_with("NOT") && text.contains(weights_sha256), "{text}");
            assert!(!text.contains('\n') && !text.contains("  "), "{text}");
        }
        // Right for the other dataset is wrong for this one.
        let made_up = Mlp::PUBLISHED[1].weights_sha256;
        assert!(!compare::<Mlp>(MNIST.dataset_sha256, &SETTINGS, made_up).unwrap().matches());
    }

    #[test]
    fn it_is_published() {
        let hash = MNIST.weights_sha256;
        assert!(include_str!("../../../README.md").contains(hash));
        let [mnist, made_up] = Mlp::PUBLISHED else { panic!("two datasets, two hashes") };
        let results = include_str!("../../../docs/results.md");
        assert!([mnist, made_up].iter().all(|run| results.contains(run.weights_sha256)));
    }

    #[test]
    fn nothing_is_said_of_other_runs() {
        let recipe = Mlp::RECIPE;
        let silent = |dataset: &str, settings: Settings| {
            assert_eq!(compare::<Mlp>(dataset, &settings, MNIST.weights_sha256), None);
        };
        silent("", SETTINGS);
        silent(&MNIST.dataset_sha256.replace('6', "7"), SETTINGS);
        silent(MNIST.dataset_sha256, Settings { seed: 2, ..SETTINGS });
        for recipe in [
            Recipe { epochs: 14, ..recipe },
            Recipe { batch_size: 63, ..recipe },
            Recipe { learning_rate: 0.25, ..recipe },
            Recipe { clip_norm: 1.0, ..recipe },
            Recipe { optimizer: Recipe::PLAIN.optimizer, ..recipe },
        ] {
            silent(MNIST.dataset_sha256, Settings { recipe, seed: 1 });
        }
        // The same recipe, another model.
        let wide = compare::<MlpWide>(MNIST.dataset_sha256, &SETTINGS, MNIST.weights_sha256);
        assert_eq!((MlpWide::RECIPE, wide), (recipe, None));
    }
}
