//! Nothing stands behind the record that closes a log.

use super::super::chain::Link;
use super::super::scan::parse;
use super::checkpoints::{TestKey, closed};
use super::retention::{DAY, assert_gone, clock, open_on_day, pass, segments_of, write};
use super::*;

const AT: &str = "2026-09-21T14:13:20.000Z";

/// Where a segment ends.
fn end_of(path: &Path) -> Link {
    let last = lines(path).pop().unwrap();
    let (frame, stamp) = parse(last.strip_suffix(b"\n").unwrap()).unwrap();
    Link {
        seq: stamp.seq,
        hash: frame.hash,
    }
}

/// A record that continues the chain.
fn release(link: Link, bytes: &mut Vec<u8>) -> Link {
    let fields =
        format!(r#""kind":"release","at":"{AT}","outcome":"ok","action":"a","resource":"b""#);
    link.append(&fields, bytes)
}

/// A whole segment that continues the chain.
fn segment_behind(link: Link, writer: &str, number: u32) -> Vec<u8> {
    let previous = chain::hex(&link.hash);
    let header = format!(
        r#""kind":"segment","at":"{AT}","format":1,"writer":"{writer}","segment":{number},"pid":7,"previous":"{previous}""#
    );
    let mut bytes = Vec::new();
    let link = link.append(&header, &mut bytes);
    release(link, &mut bytes);
    bytes
}

#[test]
fn what_stands_behind_the_end_of_a_closed_log_is_found_once() {
    for is_new_segment in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let key = TestKey::new();
        let writer = closed(folder.path(), &key, 3);
        let path = segment(folder.path(), &writer, 1);
        let end = end_of(&path);
        let line = if is_new_segment {
            let bytes = segment_behind(end, &writer, 2);
            fs::write(segment(folder.path(), &writer, 2), bytes).unwrap();
            1
        } else {
            let mut bytes = fs::read(&path).unwrap();
            let line = lines(&path).len() + 1;
            let link = release(end, &mut bytes);
            release(link, &mut bytes);
            fs::write(&path, bytes).unwrap();
            u64::try_from(line).unwrap()
        };
        for options in [
            VerifyOptions::new(),
            VerifyOptions::new().with_key(key.public()),
        ] {
            let found = verify_with(folder.path(), &options).unwrap();
            assert_eq!(kinds(&found), [(FindingKind::BehindClose, line)]);
            assert_eq!(found.findings[0].seq, Some(end.seq + 1));
        }
    }
}

#[test]
fn what_stands_behind_a_closed_log_that_was_removed_by_rule_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = open_on_day(folder.path(), &clock, &key);
    write(&old, &clock, 0..2);
    old.close(LONG).unwrap();
    let last = u32::try_from(segments_of(folder.path(), old.writer())).unwrap();
    let end = end_of(&segment(folder.path(), old.writer(), last));
    for _ in 0..2 {
        clock.advance(20 * DAY);
        pass(folder.path(), &clock, &key);
    }
    assert_gone(folder.path(), old.writer());
    let bytes = segment_behind(end, old.writer(), last + 1);
    fs::write(segment(folder.path(), old.writer(), last + 1), bytes).unwrap();
    let options = VerifyOptions::new().with_key(key.public());
    let found = verify_with(folder.path(), &options).unwrap();
    assert_eq!(kinds(&found), [(FindingKind::BehindClose, 1)], "{found:?}");
}
