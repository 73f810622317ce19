//! Every target over its seeds, their beginnings, and copies that are changed at random: what `fuzz/` does for hours
//! under libFuzzer, in a second and the same each time. `MOTENET_COPIES` asks for more copies.

use motenet_hostile::{ALL, Target};

/// Changed copies of each target's seeds.
const COPIES: usize = 4_000;

/// Numbers that readers stumble over.
const ODD: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'0', b'\n'];

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        // xorshift64 (Marsaglia, Journal of Statistical Software 8, 2003).
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }
}

fn change(bytes: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(8) {
        0 if !bytes.is_empty() => bytes[at] = random.below(256) as u8,
        1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        2 if !bytes.is_empty() => bytes[at] = ODD[random.below(ODD.len())],
        3 if !bytes.is_empty() => bytes[0] = random.below(256) as u8,
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(at..(at + 1 + random.below(8)).min(bytes.len()))),
        6 => bytes.insert(at, ODD[random.below(ODD.len())]),
        _ => {
            let other = &others[random.below(others.len())];
            bytes.truncate(at);
            bytes.extend(&other[random.below(other.len())..]);
        }
    }
}

fn run(name: &str) {
    let Target { check, seeds, .. } = ALL.into_iter().find(|target| target.name == name).unwrap();
    let seeds = seeds();
    check(&[]);
    for seed in &seeds {
        check(seed);
        for len in (0..seed.len()).step_by(1 + seed.len() / 64) {
            check(&seed[..len]);
        }
    }
    let copies = std::env::var("MOTENET_COPIES").ok().map(|copies| copies.parse().unwrap());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..copies.unwrap_or(COPIES) {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(4) {
            change(&mut bytes, &seeds, &mut random);
        }
        check(&bytes);
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        #[test]
        fn none_is_left_out() {
            let names: Vec<_> = ALL.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

targets!(link idx checkpoint metrics store picture);
