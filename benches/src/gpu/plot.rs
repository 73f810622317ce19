//! Throughput over batch size, a line for each device and width, both axes logarithmic.

use super::epochs::{Beside, Row};
use std::fmt::Write;

const SIZE: (f64, f64) = (760.0, 460.0);
const LEFT: f64 = 80.0;
const RIGHT: f64 = 240.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 50.0;
const COLOURS: [&str; 6] = ["#4c72b0", "#55a868", "#c44e52", "#8172b2", "#ccb974", "#64b5cd"];
const DASHES: [&str; 3] = ["", "6 4", "2 3"];

/// A line: device, width, and points of (batch, samples a second).
struct Line {
    device: String,
    shape: String,
    points: Vec<(f64, f64)>,
}

fn lines(rows: &[Row], beside: &[Beside]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut add = |device: &str, shape: &str, batch: u32, speed: f64| {
        let place = lines.iter().position(|line| line.device == device && line.shape == shape);
        let place = place.unwrap_or_else(|| {
            lines.push(Line { device: device.into(), shape: shape.into(), points: Vec::new() });
            lines.len() - 1
        });
        lines[place].points.push((f64::from(batch), speed));
    };
    for row in rows {
        add("CPU, 1 thread", row.shape, row.batch, row.cpu.samples_per_second);
        add("CPU, all threads", row.shape, row.batch, row.all_threads.samples_per_second);
        if let Some(gpu) = row.gpu {
            add("GPU", row.shape, row.batch, gpu.samples_per_second);
        }
    }
    for other in beside {
        add(&other.column, &other.shape, other.batch, other.samples_per_second);
    }
    lines
}

/// The picture as SVG.
pub(super) fn draw(rows: &[Row], beside: &[Beside]) -> String {
    let lines = lines(rows, beside);
    let points = || lines.iter().flat_map(|line| &line.points);
    let range = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) =
            values.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        (low.log10(), high.log10().max(low.log10() + 0.1))
    };
    let (x0, x1) = range(&mut points().map(|point| point.0));
    let (y0, y1) = range(&mut points().map(|point| point.1));
    let (y0, y1) = (y0.floor(), y1.ceil());
    let x = |value: f64| LEFT + (value.log10() - x0) / (x1 - x0) * (SIZE.0 - LEFT - RIGHT);
    let y =
        |value: f64| SIZE.1 - BOTTOM - (value.log10() - y0) / (y1 - y0) * (SIZE.1 - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n",
        SIZE.0, SIZE.1
    );
    // Writing to a string works.
    let mut put = |text: String| svg.write_str(&text).unwrap_or_default();
    let (left, right, bottom) = (LEFT, SIZE.0 - RIGHT, SIZE.1 - BOTTOM);
    for power in y0 as i32..=y1 as i32 {
        let at = y(10f64.powi(power));
        put(format!(
            "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">10^{power}</text>\n",
            left - 6.0,
            at + 4.0
        ));
    }
    let mut batches: Vec<u32> = rows.iter().map(|row| row.batch).collect();
    batches.sort_unstable();
    batches.dedup();
    for batch in batches {
        let at = x(f64::from(batch));
        put(format!(
            "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{batch}</text>\n",
            bottom + 18.0
        ));
    }
    put(format!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">batch size</text><text x=\"{left}\" y=\"18\">samples a second</text>\n",
        (left + right) / 2.0,
        SIZE.1 - 10.0
    ));
    let (mut devices, mut shapes): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for (number, line) in lines.iter().enumerate() {
        let (device, shape) = (place(&mut devices, &line.device), place(&mut shapes, &line.shape));
        let (colour, dash) = (COLOURS[device % COLOURS.len()], DASHES[shape % DASHES.len()]);
        let path: Vec<String> = line
            .points
            .iter()
            .map(|&(batch, speed)| format!("{:.1},{:.1}", x(batch), y(speed)))
            .collect();
        put(format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\"/>\n",
            path.join(" ")
        ));
        let at = TOP + 16.0 * number as f64;
        put(format!(
            "<path d=\"M{} {at}h24\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\"/><text x=\"{}\" y=\"{}\">{}, {}</text>\n",
            right + 10.0,
            right + 40.0,
            at + 4.0,
            line.device,
            line.shape
        ));
    }
    put("</svg>\n".into());
    svg
}

/// Where `name` is among `names`, at the end if it is new.
fn place<'a>(names: &mut Vec<&'a str>, name: &'a str) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}
