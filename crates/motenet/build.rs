//! Says which fused multiply-add the target has, and whether nothing is optimised. A build script has to:
//! `target_feature = "vfp4d16sp"` and `"f"`, which tell a core with it from one without, are not shown to `cfg` by stable
//! Rust, and neither is the level of optimisation.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(motenet_fma, values(none(), \"armv7em\", \"riscv\"))");
    println!("cargo::rustc-check-cfg=cfg(motenet_unoptimized)");
    if std::env::var("OPT_LEVEL").is_ok_and(|level| level == "0") {
        println!("cargo::rustc-cfg=motenet_unoptimized");
    }
    let target = std::env::var("TARGET").unwrap_or_default();
    if let Some(fma) = fma(&target) {
        println!("cargo::rustc-cfg=motenet_fma");
        println!("cargo::rustc-cfg=motenet_fma=\"{fma}\"");
    }
}

fn fma(target: &str) -> Option<&'static str> {
    let architecture = target.split('-').next().unwrap_or_default();
    match architecture {
        // `hf`: floats in registers, so there are such registers; both architectures' FPU is FPv4-SP at least.
        "thumbv7em" | "thumbv8m.main" => target.ends_with("hf").then_some("armv7em"),
        // The letters after the width are the extensions; g stands for imafd.
        _ => {
            let letters = architecture.strip_prefix("riscv")?.trim_start_matches(char::is_numeric);
            letters.contains(['f', 'g']).then_some("riscv")
        }
    }
}
