//! `cargo xtask hashes`: a few of its machines.
//!
//! Where QEMU or a compiler for the chips is missing this says so and passes, unless `MOTENET_REQUIRE_SIM` is 1.

mod support;

use motenet_tests::hashes::Run;
use serde_json::Value;
use std::process::{Command, Output};

fn hashes(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).arg("hashes").args(arguments).output().unwrap()
}

#[test]
fn a_chip_with_an_fpu_and_one_of_another_kind_and_this_machine_agree() {
    let machines =
        ["--only", "mps2-an386", "--only", "riscv-virt, FPU", "--only", "release", "--json"];
    let output = hashes(&machines);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let answer: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    let answer = answer.as_object().unwrap();
    assert!(answer.keys().any(|name| name.ends_with("release, baseline")), "{answer:?}");
    for (name, hash) in answer {
        assert_eq!(hash, Run::Small.expected(), "{name}");
    }
    let skipped = said.lines().filter(|line| line.contains("skipped: ")).count();
    if skipped > 0 {
        assert!(!support::simulators_required(), "{said}");
        println!("skipped: {said}");
        return;
    }
    for (machine, fma) in [("mps2-an386, Cortex-M4F", "vfma.f32"), ("riscv-virt, FPU", "fmadd.s")] {
        assert!(answer.contains_key(machine), "{answer:?}");
        let row = said.lines().find(|line| line.starts_with(machine)).unwrap();
        assert!(row.contains(fma) && row.ends_with("same"), "{row}");
    }
}

#[test]
fn a_machine_that_is_none_is_refused_on_one_line() {
    let output = hashes(&["--only", "abacus"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.starts_with("error: found no machine `abacus`, expected") && said.lines().count() == 1,
        "{said}"
    );
}
