//! What a chip that runs a model and its host say to each other over a serial line.
//!
//! The host asks, the chip answers; one [`Request`], one [`Reply`], each a frame. Whatever else arrives,
//! noise, half a frame, a frame from another program, is answered by a [`Fault`], and the next zero byte
//! starts afresh: nothing stops the chip. Encoding writes into any sink of bytes, decoding takes a byte
//! at a time into a buffer of the caller's, so that the payload of a frame is where it has to be for
//! the network: it is not copied again.
//!
//! ```
//! use motenet_link::{Aligned, Decoder, Request};
//! let mut line = Vec::new();
//! let request = Request::Infer(&[0, 7, 255]);
//! let sent: Result<(), ()> = request.encode(|bytes| Ok(line.extend_from_slice(bytes)));
//! assert!(sent.is_ok());
//! // The zero inside became the length of the block before it; the one at the end is the frame's.
//! assert_eq!(line, [2, 0x02, 7, 7, 255, 0xdd, 0x6e, 0x0e, 0xe9, 0]);
//!
//! let mut decoder = Decoder::new(Aligned([0; Decoder::<()>::buffer_bytes(3)]));
//! for byte in line {
//!     if let Some(frame) = decoder.push(byte) {
//!         assert_eq!(Request::decode(frame.unwrap()), Ok(Request::Infer(&[0, 7, 255])));
//!     }
//! }
//! ```
//!
//! # The wire
//! A frame is encoded by Consistent Overhead Byte Stuffing (S. Cheshire and M. Baker, *IEEE/ACM
//! Transactions on Networking* 7, 1999), which leaves no zero in it, and ends with a zero. Frames of no
//! bytes, zeros in a row, mean nothing. Inside:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | kind |
//! | any | payload |
//! | 4 | CRC-32 (ISO-HDLC, that of zip and Ethernet) of kind and payload |
//!
//! Numbers have their lowest byte first. A text is its length, one byte, and that many bytes of UTF-8.
//!
//! | kind | message | payload |
//! |---|---|---|
//! | `0x01` | [`Request::Info`] | nothing |
//! | `0x02` | [`Request::Infer`] | the input, one byte a pixel |
//! | `0x81` | [`Reply::Info`] | see [`Info`]: protocol `u8`, counter (unit `u8`, numerator `u32`, denominator `u32`), then `u32` each: inputs, outputs, flash, RAM, static RAM, stack; 32 bytes SHA-256; three texts: firmware, board, model |
//! | `0x82` | [`Reply::Answer`] | see [`Answer`]: class `u16`, confidence `u16`, then `u32` each: count, stack, largest stack; logits `i32` each |
//! | `0xff` | [`Reply::Fault`] | code `u8`, found `u32`, expected `u32`; see [`Fault`] |
//!
//! A chip that learns speaks another language, [`LearnRequest`] and [`LearnReply`] (`learn/`), of kinds of its own, so
//! that neither is mistaken for the other; its faults are the same.
//!
//! A host must wait for the reply before the next request: the chip may have room for one only.
//!
//! # Memory
//! No allocation and no global state. [`Decoder`]: its buffer and 24 bytes. Encoding: about 300 bytes of
//! stack. Nothing here panics.
#![no_std]

mod counter;
mod decoder;
mod encoder;
mod fault;
mod fields;
mod learn;
mod reply;
mod request;
mod row;

pub use counter::{Counter, Unit};
pub use decoder::{Aligned, Decoder, Frame};
pub use fault::{Fault, FaultCode};
pub use learn::{Cost, LearnInfo, LearnReply, LearnRequest, Opinion, Parameters};
pub use reply::{Answer, Info, Logits, Reply};
pub use request::Request;

/// The version of the wire format; a host refuses to speak to another.
pub const PROTOCOL: u8 = 1;

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

/// Without a table: eight steps a byte, which a serial line leaves time for, and no flash.
static CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);
