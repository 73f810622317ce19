//! The host's end of the serial line, over anything that can be read and written.

use crate::interrupt;
use anyhow::{Result, bail};
use motenet_link::{
    Cost, Counter, Decoder, Fault, FaultCode, Frame, LearnReply, LearnRequest, Reply, Request,
};
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How often a wait looks whether it was interrupted.
const POLL: Duration = Duration::from_millis(50);

/// How long a chip may take to start.
const RESTART: Duration = Duration::from_millis(500);

/// A payload longer than this is no reply.
const PAYLOAD_MAX: usize = 4_096;

/// A serial line with a chip at the other end. A thread reads and a thread writes, so that neither a full pipe nor a
/// silent chip can hold up this one for longer than the timeout.
pub(crate) struct Line {
    name: String,
    sender: Sender<Vec<u8>>,
    /// Bytes handed to the writing thread that it has not written yet.
    unsent: Arc<AtomicUsize>,
    received: Receiver<io::Result<Vec<u8>>>,
    bytes: std::vec::IntoIter<u8>,
    decoder: Decoder<Vec<u8>>,
    timeout: Duration,
}

/// A reply, as the chip meant it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    /// What it is.
    Info(Info),
    /// What it thinks the input is.
    Answer(Answer),
    /// The same of a chip that learns, and what such a chip says besides.
    Learns(Learns),
    /// What it found wrong with a frame of ours.
    Fault(Fault),
    /// What we find wrong with a frame of its.
    Broken(Fault),
}

/// [`motenet_link::Info`] to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Info {
    pub(crate) protocol: u8,
    pub(crate) counter: Counter,
    pub(crate) inputs: u32,
    pub(crate) outputs: u32,
    pub(crate) flash_bytes: u32,
    pub(crate) ram_bytes: u32,
    pub(crate) static_bytes: u32,
    pub(crate) stack_size: u32,
    pub(crate) model_hash: [u8; 32],
    pub(crate) firmware: String,
    pub(crate) board: String,
    pub(crate) model: String,
}

/// [`motenet_link::Answer`] to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) class: u16,
    pub(crate) confidence: u16,
    pub(crate) count: u32,
    pub(crate) stack_bytes: u32,
    pub(crate) stack_bytes_max: u32,
    pub(crate) logits: Vec<i32>,
}

/// [`LearnReply`] to keep.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Learns {
    Info(LearnInfo),
    Done,
    Opinion { class: u32, loss: f32, cost: Cost, logits: Vec<f32> },
    Stepped { number: u32, cost: Cost },
    Parameters { first: u32, numbers: Vec<f32> },
    Hash { steps: u32, sha256: [u8; 32] },
}

/// [`motenet_link::LearnInfo`] to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LearnInfo {
    pub(crate) protocol: u8,
    pub(crate) counter: Counter,
    pub(crate) inputs: u32,
    pub(crate) outputs: u32,
    pub(crate) parameters: u32,
    pub(crate) ram_bytes: u32,
    pub(crate) static_bytes: u32,
    pub(crate) stack_size: u32,
    pub(crate) model_hash: [u8; 32],
    pub(crate) board: String,
    pub(crate) task: String,
}

impl Line {
    /// Over the two ends of a line to `name`, on which nothing is waited for longer than `timeout`.
    pub(crate) fn new(
        name: &str,
        reader: impl Read + Send + 'static,
        writer: impl Write + Send + 'static,
        timeout: Duration,
    ) -> Self {
        let (sender, to_send) = mpsc::channel::<Vec<u8>>();
        let (to_receive, received) = mpsc::channel();
        let unsent = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&unsent);
        // Both end when their end of the line is closed, or when the other side of their channel is gone.
        thread::spawn(move || write_all(writer, &to_send, &counter));
        thread::spawn(move || read_all(reader, &to_receive));
        Line {
            name: name.into(),
            sender,
            unsent,
            received,
            bytes: Vec::new().into_iter(),
            decoder: Decoder::new(vec![0; Decoder::<()>::buffer_bytes(PAYLOAD_MAX)]),
            timeout,
        }
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, request: Request<'_>) {
        self.send_bytes(frame(request));
    }

    /// Sends a request to a chip that learns.
    pub(crate) fn send_learn(&mut self, request: LearnRequest<'_>) {
        let mut bytes = Vec::new();
        let _: Result<(), std::convert::Infallible> = request.encode(|piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        });
        self.send_bytes(bytes);
    }

    /// Sends bytes as they are.
    pub(crate) fn send_bytes(&mut self, bytes: Vec<u8>) {
        self.unsent.fetch_add(bytes.len(), Ordering::SeqCst);
        // If the writing thread has gone, so has the line, and reading says so.
        let _ = self.sender.send(bytes);
    }

    /// Waits until at most `most` bytes are still to be written, or for a reply that comes before.
    pub(crate) fn make_room(&mut self, most: usize) -> Result<Option<Heard>> {
        let (mut before, mut since) = (usize::MAX, Instant::now());
        loop {
            let unsent = self.unsent.load(Ordering::SeqCst);
            if unsent <= most {
                return Ok(None);
            }
            if unsent != before {
                (before, since) = (unsent, Instant::now());
            } else if since.elapsed() > self.timeout {
                bail!(
                    "{} has taken no byte for {} s: it hangs",
                    self.name,
                    self.timeout.as_secs_f32()
                );
            }
            if let Some(heard) = self.receive_within(Duration::from_millis(5))? {
                return Ok(Some(heard));
            }
        }
    }

    /// Waits for the next reply.
    pub(crate) fn receive(&mut self) -> Result<Heard> {
        match self.receive_within(self.timeout)? {
            Some(heard) => Ok(heard),
            None => bail!(
                "{} has not answered for {} s: it hangs, or the line is not connected",
                self.name,
                self.timeout.as_secs_f32()
            ),
        }
    }

    /// Waits until a chip that learns is up again: what it is asked while it starts may be lost.
    pub(crate) fn await_restart(&mut self) -> Result<()> {
        let end = Instant::now() + self.timeout;
        loop {
            self.send_bytes(vec![0]);
            self.send_learn(LearnRequest::Info);
            if let Some(Heard::Learns(Learns::Info(_))) = self.receive_within(RESTART)? {
                break;
            }
            if Instant::now() > end {
                let seconds = self.timeout.as_secs_f32();
                bail!("{} has not started again for {seconds} s: it hangs", self.name);
            }
        }
        // What it says to questions that were late, not lost.
        while self.receive_within(RESTART)?.is_some() {}
        Ok(())
    }

    /// Waits for the next reply, but not longer than `timeout`.
    pub(crate) fn receive_within(&mut self, timeout: Duration) -> Result<Option<Heard>> {
        let end = Instant::now() + timeout;
        loop {
            for byte in self.bytes.by_ref() {
                if let Some(frame) = self.decoder.push(byte) {
                    return Ok(Some(heard(frame)));
                }
            }
            interrupt::check()?;
            let left = end.saturating_duration_since(Instant::now());
            match self.received.recv_timeout(left.min(POLL)) {
                Ok(Ok(bytes)) => self.bytes = bytes.into_iter(),
                Ok(Err(error)) => bail!("{} is gone: {error}", self.name),
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("{} is gone: it closed the line", self.name)
                }
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// The bytes of a request.
pub(crate) fn frame(request: Request<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _: Result<(), std::convert::Infallible> = request.encode(|piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    });
    bytes
}

fn heard(frame: Result<Frame<'_>, Fault>) -> Heard {
    let frame = match frame {
        Ok(frame) => frame,
        Err(fault) => return Heard::Broken(fault),
    };
    match Reply::decode(frame) {
        Ok(Reply::Info(info)) => Heard::Info(Info {
            protocol: info.protocol,
            counter: info.counter,
            inputs: info.inputs,
            outputs: info.outputs,
            flash_bytes: info.flash_bytes,
            ram_bytes: info.ram_bytes,
            static_bytes: info.static_bytes,
            stack_size: info.stack_size,
            model_hash: info.model_hash,
            firmware: info.firmware.into(),
            board: info.board.into(),
            model: info.model.into(),
        }),
        Ok(Reply::Answer(answer)) => Heard::Answer(Answer {
            class: answer.class,
            confidence: answer.confidence,
            count: answer.count,
            stack_bytes: answer.stack_bytes,
            stack_bytes_max: answer.stack_bytes_max,
            logits: answer.logits.iter().collect(),
        }),
        Ok(Reply::Fault(fault)) => Heard::Fault(fault),
        Err(fault) if fault.code == FaultCode::Kind => heard_learning(frame),
        Err(fault) => Heard::Broken(fault),
    }
}

fn heard_learning(frame: Frame<'_>) -> Heard {
    Heard::Learns(match LearnReply::decode(frame) {
        Ok(LearnReply::Info(info)) => Learns::Info(LearnInfo {
            protocol: info.protocol,
            counter: info.counter,
            inputs: info.inputs,
            outputs: info.outputs,
            parameters: info.parameters,
            ram_bytes: info.ram_bytes,
            static_bytes: info.static_bytes,
            stack_size: info.stack_size,
            model_hash: info.model_hash,
            board: info.board.into(),
            task: info.task.into(),
        }),
        Ok(LearnReply::Done) => Learns::Done,
        Ok(LearnReply::Opinion(opinion)) => Learns::Opinion {
            class: opinion.class,
            loss: opinion.loss,
            cost: opinion.cost,
            logits: opinion.logits.iter().collect(),
        },
        Ok(LearnReply::Stepped { number, cost }) => Learns::Stepped { number, cost },
        Ok(LearnReply::Parameters(parameters)) => {
            Learns::Parameters { first: parameters.first, numbers: parameters.iter().collect() }
        }
        Ok(LearnReply::Hash { steps, sha256 }) => Learns::Hash { steps, sha256 },
        Ok(LearnReply::Fault(fault)) => return Heard::Fault(fault),
        Err(fault) => return Heard::Broken(fault),
    })
}

fn write_all(mut writer: impl Write, to_send: &Receiver<Vec<u8>>, unsent: &AtomicUsize) {
    for bytes in to_send {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match writer.write(rest) {
                Ok(0) => return,
                Ok(count) => {
                    unsent.fetch_sub(count, Ordering::SeqCst);
                    rest = rest.get(count..).unwrap_or_default();
                }
                Err(error) if is_passing(&error) => {}
                Err(_) => return,
            }
        }
        if writer.flush().is_err() {
            return;
        }
    }
}

fn read_all(mut reader: impl Read, to_receive: &Sender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; 4_096];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => Ok(buffer.get(..count).unwrap_or_default().to_vec()),
            // A serial port says so when nothing came for a while: a chance to see whether to go on.
            Err(error) if is_passing(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if to_receive.send(read).is_err() || failed {
            return;
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
