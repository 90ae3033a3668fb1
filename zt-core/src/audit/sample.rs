//! A log for contract suites: made as the writer makes it, without a disk.

use super::chain::Link;
use super::sink::SinkRecord;

/// The records of a log of one segment: its header, then `records` releases whose names hold what JSON escapes.
pub(crate) fn sample_log(writer: &str, records: usize) -> Vec<SinkRecord> {
    let zeros = "0".repeat(64);
    let at = r#""at":"2026-10-01T08:00:00.000Z""#;
    let header = format!(
        r#""kind":"segment",{at},"format":1,"writer":"{writer}","segment":1,"pid":7,"previous":"{zeros}""#
    );
    let release = |number| {
        format!(
            r#""kind":"release",{at},"outcome":"ok","caller":"sp:sp-score-201","action":"secret.read","resource":"secret:naïve \"{number}\" 🔑\u0001","policies":["AP-07"],"snapshot":{{"version":7,"content":"9f2c"}},"detail":{{"version":"v3"}}"#
        )
    };
    let mut link = Link::START;
    let lines = std::iter::once(header).chain((0..records).map(release));
    lines
        .map(|fields| {
            let mut line = Vec::new();
            link = link.append(&fields, &mut line);
            let text = String::from_utf8_lossy(&line);
            SinkRecord::new(link.seq, super::chain::hex(&link.hash), text.trim_end())
        })
        .collect()
}
