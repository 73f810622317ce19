//! What a chip that learns and its host say to each other.
//!
//! | kind | message | payload |
//! |---|---|---|
//! | `0x11` | [`LearnRequest::Info`] | nothing |
//! | `0x12` | [`LearnRequest::Init`] | seed `u64` |
//! | `0x13` | [`LearnRequest::Learn`] | share `f32`, label `u32`, the input, one byte a pixel |
//! | `0x14` | [`LearnRequest::Step`] | learning rate `f32`, weight decay `f32` |
//! | `0x15` | [`LearnRequest::Evaluate`] | label `u32`, the input |
//! | `0x16` | [`LearnRequest::Read`] | first parameter `u32`, how many `u32` |
//! | `0x17` | [`LearnRequest::Write`] | first parameter `u32`, then `f32` each |
//! | `0x18` | [`LearnRequest::Hash`] | nothing |
//! | `0x19` | [`LearnRequest::Save`] | nothing |
//! | `0x1a` | [`LearnRequest::Load`] | nothing |
//! | `0x1b` | [`LearnRequest::Restart`] | nothing |
//! | `0x91` | [`LearnReply::Info`] | see [`LearnInfo`]: protocol `u8`, counter (as in `Info`), then `u32` each: inputs, outputs, parameters, RAM, static RAM, stack; 32 bytes SHA-256; three texts: firmware, board, task |
//! | `0x92` | [`LearnReply::Done`] | nothing |
//! | `0x93` | [`LearnReply::Opinion`] | see [`Opinion`]: class `u32`, loss `f32`, cost (`u32` each: count, stack, largest stack), logits `f32` each |
//! | `0x94` | [`LearnReply::Stepped`] | number `u32`, cost |
//! | `0x96` | [`LearnReply::Parameters`] | first parameter `u32`, then `f32` each |
//! | `0x98` | [`LearnReply::Hash`] | steps `u32`, 32 bytes SHA-256 |
//!
//! An `f32` is its IEEE 754 bits, lowest byte first, so that nothing is lost on the way. An input begins eight or four
//! bytes into its payload, so that it is as aligned as the buffer is.

mod parameters;
mod reply;
mod request;

pub use parameters::Parameters;
pub use reply::{Cost, LearnInfo, LearnReply, Opinion};
pub use request::LearnRequest;
