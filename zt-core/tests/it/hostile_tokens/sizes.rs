//! How deep and how long: the limits, one less and one more.

use super::Case;
use super::mint::{Door, Object, signed, signed_bytes};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = nestings();
    cases.extend(lengths());
    cases
}

/// Depth: 128 levels is where reading stops.
fn nestings() -> Vec<Case> {
    let deep = |depth: usize, open: &str, close: &str| {
        let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        Object::user().and(r#""x""#, &value)
    };
    let rows = [
        ("126 lists", deep(126, "[", "]"), "accepted"),
        ("127 lists", deep(127, "[", "]"), "json: payload"),
        ("200 lists", deep(200, "[", "]"), "json: payload"),
        ("5,000 lists", deep(5_000, "[", "]"), "json: payload"),
        (
            "5,000 lists that do not end",
            deep(5_000, "[", ""),
            "json: payload",
        ),
        ("126 objects", deep(126, r#"{"a":"#, "}"), "accepted"),
        ("200 objects", deep(200, r#"{"a":"#, "}"), "json: payload"),
        (
            "3,000 objects",
            deep(3_000, r#"{"a":"#, "}"),
            "json: payload",
        ),
        ("100,000 lists", deep(100_000, "[", "]"), "too long: token"),
    ];
    let mut cases: Vec<Case> = rows
        .into_iter()
        .map(|(name, payload, expected)| {
            let token = signed(&Object::header(), &payload);
            Case::new(
                "depth",
                format!("payload, {name}"),
                Door::Development,
                token,
                expected,
            )
        })
        .collect();
    let header = Object::header().and(r#""x""#, &"[".repeat(500));
    let token = signed(&header, &Object::user());
    cases.push(Case::new(
        "depth",
        "header, 500 lists",
        Door::Development,
        token,
        "json: header",
    ));
    cases
}

fn lengths() -> Vec<Case> {
    let limit = zt_core::identity::MAX_TOKEN_BYTES;
    let mut cases = Vec::new();
    for (name, length, expected) in [
        ("one byte less than the limit", limit - 1, "accepted"),
        ("the limit", limit, "accepted"),
        ("one byte more than the limit", limit + 1, "too long: token"),
        ("a megabyte", 1 << 20, "too long: token"),
    ] {
        cases.push(Case::new(
            "length",
            name,
            Door::Development,
            of_length(length),
            expected,
        ));
    }
    for (name, bytes, expected) in [
        ("header of 2,047 characters", 1_535, "accepted"),
        ("header of 2,048 characters", 1_536, "accepted"),
        ("header of 2,050 characters", 1_537, "too long: header"),
    ] {
        let header = Object::header().text();
        let header = format!("{header}{}", " ".repeat(bytes - header.len()));
        let token = signed_bytes(header.as_bytes(), Object::user().text().as_bytes());
        cases.push(Case::new(
            "length",
            name,
            Door::Development,
            token,
            expected,
        ));
    }
    cases
}

/// A token of exactly so many bytes: spaces at the end of header and payload, which base64 turns into other lengths.
fn of_length(length: usize) -> String {
    const SIGNATURE: usize = 342;
    let base64 = |bytes: usize| (bytes * 4).div_ceil(3);
    let (header, payload) = (Object::header().text(), Object::user().text());
    for more in 0..4 {
        let header = format!("{header}{}", " ".repeat(more));
        let wanted = length - base64(header.len()) - SIGNATURE - 2;
        let bytes = wanted * 3 / 4;
        if base64(bytes) == wanted {
            let payload = format!("{payload}{}", " ".repeat(bytes - payload.len()));
            let token = signed_bytes(header.as_bytes(), payload.as_bytes());
            assert_eq!(token.len(), length);
            return token;
        }
    }
    String::new()
}
