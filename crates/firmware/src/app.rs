//! The loop that answers: a frame comes, a frame goes, and nothing that comes can stop it.

use crate::boards::Board;
use crate::model;
use crate::stack::Stack;
use motenet_link::{
    Aligned, Answer, Decoder, Fault, Frame, Info, Logits, PROTOCOL, Reply, Request,
};

/// Answers every frame that arrives, for ever.
pub fn serve<B: Board>(mut board: B, mut stack: Stack) -> ! {
    // The payload comes to lie at the start of the buffer, aligned: the network reads it there.
    let mut decoder = Decoder::new(Aligned([0; Decoder::<()>::buffer_bytes(model::INPUTS)]));
    let mut workspace = model::WORKSPACE;
    let mut received = [0; 32];
    loop {
        let len = board.read(&mut received).unwrap_or(0);
        for &byte in received.get(..len).unwrap_or_default() {
            let Some(frame) = decoder.push(byte) else { continue };
            let reply = answer(&mut board, &mut stack, frame, &mut workspace);
            #[cfg(feature = "defmt")]
            if let Reply::Fault(fault) = &reply {
                let (code, found, expected) = (fault.code as u8, fault.found, fault.expected);
                defmt::warn!("fault {=u8}: found {=u32}, expected {=u32}", code, found, expected);
            }
            // A line that takes no bytes is not ours to mend; the host will ask again.
            let _ = reply.encode(|bytes| write(&mut board, bytes));
            let _ = board.flush();
        }
    }
}

fn answer<'a, B: Board>(
    board: &mut B,
    stack: &mut Stack,
    frame: Result<Frame<'_>, Fault>,
    workspace: &'a mut model::Workspace,
) -> Reply<'a> {
    match frame.and_then(Request::decode) {
        Ok(Request::Info) => Reply::Info(info::<B>(stack)),
        Ok(Request::Infer(input)) => match <&model::Input>::try_from(input) {
            Ok(input) => Reply::Answer(infer(board, stack, input, workspace)),
            Err(_) => Reply::Fault(Fault::length(input.len(), model::INPUTS)),
        },
        Err(fault) => Reply::Fault(fault),
    }
}

/// One inference and what it cost.
fn infer<'a, B: Board>(
    board: &mut B,
    stack: &mut Stack,
    input: &model::Input,
    workspace: &'a mut model::Workspace,
) -> Answer<'a> {
    let top = stack.repaint();
    let before = board.count();
    let class = model::infer(input, workspace);
    let after = board.count();
    let stack_bytes = stack.used_below(top) as u32;
    let logits = model::logits(workspace);
    Answer {
        class,
        confidence: model::confidence(logits),
        count: B::COUNTER.count(after.wrapping_sub(before) & B::COUNT_MASK),
        stack_bytes,
        stack_bytes_max: stack.used_max() as u32,
        logits: Logits::from(logits),
    }
}

fn info<B: Board>(stack: &Stack) -> Info<'static> {
    let memory = stack.memory();
    Info {
        protocol: PROTOCOL,
        counter: B::COUNTER,
        inputs: model::INPUTS as u32,
        outputs: model::OUTPUTS as u32,
        flash_bytes: model::FLASH_BYTES as u32,
        ram_bytes: model::RAM_BYTES as u32,
        static_bytes: memory.static_bytes as u32,
        stack_size: memory.stack_high.wrapping_sub(memory.stack_low) as u32,
        model_hash: model::HASH,
        firmware: env!("CARGO_PKG_VERSION"),
        board: B::NAME,
        model: model::MODEL_NAME,
    }
}

/// Writes all of it. Not embedded-io's `write_all`, which panics if a port takes nothing.
pub fn write<B: Board>(board: &mut B, mut bytes: &[u8]) -> Result<(), ()> {
    #[cfg(feature = "control")]
    core::hint::black_box(bytes[0]);
    while !bytes.is_empty() {
        let taken = board.write(bytes).map_err(|_| ())?;
        if taken == 0 {
            return Err(());
        }
        bytes = bytes.get(taken..).unwrap_or_default();
    }
    Ok(())
}
