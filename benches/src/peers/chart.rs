//! The measurements as a picture: both axes logarithmic, one line an engine.

use std::fmt::Write as _;

use super::{Line, thousands};
use crate::report::time;
use std::time::Duration;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
const COLOURS: [&str; 6] = [
    "#0b6e4f", "#3aa76d", "#c0392b", "#8e6c00", "#2e5fa3", "#7d3c98",
];

/// An SVG document of its own, readable on light and on dark pages.
pub fn svg(lines: &[Line]) -> String {
    let tens = |values: &mut dyn Iterator<Item = f64>| {
        let values: Vec<f64> = values.map(f64::log10).collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let most = values
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max)
            .ceil();
        (least, most.max(least + 1.0))
    };
    let (x_least, x_most) = tens(&mut lines.iter().map(|line| line.policies as f64));
    let (y_least, y_most) = tens(&mut lines.iter().map(|line| line.median.as_secs_f64()));
    let x = |policies: f64| {
        LEFT + (policies.log10() - x_least) / (x_most - x_least) * (WIDTH - LEFT - RIGHT)
    };
    let y = |seconds: f64| {
        HEIGHT - BOTTOM - (seconds.log10() - y_least) / (y_most - y_least) * (HEIGHT - TOP - BOTTOM)
    };
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>Time for one decision, by number of policies</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">Time for one decision, by number of policies (both axes \
         logarithmic)</text>\n"
    );
    for power in x_least as i32..=x_most as i32 {
        let (at, value) = (x(10_f64.powi(power)), 10_usize.pow(power.unsigned_abs()));
        let (top, bottom, below) = (TOP, HEIGHT - BOTTOM, HEIGHT - BOTTOM + 20.0);
        let label = thousands(value);
        let _ = writeln!(
            text,
            "<path d=\"M{at:.1} {top}V{bottom}\" stroke=\"#dddddd\"/>\
             <text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{label}</text>"
        );
    }
    for power in y_least as i32..=y_most as i32 {
        let at = y(10_f64.powi(power));
        let label = label(Duration::from_secs_f64(10_f64.powi(power)));
        let (right, before) = (WIDTH - RIGHT, LEFT - 8.0);
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#dddddd\"/>\
             <text x=\"{before}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            at + 4.0
        );
    }
    curves(&mut text, lines, &x, &y);
    text.push_str("</svg>\n");
    text
}

/// A line for each engine, with its name where it ends.
fn curves(text: &mut String, lines: &[Line], x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) {
    let mut engines: Vec<&str> = Vec::new();
    for line in lines {
        if !engines.contains(&line.engine.as_str()) {
            engines.push(&line.engine);
        }
    }
    let mut ends: Vec<(f64, &str, &str)> = Vec::new();
    for (engine, colour) in engines.iter().zip(COLOURS.iter().cycle()) {
        let own: Vec<&Line> = lines.iter().filter(|line| line.engine == *engine).collect();
        let point = |line: &&Line| {
            let (x, y) = (x(line.policies as f64), y(line.median.as_secs_f64()));
            format!("{x:.1},{y:.1}")
        };
        let points: Vec<String> = own.iter().map(point).collect();
        let points = points.join(" ");
        let _ = writeln!(
            text,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>"
        );
        if let Some(last) = own.last() {
            ends.push((y(last.median.as_secs_f64()), engine, colour));
        }
    }
    // Names stand at the ends of their lines, and not on each other.
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut free = TOP;
    for (at, engine, colour) in ends {
        let at = (at + 4.0).max(free);
        free = at + 15.0;
        let right = WIDTH - RIGHT + 8.0;
        let _ = writeln!(
            text,
            "<text x=\"{right}\" y=\"{at:.1}\" fill=\"{colour}\">{engine}</text>"
        );
    }
}

/// `1 µs` without the digits of a measurement.
fn label(took: Duration) -> String {
    time(took).replace(".00", "").replace(".0", "")
}
