//! Chooses the kernel for the target. A build script has to: what tells a Cortex-M4 from a Cortex-M3 is
//! `target_feature = "dsp"`, which stable Rust does not show to `cfg`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!(
        "cargo::rustc-check-cfg=cfg(motenet_kernel, values(\"armv6m\", \"armv7m\", \"armv7em\", \"words\", \"x86\", \"portable\"))"
    );
    let target = std::env::var("TARGET").unwrap_or_default();
    let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let kernel = match target.split('-').next().unwrap_or_default() {
        "thumbv7em" => "armv7em",
        // An ARMv8-M Mainline core may have the DSP instructions or not: take none.
        "thumbv7m" | "thumbv8m.main" => "armv7m",
        "thumbv6m" | "thumbv8m.base" => "armv6m",
        // No vectors, and loads that must be aligned.
        architecture if architecture.starts_with("riscv32") => "words",
        // Every PC; a kernel of an operating system is built without vector registers.
        "x86_64" if features.split(',').any(|feature| feature == "sse2") => "x86",
        _ => "portable",
    };
    println!("cargo::rustc-cfg=motenet_kernel=\"{kernel}\"");
}
