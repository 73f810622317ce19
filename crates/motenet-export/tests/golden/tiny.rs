// tiny: a neural network of integers, 2-3-4-2, 118 bytes. Written by motenet: change the model, not
// this. In a module of its own: `include!("tiny.rs");`

/// What the model is called.
pub const MODEL_NAME: &str = "tiny";

/// The layers of [`MODEL`], in order.
pub type Network = motenet::Seq![
    motenet_quant::QDenseRelu<2, 3>,
    motenet_quant::QDenseRelu<3, 4>,
    motenet_quant::QDense<4, 2>,
];

/// The network's weights, biases and scales.
#[rustfmt::skip]
#[allow(long_running_const_eval)] // the compiler arranges the weights for the target's kernel
pub static MODEL: Network = motenet::Chain(
    // Layer 1: 2 inputs, 3 outputs; one row of weights an input.
    motenet_quant::QDenseRelu {
        dense: motenet_quant::QDense::new(
            &[
                [-127, -77, -27],
                [23, 73, 123],
            ],
            [
                -500, 500, 1500,
            ],
        ),
        requantize: [
            rule(25551, 41943, 0, 22), rule(25551, 41943, 0, 22), rule(25551, 41943, 0, 22),
        ],
    }, motenet::Chain(
    // Layer 2: 3 inputs, 4 outputs; one row of weights an input.
    motenet_quant::QDenseRelu {
        dense: motenet_quant::QDense::new(
            &[
                [-127, -77, -27, 23],
                [73, 123, -82, -32],
                [18, 68, 118, -87],
            ],
            [
                -500, 500, 1500, 2500,
            ],
        ),
        requantize: [
            rule(25551, 41943, 0, 22), rule(25551, 41943, 0, 22), rule(25551, 41943, 0, 22),
            rule(25551, 41943, 0, 22),
        ],
    },
    // Layer 3: 4 inputs, 2 outputs; one row of weights an input.
    motenet_quant::QDense::new(
        &[
            [-127, -77],
            [-27, 23],
            [73, 123],
            [-82, -32],
        ],
        [
            -500, 500,
        ],
    )
));

/// From logits to how sure they are.
pub static SOFTMAX: motenet_quant::Softmax =
    match motenet_quant::Softmax::from_parts(11091, 48409, 0, 15) {
        Some(softmax) => softmax,
        None => panic!("numbers that can overflow: write this file anew"),
    };

/// A rule by its limit, multiplier, drop and shift.
const fn rule(limit: u32, multiplier: u16, drop: u8, shift: u8) -> motenet_quant::Requantize {
    match motenet_quant::Requantize::from_parts(limit, multiplier, drop, shift) {
        Some(rule) => rule,
        None => panic!("a rule that can overflow: write this file anew"),
    }
}
