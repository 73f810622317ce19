//! Written C and Rust against two oracles: the typed engine, and every formula once more in `i64`.

use motenet::{Acts, Layer, Pass, Seq, Simd, Zero, random};
use motenet_export::{IntegerLayer, IntegerModel, Integers, c, rust, source::Error};
use motenet_quant::{QDense, QDenseRelu, Requantize, Softmax};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const PASS: Pass = Pass::infer(Simd::baseline());
const SAMPLES: usize = 200;
const KINDS: usize = 4;

type Net1 = Seq![QDense<1, 1>];
type Net2 = Seq![QDenseRelu<7, 3>, QDense<3, 2>];
type Net3 = Seq![QDenseRelu<17, 9>, QDenseRelu<9, 5>, QDense<5, 3>];
type Net4 = Seq![QDenseRelu<784, 64>, QDense<64, 10>];

/// What a generated file holds, compiled with this test.
#[allow(unreachable_pub, dead_code)]
mod tiny {
    include!("golden/tiny.rs");
}

/// Random numbers, the same everywhere: a counter, scattered.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u32) -> u32 {
        self.0 += 1;
        ((u64::from(n) * (random::mix(self.0) >> 32)) >> 32) as u32
    }
}

/// Fills layers through their fields; a chain, one after the other.
trait Fill {
    fn fill(&mut self, kind: usize, rng: &mut Numbers);
}

impl<const IN: usize, const OUT: usize> Fill for QDense<IN, OUT> {
    /// Kind 0: random. 1: weights at their ends, big biases. 2: all 127. 3: all −127, lifted.
    fn fill(&mut self, kind: usize, rng: &mut Numbers) {
        for (i, o) in (0..IN).flat_map(|i| (0..OUT).map(move |o| (i, o))) {
            let w = match kind {
                0 => (rng.below(255) as i32 - 127) as i8,
                1 => [-127, 127][rng.below(2) as usize],
                2 => 127,
                _ => -127,
            };
            self.set_weight(i, o, w);
        }
        let sums = IN as i32 * 127 * 255;
        for bias in &mut self.bias {
            *bias = match kind {
                0 => rng.below(1 << 16) as i32 - (1 << 15),
                1 => (rng.below(1 << 31) as i32 - (1 << 30)) >> rng.below(20),
                2 if rng.below(2) == 0 => i32::MAX - sums, // to the greatest number of all
                2 => -(rng.below(sums as u32) as i32),
                _ => rng.below(sums as u32) as i32,
            };
        }
    }
}

impl<const IN: usize, const OUT: usize> Fill for QDenseRelu<IN, OUT> {
    fn fill(&mut self, kind: usize, rng: &mut Numbers) {
        self.dense.fill(kind, rng);
        for (o, rule) in self.requantize.iter_mut().enumerate() {
            // Up to eight times what the greatest sum allows: some saturate, some do not.
            let most = (0..IN).map(|i| 255 * i64::from(self.dense.weight(i, o).max(0)));
            let most = (most.sum::<i64>() + i64::from(self.dense.bias[o])).max(255);
            let factor = 255.0 / most as f64 * f64::from(rng.below(700) + 101) / 100.0;
            *rule = Requantize::new(factor).unwrap();
        }
    }
}

impl<A: Fill + Layer, B: Fill + Layer<Input = A::Output>> Fill for motenet::Chain<A, B> {
    fn fill(&mut self, kind: usize, rng: &mut Numbers) {
        self.0.fill(kind, rng);
        self.1.fill(kind, rng);
    }
}

/// Every layer by its formula, in 64 bits, on the lists.
fn evaluate(model: &IntegerModel, input: &[u8]) -> Vec<i64> {
    let mut x: Vec<i64> = input.iter().map(|&x| i64::from(x)).collect();
    for layer in &model.layers {
        let sum = |o: usize| {
            let terms = x.iter().enumerate();
            let terms = terms.map(|(i, x)| x * i64::from(layer.weights[i * layer.outputs + o]));
            i64::from(layer.bias[o]) + terms.sum::<i64>()
        };
        let activate = |o: usize| {
            let Some(rules) = &layer.requantize else { return sum(o) };
            let (limit, multiplier, drop, shift) = rules[o].parts();
            let t = sum(o).clamp(0, i64::from(limit)) >> drop;
            ((t * i64::from(multiplier) + (1 << shift) / 2) >> shift).min(255)
        };
        x = (0..layer.outputs).map(activate).collect();
    }
    x
}

/// Zero, full, mostly zero, and anything.
fn inputs<const IN: usize>(rng: &mut Numbers) -> Vec<[u8; IN]> {
    let mut number = |sample: usize| match sample {
        0 => 0,
        1 => 255,
        _ if sample.is_multiple_of(2) && rng.below(5) > 0 => 0,
        _ => rng.below(256) as u8,
    };
    (0..SAMPLES).map(|sample| std::array::from_fn(|_| number(sample))).collect()
}

/// Runs a program to its end; `None` if there is none of that name. On Unix there must be a `cc`.
fn program(name: &str, args: &[&str], folder: &Path, stdin: &[u8]) -> Option<String> {
    let mut command = Command::new(name);
    command.args(args).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            assert!(!cfg!(unix) || name != "cc", "{name}: {error}");
            println!("skipped: {name}: {error}");
            return None;
        }
    };
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&stdin));
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {args:?}: {}\n{stderr}", output.status);
    writer.join().unwrap().unwrap();
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A program that reads inputs and prints logits and class of every network, one line each.
fn main_text(inputs: usize, classes: usize) -> String {
    let mut text = String::from("#include <stdio.h>\n#include <inttypes.h>\n");
    for kind in 0..KINDS {
        writeln!(text, "#include \"net{kind}.h\"").unwrap();
    }
    // Space to spare, filled with a sign, shows a write beyond the last logit.
    writeln!(
        text,
        "int main(void) {{\n  static uint8_t x[{inputs}];\n  int32_t y[{}];\n  int k;\n  \
         while (fread(x, 1, sizeof x, stdin) == sizeof x) {{",
        classes + 1
    )
    .unwrap();
    for kind in 0..KINDS {
        writeln!(
            text,
            "    y[NET{kind}_CLASSES] = 77;\n    net{kind}_logits(x, y);\n    \
             for (k = 0; k <= {classes}; k++) printf(\"%\" PRId32 \" \", y[k]);\n    \
             printf(\"%d %d\\n\", net{kind}_classify(x), net{kind}_confidence(y));"
        )
        .unwrap();
    }
    text.push_str("  }\n  return 0;\n}\n");
    text
}

const STRICT: [&str; 5] = ["-O2", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic"];

/// Compiles four networks of a type with every warning an error and undefined behaviour trapped, and
/// compares what they say about 200 inputs with both oracles.
fn c_equals_rust<Net, const IN: usize, const OUT: usize>(seed: u64)
where
    Net: Layer<Input = [u8; IN], Output = [i32; OUT]> + Integers + Fill + Zero,
{
    let rng = &mut Numbers(seed << 32);
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs::<IN>(rng);
    let mut expected = vec![String::new(); SAMPLES];
    let mut files: Vec<String> = vec!["main.c".into()];
    std::fs::write(folder.path().join("main.c"), main_text(IN, OUT)).unwrap();
    let mut levels = std::collections::BTreeSet::new();
    for kind in 0..KINDS {
        let mut net = Net::ZERO;
        net.fill(kind, rng);
        let softmax = Softmax::new([1e-3, 1e-5, 1e-6, 0.9][kind]).unwrap();
        let model = net.integers(softmax);
        let name = format!("net{kind}");
        let sources = c::write(&model, &name).unwrap();
        assert!(sources.header.is_ascii() && sources.source.is_ascii());
        std::fs::write(folder.path().join(format!("{name}.h")), sources.header).unwrap();
        std::fs::write(folder.path().join(format!("{name}.c")), sources.source).unwrap();
        files.push(format!("{name}.c"));
        for (x, line) in inputs.iter().zip(&mut expected) {
            let mut acts = <Net::Acts<1> as Zero>::ZERO;
            net.forward(PASS, &[*x], &mut acts);
            let y = acts.output()[0];
            assert_eq!(y.map(i64::from).as_slice(), evaluate(&model, x));
            for y in y {
                write!(line, "{y} ").unwrap();
                levels.insert(y);
            }
            let (class, sure) = (motenet_quant::argmax(&y), softmax.confidence(&y));
            writeln!(line, "77 {class} {sure}").unwrap();
        }
    }
    assert!(levels.len() > 100, "inputs that lead to {} logits only say little", levels.len());

    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let undefined = ["-fsanitize=undefined", "-fno-sanitize-recover=all"];
    let mut args = [&["-std=c99", "-Werror"], &STRICT[..], &undefined, &files].concat();
    args.extend(["-o", "program"]);
    let check = |said: &str| {
        let mut lines = said.split_inclusive('\n');
        for (sample, expected) in expected.iter().enumerate() {
            let found: String = lines.by_ref().take(KINDS).collect();
            assert_eq!(&found, expected, "{IN} to {OUT}, input {sample}");
        }
        assert_eq!(lines.next(), None);
    };
    let stdin = inputs.as_flattened();
    if program("cc", &args, folder.path(), &[]).is_some() {
        check(&program("./program", &[], folder.path(), stdin).unwrap_or_default());
    }

    let args = [&["-x", "c++", "-std=c++11", "-Werror", "-c"], &STRICT[..], &["net0.c"]].concat();
    program("c++", &args, folder.path(), &[]);
    // A Cortex-M3 that QEMU plays, whose files are ours.
    std::fs::write(folder.path().join("vectors.c"), VECTORS).unwrap();
    let chip =
        ["-mcpu=cortex-m3", "-mthumb", "-std=c99", "-Werror", "-Wl,--section-start=.vectors=0"];
    let mut args = [&chip, &STRICT[..], &["vectors.c"], &files].concat();
    args.extend(["--specs=rdimon.specs", "-o", "chip.elf"]);
    if program("arm-none-eabi-gcc", &args, folder.path(), &[]).is_some()
        && let Some(said) = program("qemu-system-arm", &QEMU, folder.path(), stdin)
    {
        check(&said);
    }
}

/// Where the stack ends and what runs first; the rest is newlib's.
const VECTORS: &str = "extern void _start(void);\n\
    __attribute__((section(\".vectors\"), used)) static void (*const vectors[2])(void) = {\n\
    (void (*)(void))0x00400000, _start };\n";

const QEMU: [&str; 12] = [
    "-M",
    "mps2-an385",
    "-display",
    "none",
    "-monitor",
    "none",
    "-serial",
    "none",
    "-semihosting-config",
    "enable=on,target=native",
    "-kernel",
    "chip.elf",
];

#[test]
fn c_of_one_number() {
    c_equals_rust::<Net1, 1, 1>(1);
}

#[test]
fn c_of_two_layers() {
    c_equals_rust::<Net2, 7, 2>(2);
}

#[test]
fn c_of_three_layers() {
    c_equals_rust::<Net3, 17, 3>(3);
}

#[test]
fn c_of_a_digit() {
    c_equals_rust::<Net4, 784, 10>(4);
}

/// A linker of C++ finds the functions of C.
#[test]
fn cpp_calls_c() {
    let folder = tempfile::tempdir().unwrap();
    let sources = c::write(&tiny::MODEL.integers(tiny::SOFTMAX), "tiny").unwrap();
    std::fs::write(folder.path().join("tiny.h"), sources.header).unwrap();
    std::fs::write(folder.path().join("tiny.c"), sources.source).unwrap();
    let main = "#include \"tiny.h\"\n#include \"tiny.h\"\n#include <cstdio>\n\
                int main() { uint8_t x[TINY_INPUTS] = {9, 0}; std::printf(\"%d\", tiny_classify(x)); }";
    std::fs::write(folder.path().join("main.cpp"), main).unwrap();
    program("cc", &["-std=c99", "-c", "tiny.c"], folder.path(), &[]);
    if program("c++", &["main.cpp", "tiny.o", "-o", "program"], folder.path(), &[]).is_some() {
        let logits = evaluate(&tiny::MODEL.integers(tiny::SOFTMAX), &[9, 0]);
        let expected = if logits[1] > logits[0] { "1" } else { "0" };
        assert_eq!(program("./program", &[], folder.path(), &[]).as_deref(), Some(expected));
    }
}

fn layer(inputs: usize, outputs: usize, hidden: bool) -> IntegerLayer {
    let rule = Requantize::new(0.01).unwrap();
    IntegerLayer {
        inputs,
        outputs,
        weights: (0..inputs * outputs).map(|k| (k as i32 * 50 % 255 - 127) as i8).collect(),
        bias: (0..outputs).map(|k| 1000 * k as i32 - 500).collect(),
        requantize: hidden.then(|| vec![rule; outputs]),
    }
}

fn softmax() -> Softmax {
    Softmax::new(0.001).unwrap()
}

fn small() -> IntegerModel {
    let layers = vec![layer(2, 3, true), layer(3, 4, true), layer(4, 2, false)];
    IntegerModel { layers, softmax: softmax() }
}

/// The texts are as they were when someone read them; the Rust one is compiled into this test, and is
/// the network that it was written from.
#[test]
fn texts_are_golden() {
    let (c, rust) = (c::write(&small(), "tiny").unwrap(), rust::write(&small(), "tiny").unwrap());
    if std::env::var_os("MOTENET_BLESS").is_some() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        std::fs::write(folder.join("tiny.h"), &c.header).unwrap();
        std::fs::write(folder.join("tiny.c"), &c.source).unwrap();
        std::fs::write(folder.join("tiny.rs"), &rust).unwrap();
    }
    let again = "if it is meant, run the test once with MOTENET_BLESS=1, and read the difference";
    assert!(c.header == include_str!("golden/tiny.h"), "tiny.h differs: {again}");
    assert!(c.source == include_str!("golden/tiny.c"), "tiny.c differs: {again}");
    assert!(rust == include_str!("golden/tiny.rs"), "tiny.rs differs: {again}");
    assert_eq!(tiny::MODEL.integers(tiny::SOFTMAX), small());
}

#[test]
fn no_line_is_long() {
    let mut net = Box::new(Net4::ZERO);
    net.fill(1, &mut Numbers(5));
    let c = c::write(&net.integers(softmax()), "digits").unwrap();
    let rust = rust::write(&net.integers(softmax()), "digits").unwrap();
    for line in c.header.lines().chain(c.source.lines()).chain(rust.lines()) {
        assert!(line.len() <= 110, "{} columns: {line}", line.len());
        assert_eq!(line.trim_end(), line);
    }
}

/// Both writers refuse alike.
fn refused(change: impl FnOnce(&mut IntegerModel)) -> Error {
    let mut model = small();
    change(&mut model);
    let error = c::write(&model, "tiny").unwrap_err();
    assert_eq!(rust::write(&model, "tiny").unwrap_err(), error);
    assert_eq!(error.to_string().lines().count(), 1);
    error
}

#[test]
fn malformed_models_are_refused() {
    use Error::*;
    assert_eq!(refused(|m| m.layers.clear()), Empty);
    let size = |inputs, outputs| Size { layer: 2, inputs, outputs };
    assert_eq!(refused(|m| m.layers[1].inputs = 0), size(0, 4));
    assert_eq!(refused(|m| m.layers[1].outputs = 0), size(3, 0));
    assert_eq!(refused(|m| m.layers[1].inputs = usize::MAX), size(usize::MAX, 4));
    assert_eq!(refused(|m| m.layers[1].outputs = 32_769), size(3, 32_769));
    let length = |list, found, expected| Length { layer: 1, list, found, expected };
    assert_eq!(refused(|m| m.layers[0].weights.push(1)), length("weights", 7, 6));
    assert_eq!(refused(|m| m.layers[0].bias.truncate(2)), length("biases", 2, 3));
    let rules = length("requantize rules", 0, 3);
    assert_eq!(refused(|m| m.layers[0].requantize = Some(vec![])), rules);
    let joint = Joint { layer: 2, found: 5, expected: 3 };
    assert_eq!(refused(|m| m.layers[1] = layer(5, 4, true)), joint);
    assert_eq!(refused(|m| m.layers[0].requantize = None), NoRequantize { layer: 1 });
    assert_eq!(refused(|m| m.layers[2] = layer(4, 2, true)), LastRequantize { layer: 3 });
    let empty = Some(vec![Requantize::ZERO; 4]);
    assert_eq!(refused(|m| m.layers[1].requantize = empty), Rule { layer: 2, output: 0 });
}

#[test]
fn sums_beyond_32_bits_are_refused() {
    let sums = |weights: [i8; 2], bias| {
        let layer = IntegerLayer {
            inputs: 2,
            outputs: 1,
            weights: weights.into(),
            bias: vec![bias],
            requantize: None,
        };
        let model = IntegerModel { layers: vec![layer], softmax: softmax() };
        c::write(&model, "net").map(|c| c.source)
    };
    let top = i32::MAX - 2 * 255 * 127;
    assert!(sums([127, 127], top).is_ok());
    let most = i64::from(i32::MAX) + 1;
    let least = i64::from(top) + 1;
    assert_eq!(sums([127, 127], top + 1), Err(Error::Sum { layer: 1, output: 0, least, most }));
    // What a later input takes back has overflowed before.
    assert!(matches!(sums([127, -127], i32::MAX), Err(Error::Sum { .. })));
    assert!(matches!(sums([-1, 0], i32::MIN + 254), Err(Error::Sum { .. })));
    // Typed as it is, the least number would be a wider one, negated.
    assert!(sums([0, 5], i32::MIN).unwrap().contains("(-2147483647 - 1),"));
}

#[test]
fn names_are_checked() {
    for name in ["n", "net", "Net_2", "int", "name", "a234567890123456789012"] {
        let c = c::write(&small(), name).unwrap();
        assert!(c.header.contains(&format!("int {name}_classify(const uint8_t *input);")));
        assert!(c.source.contains(&format!("k < {}_CLASSES;", name.to_uppercase())));
        assert!(rust::write(&small(), name).is_ok());
    }
    let long = "a2345678901234567890123";
    for name in ["", "9x", "_x", "a-b", "a b", "a__b", "a_", "ä", "a;", "../x", "stdint", long] {
        let expected = Error::Name { name: name.to_owned() };
        assert_eq!(c::write(&small(), name), Err(expected.clone()), "{name}");
        assert_eq!(rust::write(&small(), name), Err(expected), "{name}");
    }
}
