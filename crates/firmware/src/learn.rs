//! The loop that learns: weights and gradient in RAM, one sample at a time, the code that trains on a PC.
//!
//! What learns is a [`DigitNetwork`](motenet_learn::DigitNetwork), or, with the feature `adapt`, the last layer of the
//! model: the layers before it stay as they are, integers in flash, and what they make of an input is what it learns
//! from.

use crate::app::write;
use crate::boards::{Board, Flash, KEPT, flash};
use crate::stack::Stack;
use motenet::{Simd, Tensor, argmax};
use motenet_learn::{Learner, TrainFootprint, identity};
use motenet_link::{
    Aligned, Cost, Decoder, Fault, FaultCode, LearnInfo, LearnReply, LearnRequest, Opinion,
    PROTOCOL, Parameters,
};
use motenet_quant::Budget;
use motenet_store::{Error, Store};
use task::{Features, INPUTS, Learns, MODEL_HASH, TASK, features};

/// The stack of the whole program at most, by boards.toml; `cargo xtask sim train` holds it against what is used.
const STACK_BYTES: usize = include!(concat!(env!("OUT_DIR"), "/stack.rs"));

const PARAMETERS: usize = Learns::WEIGHTS_BYTES / 4;
const OUTPUTS: usize = <<Learns as motenet::Layer>::Output as Tensor>::LEN;

/// Bytes of the buffer that a request comes in.
const BUFFER: usize = Decoder::<()>::buffer_bytes(LearnRequest::payload_max(INPUTS));

// What does not fit the board, or exceeds the bound that the library states, does not build.
const _: () = {
    let budget: Budget = include!(concat!(env!("OUT_DIR"), "/budget.rs"));
    Learns::TRAINS_IN.of(budget.ram);
    let program = size_of::<Room>() + STACK_BYTES;
    Budget::assert_bytes("RAM to be trained, all included", program, Learns::PROGRAM_RAM_MAX);
    if KEPT.area > 0 {
        let save = Learns::WEIGHTS_BYTES + motenet_store::RECORD;
        Budget::assert_bytes("flash for a save", save, KEPT.area as usize);
    }
};

/// All that learning keeps in RAM besides the stack.
pub struct Room {
    learner: Learner<Learns>,
    features: Features,
    decoder: Decoder<Aligned<[u8; BUFFER]>>,
}

impl Room {
    /// Zeros throughout; for a `static`.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Room {
            learner: Learner::new(),
            features: <Features as motenet::Zero>::ZERO,
            decoder: Decoder::new(Aligned([0; BUFFER])),
        }
    }
}

/// Answers every frame that arrives, for ever.
pub fn serve<B: Board>(mut board: B, mut stack: Stack, room: &'static mut Room) -> ! {
    let Room { learner, features, decoder } = room;
    let mut store = open();
    // What was learned before the power went, if anything was.
    let _ = load(&mut store, learner);
    let mut received = [0; 32];
    loop {
        let len = board.read(&mut received).unwrap_or(0);
        for &byte in received.get(..len).unwrap_or_default() {
            let Some(frame) = decoder.push(byte) else { continue };
            let request = frame.and_then(LearnRequest::decode);
            let restart = request == Ok(LearnRequest::Restart);
            let reply = request.and_then(|request| {
                answer(&mut board, &mut stack, request, learner, features, &mut store)
            });
            let reply = reply.unwrap_or_else(LearnReply::Fault);
            // A line that takes no bytes is not ours to mend; the host will ask again.
            let _ = reply.encode(|bytes| write(&mut board, bytes));
            let _ = board.flush();
            if restart {
                B::restart();
            }
        }
    }
}

fn answer<'a, B: Board>(
    board: &mut B,
    stack: &mut Stack,
    request: LearnRequest<'_>,
    learner: &'a mut Learner<Learns>,
    features: &mut Features,
    store: &mut Kept,
) -> Result<LearnReply<'a>, Fault> {
    Ok(match request {
        LearnRequest::Info => LearnReply::Info(info::<B>(stack)),
        LearnRequest::Init { seed } => {
            init(learner, seed);
            LearnReply::Done
        }
        LearnRequest::Learn { share, label, input } => {
            let (input, label) = sample(input, label)?;
            let cost = measure(board, stack, || learn(learner, features, input, label, share));
            LearnReply::Opinion(opinion(learner, cost))
        }
        LearnRequest::Evaluate { label, input } => {
            let (input, label) = sample(input, label)?;
            let cost = measure(board, stack, || evaluate(learner, features, input, label));
            LearnReply::Opinion(opinion(learner, cost))
        }
        LearnRequest::Step { learning_rate, weight_decay } => {
            let cost = measure(board, stack, || step(learner, learning_rate, weight_decay));
            LearnReply::Stepped { number: learner.steps(), cost }
        }
        LearnRequest::Read { first, count } => {
            let weights = learner.weights().get(first as usize..).unwrap_or_default();
            let weights = weights.get(..count as usize).unwrap_or(weights);
            LearnReply::Parameters(Parameters::new(first, weights))
        }
        LearnRequest::Write(parameters) => {
            let rest = learner.weights_mut().get_mut(parameters.first as usize..);
            let Some(places) = rest.and_then(|rest| rest.get_mut(..parameters.len())) else {
                let end = parameters.first.saturating_add(parameters.len() as u32);
                return Err(Fault {
                    code: FaultCode::Length,
                    found: end,
                    expected: PARAMETERS as u32,
                });
            };
            places.iter_mut().zip(parameters.iter()).for_each(|(place, weight)| *place = weight);
            learner.restart(0);
            LearnReply::Done
        }
        LearnRequest::Hash => LearnReply::Hash { steps: learner.steps(), sha256: learner.sha256() },
        LearnRequest::Save => {
            save(store, learner)?;
            LearnReply::Done
        }
        LearnRequest::Load => {
            load(store, learner)?;
            LearnReply::Done
        }
        LearnRequest::Restart => LearnReply::Done,
    })
}

/// What was learned, in flash, or why it cannot be.
type Kept = Result<Store<Flash>, Fault>;

/// Looks for it in the two areas of the flash.
#[inline(never)]
fn open() -> Kept {
    let identity = identity::<Learns>(&MODEL_HASH);
    let (flash, first) = flash();
    Store::open(flash, first, KEPT.area, identity).map_err(fault)
}

#[inline(never)]
fn save(store: &mut Kept, learner: &Learner<Learns>) -> Result<(), Fault> {
    store.as_mut().map_err(|fault| *fault)?.save(learner.weights()).map_err(fault)
}

/// If it fails, what has learned is as it was, or, where the flash has failed, starts from zeros.
#[inline(never)]
fn load(store: &mut Kept, learner: &mut Learner<Learns>) -> Result<(), Fault> {
    let store = store.as_mut().map_err(|fault| *fault)?;
    let loaded = store.load(learner.weights_mut());
    if let Err(Error::Flash(_) | Error::Worn) = loaded {
        learner.weights_mut().fill(0.0);
    }
    loaded.map_err(fault)?;
    learner.restart(0);
    Ok(())
}

fn fault<E>(error: Error<E>) -> Fault {
    let found = match error {
        Error::Layout { .. } => 0,
        Error::Empty | Error::Length { .. } => 1,
        Error::Flash(_) | Error::Worn => 2,
        Error::Identity { .. } => 3,
    };
    Fault { code: FaultCode::Store, found, expected: 0 }
}

/// The input and the label, if they can be right.
fn sample(input: &[u8], label: u32) -> Result<(&[u8; INPUTS], u8), Fault> {
    let input = input.try_into().map_err(|_| Fault::length(input.len(), INPUTS))?;
    match u8::try_from(label) {
        Ok(class) if usize::from(class) < OUTPUTS => Ok((input, class)),
        _ => Err(Fault { code: FaultCode::Content, found: label, expected: 0 }),
    }
}

/// Does `work` and says what it cost.
fn measure<B: Board>(board: &mut B, stack: &mut Stack, work: impl FnOnce()) -> Cost {
    let top = stack.repaint();
    let before = board.count();
    work();
    let after = board.count();
    Cost {
        count: B::COUNTER.count(after.wrapping_sub(before) & B::COUNT_MASK),
        stack_bytes: stack.used_below(top) as u32,
        stack_bytes_max: stack.used_max() as u32,
    }
}

// Never inlined, so that their instructions, code and stack are their own.

#[inline(never)]
fn init(learner: &mut Learner<Learns>, seed: u64) {
    learner.init(seed);
}

#[inline(never)]
fn learn(
    learner: &mut Learner<Learns>,
    room: &mut Features,
    input: &[u8; INPUTS],
    label: u8,
    share: f32,
) {
    learner.learn(Simd::baseline(), &[(features(input, room), label)], share);
}

#[inline(never)]
fn evaluate(learner: &mut Learner<Learns>, room: &mut Features, input: &[u8; INPUTS], label: u8) {
    learner.evaluate(Simd::baseline(), &[(features(input, room), label)]);
}

#[inline(never)]
fn step(learner: &mut Learner<Learns>, learning_rate: f32, weight_decay: f32) {
    learner.step(Simd::baseline(), learning_rate, weight_decay);
}

fn opinion(learner: &Learner<Learns>, cost: Cost) -> Opinion<'_> {
    let logits = Tensor::flatten(learner.logits());
    Opinion {
        class: argmax(logits) as u32,
        loss: learner.losses().first().copied().unwrap_or_default(),
        cost,
        logits: Parameters::new(0, logits),
    }
}

fn info<B: Board>(stack: &Stack) -> LearnInfo<'static> {
    let memory = stack.memory();
    LearnInfo {
        protocol: PROTOCOL,
        counter: B::COUNTER,
        inputs: INPUTS as u32,
        outputs: OUTPUTS as u32,
        parameters: PARAMETERS as u32,
        ram_bytes: Learns::TRAIN_RAM_BYTES as u32,
        static_bytes: memory.static_bytes as u32,
        stack_size: memory.stack_high.wrapping_sub(memory.stack_low) as u32,
        model_hash: MODEL_HASH,
        firmware: env!("CARGO_PKG_VERSION"),
        board: B::NAME,
        task: TASK,
    }
}

/// The whole network learns, from the pixels.
#[cfg(not(feature = "adapt"))]
mod task {
    pub(super) type Learns = motenet_learn::DigitNetwork;
    pub(super) type Features = ();

    pub(super) const TASK: &str = "network";
    pub(super) const INPUTS: usize = 784;
    pub(super) const MODEL_HASH: [u8; 32] = [0; 32];

    pub(super) fn features<'a>(input: &'a [u8; INPUTS], (): &'a mut ()) -> &'a [u8] {
        input
    }
}

/// The last layer learns, from what the layers before it make of the pixels.
#[cfg(feature = "adapt")]
mod task {
    use crate::model::{self, MODEL, Network};
    use motenet::{Acts, Chain, Dense, Layer, Pass, Simd, Tensor, Train};
    use motenet_quant::{QDense, QDenseRelu};

    pub(super) type Learns = <Network as Adapt>::Head;
    pub(super) type Features = <<Network as Adapt>::Body as Layer>::Acts<1>;

    pub(super) const TASK: &str = "head";
    pub(super) const INPUTS: usize = model::INPUTS;
    pub(super) const MODEL_HASH: [u8; 32] = model::HASH;

    /// A network whose last layer can learn by itself.
    pub(super) trait Adapt {
        type Body: Layer<Input = model::Input, Output: Tensor<Elem = u8>>;
        /// The last layer, of floats.
        type Head: Train;

        fn body(&self) -> &Self::Body;
    }

    impl<const IN: usize, const HIDDEN: usize, const OUT: usize> Adapt
        for Chain<QDenseRelu<IN, HIDDEN>, QDense<HIDDEN, OUT>>
    where
        QDenseRelu<IN, HIDDEN>: Layer<Input = model::Input, Output = [u8; HIDDEN]>,
    {
        type Body = QDenseRelu<IN, HIDDEN>;
        type Head = Dense<HIDDEN, OUT>;

        fn body(&self) -> &Self::Body {
            &self.0
        }
    }

    pub(super) fn features<'a>(input: &'a [u8; INPUTS], room: &'a mut Features) -> &'a [u8] {
        let pass = Pass::infer(Simd::baseline());
        MODEL.body().forward(pass, core::slice::from_ref(input), room);
        Tensor::flatten(room.output())
    }
}
