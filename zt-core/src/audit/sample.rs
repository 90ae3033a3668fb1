//! Logs for contract suites: made as the writer makes them, without a disk.

use super::chain::{Link, hex};
use super::sink::SinkRecord;

const AT: &str = r#""at":"2026-10-01T08:00:00.000Z""#;

/// The records of a log of one segment: its header, then `records` releases whose names hold what JSON escapes.
pub(crate) fn sample_log(writer: &str, records: usize) -> Vec<SinkRecord> {
    sample_segments(writer, &[records])
}

/// The records of a log of several segments with so many releases each.
pub(crate) fn sample_segments(writer: &str, segments: &[usize]) -> Vec<SinkRecord> {
    let mut link = Link::START;
    let mut log = Vec::new();
    for (segment, records) in (1..).zip(segments) {
        let header = header(writer, segment, &hex(&link.hash));
        for fields in std::iter::once(header).chain((0..*records).map(release)) {
            let mut line = Vec::new();
            link = link.append(&fields, &mut line);
            let text = String::from_utf8_lossy(&line);
            log.push(SinkRecord::new(link.seq, hex(&link.hash), text.trim_end()));
        }
    }
    log
}

fn header(writer: &str, segment: u32, previous: &str) -> String {
    format!(
        r#""kind":"segment",{AT},"format":1,"writer":"{writer}","segment":{segment},"pid":7,"previous":"{previous}""#
    )
}

fn release(number: usize) -> String {
    format!(
        r#""kind":"release",{AT},"outcome":"ok","caller":"sp:sp-score-201","action":"secret.read","resource":"secret:naïve \"{number}\" 🔑\u0001","policies":["AP-07"],"snapshot":{{"version":7,"content":"9f2c"}},"detail":{{"version":"v3"}}"#
    )
}
