//! A record as the text of its line: each name with what stands before it is one piece.

use super::{Count, Kind, Outcome, Record};
use crate::audit::json::{decimal, digit, push_text};
use crate::clock::{Timestamp, civil};
use crate::id::Guid;

impl Record {
    /// Appends the fields as JSON, without `seq` and the braces.
    pub(in super::super) fn push_fields(
        &self,
        counted: Option<Count>,
        clock: &mut civil::Writer,
        out: &mut Vec<u8>,
    ) {
        let contents = &*self.0;
        let kind = if counted.is_some() {
            Kind::Counted
        } else {
            contents.kind
        };
        out.extend_from_slice(b"\"kind\":\"");
        out.extend_from_slice(kind.name().as_bytes());
        push_moment("\",\"at\":", contents.at, clock, out);
        if let Some(Count { count, first, last }) = counted {
            push(",\"of\":", contents.kind.name(), out);
            push_number(",\"count\":", count, out);
            push_moment(",\"first\":", first, clock, out);
            push_moment(",\"last\":", last, clock, out);
        }
        out.extend_from_slice(b",\"outcome\":\"");
        out.extend_from_slice(contents.outcome.name().as_bytes());
        out.push(b'"');
        out.extend_from_slice(contents.fields.text());
        if contents.omitted > 0 {
            push_number(",\"omitted\":", contents.omitted, out);
        }
    }
}

impl Kind {
    /// As records name it.
    const fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Release => "release",
            Self::Effect => "effect",
            Self::Authentication => "authentication",
            Self::Admin => "admin",
            Self::Counted => "counted",
        }
    }
}

impl Outcome {
    /// As records name it.
    const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::ExplicitDeny => "explicit_deny",
            Self::DefaultDeny => "default_deny",
            Self::Refused => "refused",
            Self::Ok => "ok",
            Self::Failed => "failed",
        }
    }
}

/// Appends a name, with what stands before it, and its value.
pub(super) fn push(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    push_text(value, out);
}

pub(super) fn push_number(name: &str, value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(decimal(value, &mut [0; 20]).as_bytes());
}

/// As the id prints itself, without the formatter.
pub(super) fn push_id(name: &str, id: Guid, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
    for (at, byte) in id.as_u128().to_be_bytes().into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    out.push(b'"');
}

fn push_moment(name: &str, at: Timestamp, clock: &mut civil::Writer, out: &mut Vec<u8>) {
    match clock.text(at.as_millis()) {
        Some(text) => {
            out.extend_from_slice(name.as_bytes());
            out.push(b'"');
            out.extend_from_slice(&text);
            out.push(b'"');
        }
        None => push(name, &at.to_string(), out),
    }
}

#[cfg(test)]
mod tests;
