//! What the tests of `xtask` share: a trained run, and what to do where a simulator is missing.
#![allow(dead_code, reason = "each test uses a part")]

use motenet::{Params, Simd};
use motenet_data::{Digits, Splits};
use motenet_models::Recipe;
use motenet_models::digits::DigitModel;
use motenet_train::{Checkpoint, Header, LayerShape, RunDir, Settings, Trainer};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Output;

/// The folder of a run, trained from seed 1 as `host train` does it.
pub(crate) fn train<M: DigitModel>(out: &Path, splits: Splits, recipe: Recipe) -> PathBuf {
    let settings = Settings { recipe, seed: 1 };
    let mut trainer = Trainer::<M>::new(settings, 1, Simd::detect());
    while !trainer.is_done() {
        trainer.train_epoch(&splits.train as &Digits, |_, _| ControlFlow::Continue(()));
    }
    let run = RunDir::create(out, M::NAME).unwrap();
    let moments: Vec<_> = trainer.moments().collect();
    let header = Header {
        model: M::NAME.into(),
        layers: LayerShape::list::<M>(),
        params: M::Network::COUNT as u64,
        moments: moments.len() as u32,
        dataset: splits.name,
        dataset_sha256: splits.sha256,
        train_len: splits.train.len() as u64,
        validation_len: splits.validation.len() as u64,
        settings,
        position: trainer.position(),
    };
    Checkpoint::write_from(&run.checkpoint_path(), &header, trainer.network().flat(), &moments)
        .unwrap();
    run.path().to_path_buf()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether tests that find no simulator, or no compiler for a chip, are to fail.
pub(crate) fn simulators_required() -> bool {
    std::env::var_os("MOTENET_REQUIRE_SIM").is_some_and(|value| value == "1")
}

/// Whether something is missing that this machine need not have.
pub(crate) fn skipped(output: &Output) -> bool {
    let said = stderr(output);
    let missing = said.contains("error: found no `qemu") || said.contains("error: no `core` for");
    if missing {
        assert!(!simulators_required(), "{said}");
        println!("skipped: {}", said.lines().last().unwrap_or_default());
    }
    missing
}
