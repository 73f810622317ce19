//! Same seed, same bits: the job has one hash, whatever the instruction set, however the batch is split
//! and however the gradient is cut among threads.

use motenet::{Acts, Dropout, Layer, Params, Pass, Simd, Zero};
use motenet_tests::job::{self, BATCH, HASH, Net, Plan, Workspace, job};

fn hex(hash: [u8; 32]) -> String {
    hash.map(|byte| format!("{byte:02x}")).concat()
}

fn run<const N: usize>(plan: Plan<'_>) -> String {
    let mut space = Workspace::<N>::ZERO;
    hex(job::run(plan, &mut space))
}

fn plan(simd: Simd) -> Plan<'static> {
    Plan { simd, seed: 1, pieces: &[BATCH], cuts: &[] }
}

#[test]
fn every_instruction_set_gives_the_pinned_hash() {
    for simd in Simd::available() {
        println!("{:8} {}", simd.name(), hex(job(simd)));
    }
    for simd in Simd::available() {
        assert_eq!(hex(job(simd)), HASH, "{}", simd.name());
    }
}

#[test]
fn a_batch_is_its_samples_one_by_one() {
    for simd in Simd::available() {
        assert_eq!(run::<1>(Plan { pieces: &[1], ..plan(simd) }), HASH, "{}", simd.name());
    }
}

#[test]
fn a_batch_is_its_pieces() {
    for simd in Simd::available() {
        for pieces in [&[1, 7, 56][..], &[56, 7, 1], &[7], &[17, 3], &[63, 1], &[5, 6, 5]] {
            let hash = run::<64>(Plan { pieces, ..plan(simd) });
            assert_eq!(hash, HASH, "{} in {pieces:?}", simd.name());
        }
        // A workspace that is filled several times over.
        assert_eq!(run::<9>(Plan { pieces: &[9], ..plan(simd) }), HASH);
    }
}

#[test]
fn the_gradient_is_its_shards() {
    let every_7th: Vec<usize> = (0..Net::COUNT).step_by(7).collect();
    let every_100th: Vec<usize> = (50..Net::COUNT).step_by(100).collect();
    for simd in Simd::available() {
        for cuts in [
            &[1][..],
            &[Net::COUNT - 1],
            &[15 * 19],
            &[15 * 19 + 1, 15 * 19 + 1],
            &every_7th,
            &every_100th,
        ] {
            assert_eq!(
                run::<64>(Plan { cuts, ..plan(simd) }),
                HASH,
                "{} cut at {cuts:?}",
                simd.name()
            );
        }
    }
}

#[test]
fn all_at_once() {
    let cuts = [3, 333, 334, 900];
    let hash = run::<9>(Plan { pieces: &[9, 2], cuts: &cuts, ..plan(Simd::detect()) });
    assert_eq!(hash, HASH);
}

/// That the hash can differ at all.
#[test]
fn another_seed_is_another_hash() {
    assert_ne!(run::<64>(Plan { seed: 2, ..plan(Simd::baseline()) }), HASH);
}

/// A batch that is cut short (a piece of none ends it) is another run.
#[test]
fn fewer_samples_are_another_hash() {
    assert_ne!(run::<64>(Plan { pieces: &[63, 0], ..plan(Simd::baseline()) }), HASH);
}

#[test]
fn inference_drops_nothing() {
    type Layer17 = Dropout<17, 30>;
    let x: [[f32; 17]; 3] = [0, 1, 2].map(|n| core::array::from_fn(|k| (n * 17 + k) as f32 - 20.0));
    let mut y = [[9.0; 17]; 3];
    for simd in Simd::available() {
        Layer17::ZERO.forward(Pass::infer(simd), &x, &mut y);
        assert_eq!(*y.output(), x);
    }
}
