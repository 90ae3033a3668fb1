//! Groups as Markdown tables.

use std::fmt::Write as _;
use std::time::Duration;

use crate::harness::Group;

/// One table a group; the ratio is how many times the first line's median each line takes.
pub fn markdown(groups: &[Group]) -> String {
    let mut text = String::new();
    for group in groups {
        let _ = writeln!(text, "\n## {}\n", group.title);
        text.push_str("| what | median | least | ratio |\n|---|---:|---:|---:|\n");
        let first = group
            .measured
            .first()
            .map_or(0.0, |first| first.median.as_secs_f64());
        for measured in &group.measured {
            let ratio = measured.median.as_secs_f64() / first;
            let (median, least) = (time(measured.median), time(measured.least));
            let _ = writeln!(
                text,
                "| {} | {median} | {least} | {ratio:.2} |",
                measured.name
            );
        }
    }
    text
}

/// A duration with three digits: `1.24 ms`.
pub fn time(took: Duration) -> String {
    let ns = took.as_secs_f64() * 1e9;
    let (value, unit) = match ns {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    let digits = if value < 10.0 {
        2
    } else {
        usize::from(value < 100.0)
    };
    format!("{value:.digits$} {unit}")
}
