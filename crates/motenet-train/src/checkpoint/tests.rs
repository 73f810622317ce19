//! Every way in which a file or a disk can be bad, tried on a small checkpoint.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use motenet::{AnyOptimizer, Params, Sgd, Zero};
use motenet_models::Recipe;
use motenet_models::digits::{Framework, FrameworkSigmoid, Mlp, MlpWide};
use motenet_models::rectangles::{Napkin, NapkinBias, NapkinHidden, NapkinRelu};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A checkpoint of `M` in the middle of an epoch, with numbers that are hard on a text format.
fn sample<M: Model>(moments: u32) -> Checkpoint {
    let recipe = Recipe {
        learning_rate: 0.1 + f32::EPSILON,
        optimizer: AnyOptimizer::Sgd(Sgd { momentum: 0.9, nesterov: true, weight_decay: 1e-40 }),
        ..M::RECIPE
    };
    let count = M::Network::COUNT;
    let values = |salt: u32| -> Vec<f32> {
        let bits = (0..count as u32).map(|k| (k + salt).wrapping_mul(0x9e37_79b9));
        bits.map(f32::from_bits).map(|x| if x.is_nan() { 1.0 } else { x }).collect()
    };
    Checkpoint {
        header: Header {
            model: M::NAME.to_owned(),
            layers: LayerShape::list::<M>(),
            params: count as u64,
            moments,
            dataset: "made-up \"digits\"\n✓".to_owned(),
            dataset_sha256: "0".repeat(64),
            train_len: 55_000,
            validation_len: 5_000,
            settings: Settings { recipe, seed: u64::MAX },
            position: Position { epoch: 3, step: 7, loss_sum: 0.1 + 0.2, right: 54_999 },
        },
        weights: values(1),
        moments: (0..moments).map(|k| values(100 + k)).collect(),
    }
}

fn bytes_of(checkpoint: &Checkpoint) -> Vec<u8> {
    let moments: Vec<&[f32]> = checkpoint.moments.iter().map(Vec::as_slice).collect();
    let prefix = prefix(&checkpoint.header, &checkpoint.weights, &moments).unwrap();
    let mut bytes = Vec::new();
    write_to(&mut bytes, &prefix, &checkpoint.weights, &moments).unwrap();
    bytes
}

fn parse(bytes: &[u8]) -> Result<Checkpoint, Error> {
    read_from(Path::new("file"), bytes, bytes.len() as u64)
}

/// A file around a header of any bytes, with a right checksum.
fn around(json: &[u8], payload: usize) -> Vec<u8> {
    let len = (json.len() as u32).to_le_bytes();
    let mut bytes = [&MAGIC[..], &VERSION.to_le_bytes(), &len, json, &vec![0; payload]].concat();
    let hash = Sha256::digest(&bytes);
    bytes.extend(hash);
    bytes
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.motenet");
    (folder, path)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_is_written_is_read() {
    let (folder, path) = folder();
    for moments in 0..=2 {
        for checkpoint in [sample::<Napkin>(moments), sample::<NapkinRelu>(moments)] {
            checkpoint.write(&path).unwrap();
            assert_eq!(Checkpoint::read(&path).unwrap(), checkpoint);
        }
    }
    // Larger than any buffer, and not a multiple of one.
    let checkpoint = sample::<Mlp>(1);
    checkpoint.write(&path).unwrap();
    let read = Checkpoint::read(&path).unwrap();
    assert_eq!(read, checkpoint);
    assert_eq!(read.weights.capacity(), 50_890);
    assert_eq!(names(folder.path()), ["checkpoint.motenet"]);
}

#[test]
fn the_layout_is_the_one_in_the_table() {
    let checkpoint = sample::<NapkinBias>(1);
    let bytes = bytes_of(&checkpoint);
    let json = serde_json::to_vec(&checkpoint.header).unwrap();
    assert_eq!(bytes[..12], *b"MOTENET\0\x01\0\0\0");
    assert_eq!(bytes[12..16], (json.len() as u32).to_le_bytes());
    assert_eq!(bytes[16..16 + json.len()], json);
    let payload = &bytes[16 + json.len()..bytes.len() - 32];
    assert_eq!(payload.len(), 4 * (5 + 5));
    assert_eq!(payload[4..8], checkpoint.weights[1].to_le_bytes());
    assert_eq!(payload[20..24], checkpoint.moments[0][0].to_le_bytes());
    assert_eq!(bytes[bytes.len() - 32..], *Sha256::digest(&bytes[..bytes.len() - 32]));
}

#[test]
fn a_run_that_diverged_is_kept_to_the_bit() {
    let mut checkpoint = sample::<Napkin>(0);
    for bits in [0x7fc0_0000, 0xffc1_2345, 0x7f80_0001, 0xff80_0000, 0x8000_0000, 1] {
        let loss = f64::from(f32::from_bits(bits)).to_bits() | 9; // as odd as the weight
        checkpoint.weights[2] = f32::from_bits(bits);
        checkpoint.header.position.loss_sum = f64::from_bits(loss);
        let read = parse(&bytes_of(&checkpoint)).unwrap();
        assert_eq!(read.weights[2].to_bits(), bits);
        assert_eq!(read.header.position.loss_sum.to_bits(), loss);
    }
}

#[test]
fn the_hash_of_weights_is_that_of_their_bytes() {
    // FIPS 180: SHA-256 of "abcd" and of nothing.
    let abcd = "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589";
    assert_eq!(weights_sha256(&[f32::from_le_bytes(*b"abcd")]), abcd);
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(weights_sha256(&[]), nothing);
    let long: Vec<f32> = (0..10_007).map(|k| k as f32).collect();
    let bytes: Vec<u8> = long.iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(weights_sha256(&long), hex(&Sha256::digest(&bytes)));
    assert_ne!(weights_sha256(&[0.0]), weights_sha256(&[-0.0]));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let good = bytes_of(&sample::<Napkin>(1));
    let header_end = 16 + u32::from_le_bytes(good[12..16].try_into().unwrap()) as usize;
    for bit in 0..8 * good.len() {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let error = parse(&bytes).unwrap_err();
        assert!(!error.to_string().contains('\n'), "{error}");
        let fits = match bit / 8 {
            0..8 => matches!(error, Error::NotACheckpoint { .. }),
            8..12 => matches!(error, Error::Version { .. }),
            12..16 => matches!(error, Error::Truncated { .. } | Error::Header { .. }),
            at if at < header_end => matches!(
                error,
                Error::Header { .. }
                    | Error::Checksum { .. }
                    | Error::Truncated { .. }
                    | Error::Trailing { .. }
            ),
            _ => matches!(error, Error::Checksum { .. }),
        };
        assert!(fits, "bit {bit}: {error}");
    }
}

#[test]
fn every_length_but_the_right_one_is_noticed() {
    let good = bytes_of(&sample::<Napkin>(2));
    for len in 0..good.len() {
        match parse(&good[..len]).unwrap_err() {
            Error::NotACheckpoint { .. } if len == 0 => {}
            Error::Truncated { found, expected, .. } => {
                assert!(found == len as u64 && expected > found && expected <= good.len() as u64);
            }
            error => panic!("{len}: {error}"),
        }
    }
    for more in [1, 4, 32, 100_000] {
        let bytes = [&good[..], &vec![0; more]].concat();
        let (found, expected) = (bytes.len() as u64, good.len() as u64);
        let error = parse(&bytes).unwrap_err();
        assert!(
            matches!(error, Error::Trailing { found: f, expected: e, .. } if (f, e) == (found, expected)),
            "{error}"
        );
    }
    // A file that shrinks while it is read.
    let error = read_from(Path::new("file"), &good[..good.len() - 7], good.len() as u64);
    assert!(matches!(error, Err(Error::Io { .. })), "{error:?}");
}

#[test]
fn absurd_headers_are_refused() {
    let checkpoint = sample::<Napkin>(0);
    let json = serde_json::to_string(&checkpoint.header).unwrap();
    assert!(parse(&around(json.as_bytes(), 16)).is_ok());
    for (from, to) in [
        ("\"params\":4,\"moments\":0", "\"params\":4,\"moments\":3"),
        ("\"params\":4,\"moments\":0", "\"params\":4,\"moments\":4294967295"),
        ("\"params\":4,\"moments\":0", "\"params\":5,\"moments\":0"),
        ("\"params\":4,\"moments\":0", "\"params\":-4,\"moments\":0"),
        ("\"params\":4,\"moments\":0", "\"params\":4.0,\"moments\":0"),
        ("\"params\":4,\"moments\":0", "\"params\":1e999,\"moments\":0"),
        ("\"moments\":0", "\"moments\":0,\"moments\":0"),
        ("\"moments\":0", "\"momenta\":0"),
        ("\"seed\":18446744073709551615", "\"seed\":18446744073709551616"),
        ("\"step\":7", "\"step\":null"),
        // More than there are; more than can be; a rate that overflows.
        ("\"right\":54999", "\"right\":55001"),
        ("\"right\":54999", "\"right\":18446744073709551615"),
        ("\"train_len\":55000", "\"train_len\":4294967296"),
        ("\"learning_rate\":0.10000012", "\"learning_rate\":1e39"),
    ] {
        let changed = json.replace(from, to);
        assert_ne!(changed, json, "{from}");
        let error = parse(&around(changed.as_bytes(), 16)).unwrap_err();
        assert!(matches!(error, Error::Header { .. }), "{to}: {error}");
    }
    // Numbers that agree with each other, and overflow once they are multiplied.
    for params in [1 << 62, u64::MAX, u64::MAX / 4, 1 << 40] {
        let changed = json.replace("\"params\":4", &format!("\"params\":{params}"));
        let error = parse(&around(changed.as_bytes(), 16)).unwrap_err();
        assert!(matches!(error, Error::Truncated { .. }), "{params}: {error}");
    }
    for hostile in ["[".repeat(60_000), "{\"a\":".repeat(12_000), "\"\n".repeat(99), String::new()]
    {
        let error = parse(&around(hostile.as_bytes(), 16)).unwrap_err();
        assert!(matches!(error, Error::Header { .. }), "{error}");
    }
    let long = " ".repeat(HEADER_LEN_MAX + 1);
    let error = parse(&around(long.as_bytes(), 16)).unwrap_err();
    assert!(matches!(error, Error::Header { .. }), "{error}");
}

#[test]
fn another_version_is_named() {
    let mut bytes = bytes_of(&sample::<Napkin>(0));
    bytes[8] = 2;
    let text = parse(&bytes).unwrap_err().to_string();
    let expected = "file: a checkpoint of format version 2, expected version 1: \
                    read it with the motenet that wrote it";
    assert_eq!(text, expected);
}

#[test]
fn another_model_is_refused() {
    let checkpoint = sample::<Mlp>(1);
    checkpoint.check_model::<Mlp>().unwrap();
    let error = checkpoint.check_model::<MlpWide>().unwrap_err();
    assert!(matches!(error, Error::WrongModel { .. }), "{error}");
    // The same shapes under another name, and the same name with other layers.
    assert!(checkpoint.check_model::<Framework>().is_err());
    let mut changed = sample::<FrameworkSigmoid>(0);
    changed.header.model = Framework::NAME.to_owned();
    let text = changed.check_model::<Framework>().unwrap_err().to_string();
    assert!(
        text.contains("layer 2 is Sigmoid 64-64 (0 parameters), expected Relu 64-64"),
        "{text}"
    );
    let mut shorter = checkpoint.clone();
    shorter.header.layers.pop();
    let text = shorter.check_model::<Mlp>().unwrap_err().to_string();
    assert!(text.contains("layer 3 is missing, expected Dense 64-10"), "{text}");
}

#[test]
fn weights_and_moments_reach_the_network() {
    type Network = <NapkinHidden as Model>::Network;
    let checkpoint = sample::<NapkinHidden>(1);
    let mut network = Network::ZERO;
    checkpoint.copy_weights::<NapkinHidden>(&mut network).unwrap();
    assert_eq!(network.flat(), checkpoint.weights);
    checkpoint.copy_moment::<NapkinHidden>(0, &mut network).unwrap();
    assert_eq!(network.flat(), checkpoint.moments[0]);
    let error = checkpoint.copy_moment::<NapkinHidden>(1, &mut network).unwrap_err();
    assert!(matches!(error, Error::NoMoment { found: 1, expected: 2 }), "{error}");
    let mut short = checkpoint;
    short.weights.pop();
    assert!(short.copy_weights::<NapkinHidden>(&mut network).is_err());
    assert!(sample::<Napkin>(0).copy_weights::<NapkinHidden>(&mut network).is_err());
    assert_eq!(network.flat(), short.moments[0]);
}

#[test]
fn parts_that_do_not_fit_are_not_written() {
    let (folder, path) = folder();
    let good = sample::<Napkin>(1);
    let mut bad = vec![good.clone(); 6];
    bad[0].weights.push(0.0);
    bad[1].moments.clear();
    bad[2].moments[0].pop();
    bad[3].header.layers.clear();
    bad[4].header.settings.recipe.learning_rate = f32::NAN;
    bad[5].header.dataset = "x".repeat(HEADER_LEN_MAX);
    for (k, bad) in bad.iter().enumerate() {
        let error = bad.write(&path).unwrap_err();
        assert!(matches!(error, Error::Parts { .. }), "{k}: {error}");
    }
    assert!(names(folder.path()).is_empty());
}

#[test]
fn what_is_not_a_file_is_named() {
    let (folder, path) = folder();
    assert!(matches!(Checkpoint::read(&path).unwrap_err(), Error::Missing { .. }));
    assert!(matches!(Checkpoint::read(folder.path()).unwrap_err(), Error::NotAFile { .. }));
    fs::write(&path, "").unwrap();
    assert!(matches!(Checkpoint::read(&path).unwrap_err(), Error::NotACheckpoint { .. }));
    fs::write(&path, "\u{1b}[31mMOTE\n").unwrap();
    let text = Checkpoint::read(&path).unwrap_err().to_string();
    assert!(!text.contains(char::is_control), "{text}");

    let checkpoint = sample::<Napkin>(0);
    let nowhere = folder.path().join("nowhere").join("checkpoint.motenet");
    let error = checkpoint.write(&nowhere).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
    // A folder in the way, and a file where the folder should be.
    let occupied = folder.path().join("occupied");
    fs::create_dir(&occupied).unwrap();
    assert!(matches!(checkpoint.write(&occupied).unwrap_err(), Error::Io { .. }));
    assert!(matches!(checkpoint.write(&path.join("x")).unwrap_err(), Error::Io { .. }));
    assert_eq!(names(folder.path()).len(), 2);
}

/// Takes `left` bytes, then is full.
struct Full<'a> {
    file: &'a mut File,
    left: usize,
}

impl Write for Full<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = bytes.len().min(self.left);
        if len == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.left -= len;
        self.file.write(&bytes[..len])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_that_fills_up_at_any_byte_leaves_the_old_file() {
    let (folder, path) = folder();
    let old = sample::<Napkin>(0);
    old.write(&path).unwrap();
    let new = sample::<NapkinRelu>(1);
    let moments = [&new.moments[0][..]];
    let prefix = prefix(&new.header, &new.weights, &moments).unwrap();
    let len = bytes_of(&new).len();
    for left in 0..len {
        let write =
            |file: &mut File| write_to(Full { file, left }, &prefix, &new.weights, &moments);
        let error = replace(&path, write).unwrap_err();
        let text = error.to_string();
        assert!(text.ends_with("writing failed (no storage space): free some space"), "{text}");
        assert_eq!(names(folder.path()), ["checkpoint.motenet"]);
    }
    assert_eq!(Checkpoint::read(&path).unwrap(), old);
    replace(&path, |file| write_to(Full { file, left: len }, &prefix, &new.weights, &moments))
        .unwrap();
    assert_eq!(Checkpoint::read(&path).unwrap(), new);
}

#[test]
#[cfg(target_os = "linux")]
fn a_device_that_is_full_is_an_error() {
    let new = sample::<Napkin>(0);
    let prefix = prefix(&new.header, &new.weights, &[]).unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let error = write_to(full, &prefix, &new.weights, &[]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

#[test]
#[cfg(unix)]
fn a_folder_without_permission_leaves_the_old_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder();
    let old = sample::<Napkin>(0);
    old.write(&path).unwrap();
    let mode = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o500);
    let allowed = fs::write(folder.path().join("probe"), "").is_ok();
    let result = sample::<NapkinRelu>(0).write(&path);
    mode(0o700);
    if allowed {
        eprintln!("not tested: this user, root perhaps, may write everywhere");
        return;
    }
    let text = result.unwrap_err().to_string();
    assert!(text.ends_with("give yourself the right to do so"), "{text}");
    assert_eq!(Checkpoint::read(&path).unwrap(), old);
}

#[test]
#[cfg(unix)]
fn a_checkpoint_is_as_readable_as_any_other_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder();
    sample::<Napkin>(0).write(&path).unwrap();
    let other = folder.path().join("other");
    fs::write(&other, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&other));
}

proptest! {
    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(parse(&bytes).is_err());
        let framed = [&b"MOTENET\0\x01\0\0\0\x10\0\0\0"[..], &bytes].concat();
        prop_assert!(parse(&framed).is_err());
        prop_assert!(parse(&around(&bytes, 16)).is_err());
    }

    #[test]
    fn damage_is_noticed(at in any::<prop::sample::Index>(), change in 1_u8.., cut in 0..50_usize) {
        let mut bytes = bytes_of(&sample::<NapkinRelu>(1));
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        bytes.truncate(bytes.len() - cut);
        prop_assert!(parse(&bytes).is_err());
    }

    #[test]
    fn any_bits_survive(weights in prop::array::uniform4(any::<u32>()), loss in any::<u64>(), rate in any::<f32>()) {
        let mut checkpoint = sample::<Napkin>(0);
        checkpoint.weights = weights.map(f32::from_bits).to_vec();
        checkpoint.header.position.loss_sum = f64::from_bits(loss);
        checkpoint.header.settings.recipe.learning_rate = rate;
        if rate.is_finite() {
            let read = parse(&bytes_of(&checkpoint)).unwrap();
            prop_assert_eq!(read.weights.iter().map(|w| w.to_bits()).collect::<Vec<_>>(), weights);
            prop_assert_eq!(read.header.position.loss_sum.to_bits(), loss);
            prop_assert_eq!(read.header.settings.recipe.learning_rate.to_bits(), rate.to_bits());
        }
    }
}
