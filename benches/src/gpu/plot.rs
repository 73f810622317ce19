//! Throughput over batch size as SVG: a panel for each width, a line for each device, both axes logarithmic.

use super::epochs::Row;
use std::fmt::Write;

/// The inside of a panel.
const PANEL: (f64, f64) = (230.0, 320.0);
const LEFT: f64 = 70.0;
const GAP: f64 = 44.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = 56.0;
const RIGHT: f64 = 24.0;
const COLOURS: [&str; 7] =
    ["#4c72b0", "#55a868", "#c44e52", "#8172b2", "#b8860b", "#64b5cd", "#8c564b"];

/// A logarithmic axis: from where to where, in powers of ten, and how long it is.
#[derive(Clone, Copy)]
struct Axis {
    low: f64,
    high: f64,
    length: f64,
}

impl Axis {
    /// Over all of `values`; a single one gets some room.
    fn over(values: impl Iterator<Item = f64>, length: f64) -> Self {
        let logs = values.map(f64::log10).filter(|log| log.is_finite());
        let (low, high) =
            logs.fold((f64::MAX, f64::MIN), |(low, high), log| (low.min(log), high.max(log)));
        match low < high {
            true => Axis { low, high, length },
            false if low == high => Axis { low: low - 0.5, high: high + 0.5, length },
            false => Axis { low: 0.0, high: 1.0, length },
        }
    }

    /// The same, out to whole powers.
    fn rounded(self) -> Self {
        Axis { low: self.low.floor(), high: self.high.ceil(), ..self }
    }

    fn at(self, value: f64) -> f64 {
        (value.log10() - self.low) / (self.high - self.low) * self.length
    }
}

/// The picture.
pub(super) fn draw(rows: &[Row]) -> String {
    let panels: Vec<&[Row]> = rows.chunk_by(|a, b| a.shape == b.shape).collect();
    let mut devices: Vec<&str> = Vec::new();
    for (device, found) in rows.iter().flat_map(|row| &row.devices) {
        if found.speed().is_some() && !devices.contains(&device.as_str()) {
            devices.push(device);
        }
    }
    let mut batches: Vec<u32> = rows.iter().map(|row| row.batch).collect();
    batches.sort_unstable();
    batches.dedup();
    let speeds = rows.iter().flat_map(|row| &row.devices).filter_map(|(_, found)| found.speed());
    let x = Axis::over(batches.iter().copied().map(f64::from), PANEL.0);
    let y = Axis::over(speeds, PANEL.1).rounded();

    let width = LEFT + panels.len().max(1) as f64 * (PANEL.0 + GAP) - GAP + RIGHT;
    let height = TOP + PANEL.1 + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"22\" font-size=\"15\">Samples a second over batch size</text>\n"
    );
    // Writing to a string works.
    let mut put = |text: String| svg.write_str(&text).unwrap_or_default();
    let mut at = LEFT;
    for (device, colour) in devices.iter().zip(COLOURS.iter().cycle()) {
        put(format!(
            "<path d=\"M{at} 44h18\" stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"{}\" y=\"48\">{device}</text>\n",
            at + 24.0
        ));
        at += 48.0 + 6.5 * device.len() as f64;
    }
    for (number, panel) in panels.iter().enumerate() {
        let (left, bottom) = (LEFT + number as f64 * (PANEL.0 + GAP), TOP + PANEL.1);
        put(format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-weight=\"bold\">{}</text>\n",
            left + PANEL.0 / 2.0,
            TOP - 10.0,
            panel[0].shape
        ));
        for power in y.low as i32..=y.high as i32 {
            let at = bottom - y.at(10f64.powi(power));
            put(format!("<path d=\"M{left} {at:.1}h{}\" stroke=\"#ddd\"/>\n", PANEL.0));
            if number == 0 {
                put(format!(
                    "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                    left - 8.0,
                    at + 4.0,
                    thousands(power)
                ));
            }
        }
        for &batch in &batches {
            let at = left + x.at(f64::from(batch));
            put(format!(
                "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{batch}</text>\n",
                bottom + 18.0
            ));
        }
        put(format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">batch size</text>\n",
            left + PANEL.0 / 2.0,
            bottom + 40.0
        ));
        for (device, colour) in devices.iter().zip(COLOURS.iter().cycle()) {
            let speed = |row: &Row| {
                let (_, found) = row.devices.iter().find(|(name, _)| name == device)?;
                Some((left + x.at(f64::from(row.batch)), bottom - y.at(found.speed()?)))
            };
            let points: Vec<_> = panel.iter().filter_map(speed).collect();
            let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            put(format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n",
                path.join(" ")
            ));
            for (x, y) in points {
                put(format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>\n"));
            }
        }
    }
    put("</svg>\n".into());
    svg
}

/// 10 to `power`, readable.
fn thousands(power: i32) -> String {
    let (unit, rest) = match power {
        6.. => ("M", power - 6),
        3.. => ("k", power - 3),
        _ => ("", power),
    };
    format!("{}{unit}", 10f64.powi(rest))
}

#[cfg(test)]
mod tests {
    use super::super::contenders::Epoch;
    use super::super::epochs::Found;
    use super::*;

    #[test]
    fn a_picture_of_one_point_or_of_none_has_numbers_only() {
        let last = Epoch { seconds: 1.0, loss: 1.0, accuracy: None };
        let ran = Found::Ran { samples_per_second: 1000.0, last };
        let devices = vec![("CPU".to_owned(), ran), ("GPU".to_owned(), Found::Skipped)];
        for rows in [vec![], vec![Row { shape: "784-64-10", batch: 64, devices }]] {
            let svg = draw(&rows);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert!(!svg.contains("GPU") && svg.contains("CPU") != rows.is_empty(), "{svg}");
            assert_eq!(svg.matches("<circle").count(), rows.len());
        }
    }
}
