//! Sends samples to a board that learns and to the host's twin of it, and holds every number against the other's.

use super::super::line::{Heard, LearnInfo, Learns, Line};
use super::super::report::{Bar, Console};
use super::ROOM;
use super::schedule::Schedule;
use anyhow::{Result, bail};
use motenet::{Init, LayerInfo, Loss, Simd, SoftmaxCrossEntropy, Tensor, Train};
use motenet_learn::Learner;
use motenet_link::{Cost, FaultCode, LearnRequest, PROTOCOL, Parameters};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Parameters that are read in one reply.
const READ: usize = 1_000;

/// A digit.
pub(super) struct Sample {
    /// As the board gets it.
    pub(super) image: [u8; 784],
    /// What learns gets of it.
    pub(super) features: Vec<u8>,
    pub(super) label: u8,
}

/// Where the weights come from.
#[derive(Clone)]
pub(super) enum Start {
    /// Drawn on both sides from the plan's seed.
    Seed,
    /// Written to the board.
    Weights(Vec<f32>),
}

/// What is done with a board.
pub(super) struct Plan {
    pub(super) train: Vec<Sample>,
    pub(super) test: Vec<Sample>,
    pub(super) start: Start,
    pub(super) model_hash: [u8; 32],
    pub(super) schedule: Schedule,
    /// Requests that may be under way at a time: 1 where a line has no flow control.
    pub(super) ahead: usize,
}

impl Start {
    /// Gives the twin these weights.
    pub(super) fn apply<M: Train + Init>(&self, twin: &mut Learner<M, ROOM>, seed: u64) {
        match self {
            Start::Seed => twin.init(seed),
            Start::Weights(weights) => {
                twin.weights_mut().copy_from_slice(weights);
                twin.restart(0);
            }
        }
    }
}

/// What was found.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) info: LearnInfo,
    /// Test digits read right, before and after.
    pub(super) right_before: usize,
    pub(super) right: usize,
    /// Losses, logits and weights that differ from the twin's.
    pub(super) differences: usize,
    /// The first of them.
    pub(super) first_difference: Option<String>,
    pub(super) sha256: [u8; 32],
    pub(super) twin_sha256: [u8; 32],
    /// Whether the weights were saved, and were the same after a restart; `None` if the board has no place for them.
    pub(super) kept: Option<bool>,
    /// The loss of the first and of the last tenth of the samples, mean.
    pub(super) losses: (f64, f64),
    pub(super) learn: Work,
    pub(super) step: Work,
    pub(super) evaluate: Work,
    /// The most stack of the whole firmware.
    pub(super) stack_bytes_max: u32,
    pub(super) products: Products,
    pub(super) time: Duration,
}

/// What one kind of work costs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Work {
    pub(super) times: usize,
    pub(super) sum: u64,
    pub(super) max: u32,
    /// The most stack, below the loop.
    pub(super) stack_bytes: u32,
}

impl Work {
    fn add(&mut self, cost: Cost) {
        self.times += 1;
        self.sum += u64::from(cost.count);
        self.max = self.max.max(cost.count);
        self.stack_bytes = self.stack_bytes.max(cost.stack_bytes);
    }

    pub(super) fn mean(&self) -> f64 {
        self.sum as f64 / self.times.max(1) as f64
    }
}

/// What the twin says of a sample.
#[derive(Clone)]
struct Expected {
    loss: f32,
    logits: Vec<f32>,
}

struct Driver<'a> {
    line: &'a mut Line,
    ahead: usize,
    stack_bytes_max: u32,
    differences: usize,
    first_difference: Option<String>,
}

/// Trains the board and the twin as the plan says.
///
/// # Errors
/// The line's; a fault that the board reports; a board that is not the one expected. Numbers that differ are no error
/// here: they are counted.
pub(super) fn drive<M: Train + Init>(
    line: &mut Line,
    twin: &mut Learner<M, ROOM>,
    plan: &Plan,
    name: &str,
    console: &Console,
) -> Result<Figures>
where
    SoftmaxCrossEntropy: Loss<M::Output, Target = u8>,
{
    let begin = Instant::now();
    // Ends whatever a line may have picked up before.
    line.send_bytes(vec![0]);
    let mut driver = Driver {
        line,
        ahead: plan.ahead,
        stack_bytes_max: 0,
        differences: 0,
        first_difference: None,
    };
    let info = driver.ask_info()?;
    check_info(&info, plan, M::COUNT)?;
    driver.start(twin, plan)?;
    driver.compare_hash(twin, "before the first step")?;
    let (mut learn, mut step, mut evaluate) = (Work::default(), Work::default(), Work::default());
    let unmeasured = &mut Work::default();
    let right_before = match plan.start {
        Start::Seed => 0,
        Start::Weights(_) => driver.read(twin, &plan.test, "before", unmeasured, &mut |_| {})?,
    };

    let total = plan.schedule.epochs as usize * plan.train.len();
    let bar = Bar::new(name, total, "samples", console);
    let mut losses = Vec::with_capacity(total);
    for epoch in 0..plan.schedule.epochs {
        for batch in plan.schedule.order(epoch).chunks(plan.schedule.batch as usize) {
            let share = 1.0 / batch.len() as f32;
            let mut expected = VecDeque::new();
            for part in batch.chunks(ROOM) {
                let samples: Vec<_> = part.iter().map(|&at| plan.train[at].for_twin()).collect();
                twin.learn(Simd::detect(), &samples, share);
                expected.extend((0..samples.len()).map(|at| Expected::of(twin, at)));
            }
            let requests = batch.iter().map(|&at| {
                let Sample { image, label, .. } = &plan.train[at];
                LearnRequest::Learn { share, label: (*label).into(), input: image }
            });
            driver.stream(requests, &mut |driver, at, heard| {
                let (_, cost) = driver.opinion(heard, &expected[at], || {
                    format!("sample {} of step {}", at, twin.steps() + 1)
                })?;
                learn.add(cost);
                losses.push(f64::from(expected[at].loss));
                bar.set(losses.len());
                Ok(())
            })?;
            let (learning_rate, weight_decay) =
                (plan.schedule.rate(twin.steps()), plan.schedule.weight_decay);
            twin.step(Simd::detect(), learning_rate, weight_decay);
            match driver.ask(LearnRequest::Step { learning_rate, weight_decay })? {
                Learns::Stepped { number, cost } => {
                    driver.compare(
                        &format!("the number of step {}", twin.steps()),
                        number as f32,
                        twin.steps() as f32,
                    );
                    driver.stack_bytes_max = driver.stack_bytes_max.max(cost.stack_bytes_max);
                    step.add(cost);
                }
                other => bail!("the board answered a step by {other:?}"),
            }
        }
    }
    bar.end();
    let bar = Bar::new(&format!("{name}, test"), plan.test.len(), "images", console);
    let right =
        driver.read(twin, &plan.test, "at the end", &mut evaluate, &mut |done| bar.set(done))?;
    bar.end();
    let sha256 = driver.compare_hash(twin, "at the end")?;
    driver.compare_weights(twin)?;
    let kept = driver.keep(twin, plan)?;
    let tenth = losses.len().div_ceil(10);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
    let losses = (mean(&losses[..tenth]), mean(&losses[losses.len() - tenth..]));
    Ok(Figures {
        info,
        right_before,
        right,
        differences: driver.differences,
        first_difference: driver.first_difference,
        sha256,
        twin_sha256: twin.sha256(),
        kept,
        losses,
        learn,
        step,
        evaluate,
        stack_bytes_max: driver.stack_bytes_max,
        products: Products::of::<M>(&plan.train),
        time: begin.elapsed(),
    })
}

impl Sample {
    pub(super) fn for_twin(&self) -> (&[u8], u8) {
        (&self.features, self.label)
    }
}

impl Expected {
    /// The twin's opinion of the sample at this place of its last call.
    fn of<M: Train>(twin: &Learner<M, ROOM>, at: usize) -> Self {
        let logits = twin.logits().get(at..=at).map(M::Output::flatten).unwrap_or_default();
        Expected { loss: twin.losses()[at], logits: logits.to_vec() }
    }
}

impl Driver<'_> {
    /// A request and its reply.
    fn ask(&mut self, request: LearnRequest<'_>) -> Result<Learns> {
        self.line.send_learn(request);
        self.receive()
    }

    fn receive(&mut self) -> Result<Learns> {
        match self.line.receive()? {
            Heard::Learns(learns) => Ok(learns),
            Heard::Fault(fault) => bail!("the board refused a request: {fault}"),
            Heard::Broken(fault) => bail!("the board's reply is damaged: {fault}"),
            Heard::Info(_) | Heard::Answer(_) => {
                bail!("the board runs the program that infers, expected the one that learns")
            }
        }
    }

    /// Requests with some of them under way, and what to do with each reply.
    fn stream<'a>(
        &mut self,
        requests: impl Iterator<Item = LearnRequest<'a>>,
        take: &mut dyn FnMut(&mut Self, usize, Learns) -> Result<()>,
    ) -> Result<()> {
        let (mut sent, mut taken) = (0, 0);
        for request in requests {
            if sent - taken >= self.ahead.max(1) {
                let heard = self.receive()?;
                take(self, taken, heard)?;
                taken += 1;
            }
            self.line.send_learn(request);
            sent += 1;
        }
        while taken < sent {
            let heard = self.receive()?;
            take(self, taken, heard)?;
            taken += 1;
        }
        Ok(())
    }

    fn ask_info(&mut self) -> Result<LearnInfo> {
        match self.ask(LearnRequest::Info)? {
            Learns::Info(info) => Ok(info),
            other => bail!("the board answered the question what it is by {other:?}"),
        }
    }

    /// Gives board and twin their first weights.
    fn start<M: Train + Init>(&mut self, twin: &mut Learner<M, ROOM>, plan: &Plan) -> Result<()> {
        let mut done = |request| match self.ask(request)? {
            Learns::Done => Ok(()),
            other => bail!("the board answered a start by {other:?}"),
        };
        plan.start.apply(twin, plan.schedule.seed);
        match &plan.start {
            Start::Seed => done(LearnRequest::Init { seed: plan.schedule.seed }),
            Start::Weights(weights) => {
                let most = LearnRequest::write_max(784);
                let mut chunks = weights.chunks(most).zip((0..).step_by(most));
                chunks.try_for_each(|(numbers, first)| {
                    done(LearnRequest::Write(Parameters::new(first, numbers)))
                })
            }
        }
    }

    /// Test digits on both sides; how many the board reads right.
    fn read<M: Train>(
        &mut self,
        twin: &mut Learner<M, ROOM>,
        digits: &[Sample],
        when: &str,
        work: &mut Work,
        progress: &mut dyn FnMut(usize),
    ) -> Result<usize>
    where
        SoftmaxCrossEntropy: Loss<M::Output, Target = u8>,
    {
        let mut right = 0;
        let mut expected = Vec::new();
        for part in digits.chunks(ROOM) {
            let samples: Vec<_> = part.iter().map(Sample::for_twin).collect();
            twin.evaluate(Simd::detect(), &samples);
            expected.extend((0..samples.len()).map(|at| Expected::of(twin, at)));
        }
        let requests = digits.iter().map(|Sample { image, label, .. }| LearnRequest::Evaluate {
            label: (*label).into(),
            input: image,
        });
        self.stream(requests, &mut |driver, at, heard| {
            let what = || format!("test image {at} {when}");
            let (class, cost) = driver.opinion(heard, &expected[at], what)?;
            right += usize::from(class == u32::from(digits[at].label));
            work.add(cost);
            progress(at + 1);
            Ok(())
        })?;
        Ok(right)
    }

    /// Takes an opinion and compares it with the twin's.
    fn opinion(
        &mut self,
        heard: Learns,
        expected: &Expected,
        what: impl Fn() -> String,
    ) -> Result<(u32, Cost)> {
        let Learns::Opinion { class, loss, cost, logits } = heard else {
            bail!("the board answered {} by {heard:?}", what());
        };
        if logits.len() != expected.logits.len() {
            bail!("found {} logits, expected {}", logits.len(), expected.logits.len());
        }
        self.stack_bytes_max = self.stack_bytes_max.max(cost.stack_bytes_max);
        self.compare(&format!("the loss of {}", what()), loss, expected.loss);
        for (at, (&found, &expected)) in logits.iter().zip(&expected.logits).enumerate() {
            self.compare(&format!("logit {at} of {}", what()), found, expected);
        }
        Ok((class, cost))
    }

    fn compare(&mut self, what: &str, found: f32, expected: f32) {
        if found.to_bits() != expected.to_bits() {
            self.differences += 1;
            self.first_difference
                .get_or_insert_with(|| format!("{what}: found {found:e}, expected {expected:e}"));
        }
    }

    fn compare_hash<M: Train>(&mut self, twin: &Learner<M, ROOM>, when: &str) -> Result<[u8; 32]> {
        match self.ask(LearnRequest::Hash)? {
            Learns::Hash { steps, sha256 } => {
                if (steps, sha256) != (twin.steps(), twin.sha256()) {
                    self.differences += 1;
                    self.first_difference.get_or_insert_with(|| {
                        format!("the hash of the weights {when} (after {steps} steps)")
                    });
                }
                Ok(sha256)
            }
            other => bail!("the board answered the question for its hash by {other:?}"),
        }
    }

    /// Has the weights saved, starts the board again, and looks whether they are there. A digit is read before and after,
    /// so that the stack of saving and of loading is seen.
    fn keep<M: Train>(&mut self, twin: &mut Learner<M, ROOM>, plan: &Plan) -> Result<Option<bool>>
    where
        SoftmaxCrossEntropy: Loss<M::Output, Target = u8>,
    {
        let digit = plan.test.get(..1).unwrap_or_default();
        let unmeasured = &mut Work::default();
        self.line.send_learn(LearnRequest::Save);
        match self.line.receive()? {
            Heard::Learns(Learns::Done) => {}
            Heard::Fault(fault) if (fault.code, fault.found) == (FaultCode::Store, 0) => {
                return Ok(None);
            }
            other => bail!("the board answered the wish to save by {other:?}"),
        }
        self.read(twin, digit, "after saving", unmeasured, &mut |_| {})?;
        match self.ask(LearnRequest::Restart)? {
            Learns::Done => self.line.await_restart()?,
            other => bail!("the board answered the wish to start again by {other:?}"),
        }
        let Learns::Hash { steps, sha256 } = self.ask(LearnRequest::Hash)? else {
            bail!("the board did not say its hash after a start");
        };
        if steps != 0 {
            bail!(
                "the board says that it has taken {steps} steps since its start: it did not start again"
            );
        }
        let kept = sha256 == twin.sha256();
        if !kept {
            self.differences += 1;
            self.first_difference
                .get_or_insert_with(|| "the hash of the weights after a start".to_owned());
        }
        self.read(twin, digit, "after a start", unmeasured, &mut |_| {})?;
        Ok(Some(kept))
    }

    /// Reads all weights back.
    fn compare_weights<M: Train>(&mut self, twin: &Learner<M, ROOM>) -> Result<()> {
        for (at, expected) in twin.weights().chunks(READ).enumerate() {
            let begin = at * READ;
            let request = LearnRequest::Read { first: begin as u32, count: READ as u32 };
            match self.ask(request)? {
                Learns::Parameters { first, numbers }
                    if (first as usize, numbers.len()) == (begin, expected.len()) =>
                {
                    for (k, (&found, &expected)) in numbers.iter().zip(expected).enumerate() {
                        self.compare(&format!("weight {}", begin + k), found, expected);
                    }
                }
                other => bail!("the board answered the question for its weights by {other:?}"),
            }
        }
        Ok(())
    }
}

fn check_info(info: &LearnInfo, plan: &Plan, parameters: usize) -> Result<()> {
    let (found, board) = (info.protocol, &info.board);
    if found != PROTOCOL {
        bail!("{board} speaks version {found} of the protocol, expected {PROTOCOL}: flash it anew");
    }
    if (info.inputs, info.outputs, info.parameters) != (784, 10, parameters as u32) {
        bail!(
            "{board} trains {} parameters from {} inputs to {} outputs, expected {parameters} from 784 to 10: flash it anew",
            info.parameters,
            info.inputs,
            info.outputs
        );
    }
    if info.model_hash != plan.model_hash {
        bail!("{board} adapts another model, expected the run's: flash it anew");
    }
    Ok(())
}

/// Multiply-adds of a sample, mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Products {
    /// Of a product of the first layer, those left out whose input is zero: forward, and as many for the gradient.
    first: f64,
    /// Of a product of the layers behind it: forward, for the gradient, and back to the layer before.
    others: f64,
}

impl Products {
    fn of<M: Train>(samples: &[Sample]) -> Self {
        let mut layers: Vec<LayerInfo> = Vec::new();
        M::describe(&mut |layer| layers.push(layer));
        let lit: usize =
            samples.iter().map(|s| s.features.iter().filter(|&&byte| byte != 0).count()).sum();
        let lit = lit as f64 / samples.len().max(1) as f64;
        let first = layers.first().map_or(0, |layer| layer.output_len);
        let others: usize = layers.iter().skip(1).map(|layer| layer.macs).sum();
        Products { first: lit * first as f64, others: others as f64 }
    }

    /// All of learning.
    pub(super) fn sum(self) -> f64 {
        2.0 * self.first + 3.0 * self.others
    }

    /// Instructions that learning from a sample takes at least where each loads or stores one number: two for a term of a
    /// forward product or back (load, multiply-add), three for one of a gradient (load, multiply-add, store).
    pub(super) fn floor(self) -> f64 {
        5.0 * self.first + 7.0 * self.others
    }
}
