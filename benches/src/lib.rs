//! Benchmarks of motenet: `cargo bench` runs what lies in `benches/`.
//!
//! Times are of this machine at this moment; compare figures of one run only.
