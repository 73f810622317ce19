//! Threads and vector instructions change how long a run takes, and no bit of what comes out.

use crate::{SHORT, fails, folder, trained};

fn hash(flags: &[&str]) -> String {
    let folder = folder();
    let args = [&SHORT[..], &["--no-save"], flags].concat();
    trained(folder.path(), &args)["weights_sha256"].as_str().unwrap().into()
}

#[test]
fn any_number_of_threads() {
    let one = hash(&["--threads", "1"]);
    for threads in ["2", "3", "8"] {
        assert_eq!(hash(&["--threads", threads]), one, "{threads} threads");
    }
    // The test can fail: other settings are other bits.
    assert_ne!(hash(&["--seed", "2"]), one);
}

#[test]
fn any_vector_instructions() {
    let auto = hash(&["--simd", "auto"]);
    let available: Vec<_> = motenet::Simd::available().map(motenet::Simd::name).collect();
    for name in ["baseline", "avx2", "avx512", "neon"] {
        if available.contains(&name) {
            assert_eq!(hash(&["--simd", name]), auto, "{name}");
        } else {
            let folder = folder();
            assert!(fails(folder.path(), &["--simd", name]).contains("baseline"));
        }
    }
}

#[test]
fn optimizers_and_clipping_too() {
    let flags = ["--optimizer", "adamw", "--clip-norm", "0.5", "--schedule", "warmup-cosine"];
    let one = hash(&flags);
    assert_eq!(hash(&[&flags[..], &["--threads", "3"]].concat()), one);
}
