//! Reads what every record has from a line as our own writer writes it, several times faster than a general parser.
//!
//! In: a line without its hash. Out: its stamp, or `None` for whatever this reader does not know for certain: escapes, letters
//! beyond ASCII, spaces, fractions, another order. Then the general parser answers. Where this one answers, both say the same:
//! what it takes is a subset of JSON (RFC 8259), and it looks at every byte.

use std::borrow::Cow;

use super::Stamp;
use crate::audit::json::quote;

/// How deep lists and objects may stand in each other; ours stand in two.
const DEEPEST: u32 = 4;

/// The stamp of a line up to its hash.
pub(super) fn stamp(body: &[u8]) -> Option<Stamp<'_>> {
    if !is_plain(body) {
        return None;
    }
    let mut at = Cursor(body);
    at.pass(b"{\"seq\":")?;
    let seq = at.number()?;
    at.pass(b",\"kind\":\"")?;
    let kind = at.text()?;
    at.pass(b",\"at\":\"")?;
    let mut stamp = Stamp {
        seq,
        kind: text(kind)?,
        at: text(at.text()?)?,
        action: Cow::Borrowed(""),
    };
    // What nearly every record has, in its order: a known name is passed faster than any name is read.
    at.pass_field(b",\"outcome\":\"")?;
    at.pass_field(b",\"caller\":\"")?;
    at.pass_field(b",\"tenant\":\"")?;
    at.pass_field(b",\"oid\":\"")?;
    let mut has_action = at.pass(b",\"action\":\"").is_some();
    if has_action {
        stamp.action = text(at.text()?)?;
    }
    at.pass_field(b",\"resource\":\"")?;
    at.pass_field(b",\"decision\":\"")?;
    while !at.0.is_empty() {
        at.pass(b",\"")?;
        let name = at.text()?;
        at.pass(b":")?;
        match name {
            b"action" if !has_action => {
                at.pass(b"\"")?;
                stamp.action = text(at.text()?)?;
                has_action = true;
            }
            // A name that stands twice is no record.
            b"seq" | b"kind" | b"at" | b"action" => return None,
            _ => at.value(0)?,
        }
    }
    Some(stamp)
}

fn text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    std::str::from_utf8(bytes).ok().map(Cow::Borrowed)
}

/// Whether all of it is ASCII without control characters and escapes: then a text ends at the next quote. Without a branch
/// in it, so that the compiler takes many bytes at a time.
fn is_plain(bytes: &[u8]) -> bool {
    let special = bytes.iter().fold(0, |special, byte| {
        special | u8::from(byte.wrapping_sub(0x20) > 0x5f) | u8::from(*byte == b'\\')
    });
    special == 0
}

/// What of the line is left.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn pass<const N: usize>(&mut self, text: &[u8; N]) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// A field that may be there, with this name and a text.
    fn pass_field<const N: usize>(&mut self, name: &[u8; N]) -> Option<()> {
        match self.pass(name) {
            Some(()) => self.text().map(drop),
            None => Some(()),
        }
    }

    /// Digits; not so many that their number could be too large.
    fn number(&mut self) -> Option<u64> {
        let length = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(length)?;
        let is_plain = match digits {
            [] | [b'0', _, ..] => false,
            [..] => length <= 19,
        };
        if !is_plain {
            return None;
        }
        self.0 = rest;
        let add = |number: u64, digit: &u8| number * 10 + u64::from(digit - b'0');
        Some(digits.iter().fold(0, add))
    }

    /// A text behind its first quote, and its last one with it.
    fn text(&mut self) -> Option<&'a [u8]> {
        let (text, rest) = self.0.split_at_checked(quote(self.0)?)?;
        let (_, rest) = rest.split_first()?;
        self.0 = rest;
        Some(text)
    }

    fn value(&mut self, depth: u32) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        match first {
            b'"' => {
                self.0 = rest;
                self.text().map(drop)
            }
            b'0'..=b'9' => self.number().map(drop),
            b'{' if depth < DEEPEST => {
                self.0 = rest;
                self.elements(b'}', |at| {
                    at.pass(b"\"")?;
                    at.text()?;
                    at.pass(b":")?;
                    at.value(depth + 1)
                })
            }
            b'[' if depth < DEEPEST => {
                self.0 = rest;
                self.elements(b']', |at| at.value(depth + 1))
            }
            _ => None,
        }
    }

    /// One or more elements, and what closes them. None of ours is empty.
    fn elements(&mut self, end: u8, mut one: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        loop {
            one(self)?;
            let (next, rest) = self.0.split_first()?;
            self.0 = rest;
            if *next == end {
                return Some(());
            }
            if *next != b',' {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::chain::{Frame, Link};
    use super::super::super::record::Count;
    use super::*;
    use crate::audit::{Kind, Outcome, Record};
    use crate::clock::Timestamp;
    use crate::id::PolicyId;

    /// What the general parser says.
    fn slow(line: &[u8]) -> Option<Stamp<'_>> {
        serde_json::from_slice(line).ok()
    }

    fn fields(stamp: &Stamp<'_>) -> (u64, String, String, String) {
        let [kind, at, action] =
            [&stamp.kind, &stamp.at, &stamp.action].map(|text| text.clone().into_owned());
        (stamp.seq, kind, at, action)
    }

    /// Whether the quick reader answered; where it does, as the other does.
    fn agrees(line: &[u8]) -> Result<bool, TestCaseError> {
        let Some(frame) = Frame::parse(line) else {
            return Ok(false);
        };
        let Some(quick) = stamp(frame.body) else {
            return Ok(false);
        };
        let slow = slow(line);
        let shown = String::from_utf8_lossy(line);
        prop_assert_eq!(Some(fields(&quick)), slow.as_ref().map(fields), "{}", shown);
        Ok(true)
    }

    fn line(record: &Record, count: Option<u64>) -> Vec<u8> {
        let at = Timestamp::from_millis(7);
        let count = count.map(|count| Count {
            count,
            first: at,
            last: at,
        });
        let mut line = Vec::new();
        let _link = Link::START.append(record.fields(count), &mut line);
        line.pop();
        line
    }

    fn full(text: &str) -> Record {
        let at = Timestamp::from_secs(1_790_000_000);
        Record::new(Kind::Release, at, "secret.read", text, Outcome::Ok)
            .with_caller(text)
            .with_decision("d-1")
            .with_policies([PolicyId::new("AP-07"), PolicyId::new("AP-08")])
            .with_snapshot(7, "9f2c")
            .with_fact("job", "201", text)
            .with_detail("version", "v3")
            .with_detail(text, "v3")
            .with_near_miss(text)
    }

    #[test]
    fn what_our_writer_writes_is_read_without_the_general_parser() {
        for count in [None, Some(1), Some(u64::from(u32::MAX))] {
            for text in ["", "secret:a", "a text that is longer than some words are"] {
                assert!(agrees(&line(&full(text), count)).unwrap(), "{text}");
            }
        }
        assert!(
            !agrees(&line(&full("é"), None)).unwrap(),
            "left to the other"
        );
    }

    /// What a mutation puts in: what JSON, our names and other readers make something of.
    const PIECES: &[&str] = &[
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\n",
        "\0",
        "0",
        "1",
        "-",
        ".",
        "e",
        "a",
        "é",
        "\u{7f}",
        "true",
        "null",
        "{}",
        "[]",
        "\\u0061",
        ",\"seq\":1",
        ",\"kind\":\"admin\"",
        ",\"action\":\"a.b\"",
        ",\"action\":1",
        ",\"at\":\"\"",
        ",\"hash\":\"",
        "\"\":[[[[[[1]]]]]]",
        "18446744073709551616",
        "00",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_changed_line_is_read_as_the_general_parser_reads_it(
            text in "[ -~]{0,20}|[a-zé\"\\\\]{0,9}",
            count in proptest::option::of(any::<u64>()),
            changes in proptest::collection::vec(
                (any::<prop::sample::Index>(), 0..4_u8, any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let mut line = line(&full(&text), count);
            let end = line.len() - Frame::parse(&line).map_or(0, |frame| line.len() - frame.body.len());
            for (at, how, piece, byte) in changes {
                let at = at.index(end.min(line.len()));
                match how {
                    0 => line[at] = byte,
                    1 => drop(line.remove(at)),
                    2 => drop(line.splice(at..at, piece.get(PIECES).bytes())),
                    _ => line[at] ^= 1 << (byte % 8),
                }
            }
            agrees(&line)?;
        }
    }
}
