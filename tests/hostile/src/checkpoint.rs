//! Checkpoints: what is read is what the bytes say, can be written again, and fits its network or is refused.

use crate::allocations::bounded;
use crate::check_message;
use crate::files::{file, folder};
use motenet::{Adam, AnyOptimizer, Params, Schedule, Sgd, Simd, Zero};
use motenet_data::rectangles::{Rectangles, rectangles};
use motenet_data::{Digits, made_up};
use motenet_models::digits::{self, DigitModel, Notebook};
use motenet_models::rectangles::{self, Napkin, NapkinRelu, RectangleModel};
use motenet_models::{Input, Model, Recipe, Target};
use motenet_train::{Checkpoint, Header, LayerShape, Position, Samples, Settings, Trainer};
use sha2::{Digest, Sha256};
use std::fs;
use std::ops::ControlFlow;
use std::sync::LazyLock;

/// What headers and buffers may take.
const CONSTANT: usize = 512 * 1024;

/// No more numbers than this are put behind a header here, so that a try stays quick.
const PAYLOAD_MOST: u64 = 1 << 16;

/// What is trained on.
static RECTANGLES: LazyLock<Rectangles<4>> = LazyLock::new(|| rectangles(1, 3));
static DIGITS: LazyLock<Digits> = LazyLock::new(|| made_up::splits(1, 20, 0, 0).train);

/// The first byte, modulo 3. 0: a file follows. 1: a file without its SHA-256. 2: a header without what stands around it.
pub fn check(data: &[u8]) {
    let Some((&mode, rest)) = data.split_first() else { return };
    match mode % 3 {
        0 => read(rest),
        1 => read(&with_hash(rest.to_vec())),
        _ => read(&around(rest)),
    }
}

/// Headers of some models and settings, and whole files.
pub fn seeds() -> Vec<Vec<u8>> {
    let schedules = [
        Schedule::Constant,
        Schedule::StepDecay { every: 10, factor: 0.5 },
        Schedule::WarmupCosine { steps: 3 },
        Schedule::OneCycle,
    ];
    let sgd = Sgd { momentum: 0.9, nesterov: true, weight_decay: 1e-40 };
    let mut seeds = Vec::new();
    for (k, schedule) in schedules.into_iter().enumerate() {
        let optimizer =
            if k % 2 == 0 { AnyOptimizer::Sgd(sgd) } else { AnyOptimizer::Adam(Adam::default()) };
        let recipe = Recipe { schedule, optimizer, ..Recipe::PLAIN };
        for json in [
            json::<Napkin>(recipe, k as u32 % 3),
            json::<NapkinRelu>(recipe, 1),
            json::<Notebook>(recipe, 0),
        ] {
            seeds.push([&[2], json.as_slice()].concat());
        }
        // Numbers that are read and then are none, or overflow when the run goes on.
        let text =
            String::from_utf8(json::<Notebook>(recipe, k as u32 % 2 + 1)).expect("JSON is text");
        for (from, to) in [
            ("\"learning_rate\":0.01", "\"learning_rate\":1e39"),
            ("\"right\":4", "\"right\":18446744073709551615"),
            ("\"epoch\":1", "\"epoch\":4294967294"),
            ("\"step\":0", "\"step\":4294967295"),
            ("\"batch_size\":64", "\"batch_size\":0"),
            ("\"batch_size\":64", "\"batch_size\":4294967295"),
            ("\"epochs\":10", "\"epochs\":4294967295"),
        ] {
            assert!(text.contains(from), "{from} in {text}");
            seeds.push([&[2], text.replace(from, to).as_bytes()].concat());
        }
        let whole = around(&json::<Napkin>(recipe, 2));
        seeds.push([&[0], whole.as_slice()].concat());
        seeds.push([&[1], &whole[..whole.len() - 32]].concat());
    }
    seeds
}

fn json<M: Model>(recipe: Recipe, moments: u32) -> Vec<u8> {
    let layers = LayerShape::list::<M>();
    let header = Header {
        model: M::NAME.to_owned(),
        params: layers.iter().map(|layer| layer.params).sum(),
        layers,
        moments,
        dataset: "made-up".to_owned(),
        dataset_sha256: "0f".repeat(32),
        train_len: 100,
        validation_len: 10,
        settings: Settings { recipe, seed: u64::MAX },
        position: Position { epoch: 1, step: 0, loss_sum: 0.3, right: 4 },
    };
    serde_json::to_vec(&header).expect("a header has a JSON form")
}

fn with_hash(mut bytes: Vec<u8>) -> Vec<u8> {
    let hash = Sha256::digest(&bytes);
    bytes.extend(hash);
    bytes
}

/// A file around a header of any bytes, with as many numbers as it claims.
fn around(json: &[u8]) -> Vec<u8> {
    let header = serde_json::from_slice::<Header>(json).ok();
    let numbers =
        header.and_then(|header| header.params.checked_mul(1 + u64::from(header.moments)));
    let numbers = numbers.filter(|&numbers| numbers <= PAYLOAD_MOST).unwrap_or(0);
    let mut bytes = [b"MOTENET\0\x01\0\0\0", &(json.len() as u32).to_le_bytes()[..], json].concat();
    bytes.extend((0..4 * numbers).map(|k| (k * 37) as u8));
    with_hash(bytes)
}

fn read(bytes: &[u8]) {
    let path = file("checkpoint.motenet", bytes);
    match bounded(bytes.len() + CONSTANT, || Checkpoint::read(&path)) {
        Err(error) => check_message(&error),
        Ok(checkpoint) => {
            is_what_the_bytes_say(&checkpoint, bytes);
            is_read_as_it_was_written(&checkpoint);
            goes_on::<Napkin>(&checkpoint, &*RECTANGLES);
            goes_on::<Notebook>(&checkpoint, &*DIGITS);
            let name = checkpoint.header.model.as_str();
            let fits = digits::find(name, Fits(&checkpoint));
            fits.or_else(|| rectangles::find(name, Fits(&checkpoint)));
        }
    }
}

fn is_what_the_bytes_say(checkpoint: &Checkpoint, bytes: &[u8]) {
    let (content, hash) = bytes.split_last_chunk::<32>().expect("room for a hash");
    assert_eq!(Sha256::digest(content)[..], *hash);
    let header_len = u32::from_le_bytes([content[12], content[13], content[14], content[15]]);
    let numbers: Vec<u8> = std::iter::once(&checkpoint.weights)
        .chain(&checkpoint.moments)
        .inspect(|part| assert_eq!(part.len() as u64, checkpoint.header.params))
        .flat_map(|part| part.iter().flat_map(|number| number.to_bits().to_le_bytes()))
        .collect();
    assert_eq!(content[16 + header_len as usize..], numbers);
    assert_eq!(checkpoint.moments.len() as u32, checkpoint.header.moments);
}

fn is_read_as_it_was_written(checkpoint: &Checkpoint) {
    let json = |header: &Header| serde_json::to_string(header).expect("a header has a JSON form");
    if json(&checkpoint.header).len() > 60_000 {
        return; // may be longer than it came, and than a header may be
    }
    let path = folder().join("again.motenet");
    checkpoint.write(&path).expect("what was read can be written");
    let first = fs::read(&path).expect("the file is there");
    let again = Checkpoint::read(&path).expect("what was written can be read");
    assert_eq!(json(&again.header), json(&checkpoint.header));
    is_what_the_bytes_say(checkpoint, &first);
    again.write(&path).expect("what was read can be written");
    assert_eq!(fs::read(&path).expect("the file is there"), first);
}

/// A run that is resumed trains on for a step, whatever its settings and its position are, and can be saved again.
fn goes_on<M: Model>(checkpoint: &Checkpoint, samples: &impl Samples<Input<M>, Target<M>>) {
    let Checkpoint { header, weights, moments } = checkpoint;
    let Header { settings, position, .. } = *header;
    if checkpoint.check_model::<M>().is_err() {
        return;
    }
    let trainer = Trainer::<M>::resume(settings, position, weights, moments, 1, Simd::detect());
    let Some(mut trainer) = trainer.filter(|trainer| !trainer.is_done()) else { return };
    trainer.train_epoch(samples, |_, _| ControlFlow::Break(()));
    let moments: Vec<_> = trainer.moments().map(<[f32]>::to_vec).collect();
    let weights = trainer.network().flat().to_vec();
    let header = Header { position: trainer.position(), ..header.clone() };
    is_read_as_it_was_written(&Checkpoint { header, weights, moments });
}

/// Puts the numbers of a checkpoint into the network that it names.
struct Fits<'a>(&'a Checkpoint);

impl Fits<'_> {
    fn try_on<M: Model>(self) {
        let mut network: Box<M::Network> = Zero::boxed();
        let copied = self.0.copy_weights::<M>(&mut network);
        assert_eq!(copied.is_ok(), self.0.header.layers == LayerShape::list::<M>());
        for k in 0..3 {
            let moment = self.0.copy_moment::<M>(k, &mut network);
            assert_eq!(moment.is_ok(), copied.is_ok() && k < self.0.moments.len());
            moment.unwrap_or_else(|error| check_message(&error));
        }
    }
}

impl digits::Visit for Fits<'_> {
    type Result = ();

    fn visit<M: DigitModel>(self) {
        self.try_on::<M>();
    }
}

impl rectangles::Visit for Fits<'_> {
    type Result = ();

    fn visit<M: RectangleModel<LEN>, const LEN: usize>(self) {
        self.try_on::<M>();
    }
}
