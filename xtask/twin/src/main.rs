//! An exported model on the host: images on standard input, logits on standard output.
//!
//! First it writes the four numbers of its [`Softmax`](motenet_quant::Softmax), then the logits of each image as it comes;
//! all numbers are 32 bits, little-endian. It ends with its input.

use model::{MODEL, Network, SOFTMAX};
use motenet::{Acts, Layer, Pass, Simd, Tensor, Zero};
use std::io::{self, Read, Write};

#[allow(missing_docs, unreachable_pub, dead_code)]
mod model {
    include!(concat!(env!("OUT_DIR"), "/model.rs"));
}

type Input = <Network as Layer>::Input;

fn main() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let (limit, multiplier, drop, shift) = SOFTMAX.parts();
    for number in [limit, multiplier.into(), drop.into(), shift.into()] {
        output.write_all(&number.to_le_bytes())?;
    }
    output.flush()?;
    let mut image: Box<Input> = Zero::boxed();
    let mut acts: Box<<Network as Layer>::Acts<1>> = Zero::boxed();
    while input.read_exact(&mut image[..]).is_ok() {
        MODEL.forward(Pass::infer(Simd::detect()), std::slice::from_ref(&image), &mut acts);
        for logit in Tensor::flatten(acts.output()) {
            output.write_all(&logit.to_le_bytes())?;
        }
        output.flush()?;
    }
    Ok(())
}
