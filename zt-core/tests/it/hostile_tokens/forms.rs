//! The text of the token: its parts, their base64url, their JSON.

use super::Case;
use super::json_texts::{BAD_BYTES, BAD_VALUES};
use super::mint::{Door, Object, encode, signed, signed_bytes, signed_parts};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = spellings();
    cases.extend(parts());
    cases.extend(schemes());
    cases.extend(payload_texts());
    cases.extend(header_texts());
    cases
}

fn good() -> String {
    signed(&Object::header(), &Object::user())
}

/// Other spellings of one part, each signed as it is spelt.
fn spellings() -> Vec<Case> {
    let mut cases = Vec::new();
    // One byte more than a multiple of three: four bits of the last character are unused.
    let header = spaced(Object::header().text(), 1);
    let payload = spaced(Object::user().text(), 1);
    let (header, payload) = (encode(header.as_bytes()), encode(payload.as_bytes()));
    let whole = signed_parts(&header, &payload);
    let (input, signature) = whole.rsplit_once('.').unwrap();
    for (name, change) in SPELLINGS {
        let mut add = |part: &str, token: String| {
            let expected = format!("base64: {part}");
            cases.push(Case::new(
                "base64",
                format!("{part}, {name}"),
                Door::Development,
                token,
                &expected,
            ));
        };
        add("header", signed_parts(&change(&header), &payload));
        add("payload", signed_parts(&header, &change(&payload)));
        add("signature", format!("{input}.{}", change(signature)));
    }
    cases
}

type Spelling = fn(&str) -> String;

const SPELLINGS: &[(&str, Spelling)] = &[
    ("padded", |text| format!("{text}==")),
    ("half padded", |text| format!("{text}=")),
    ("padded too much", |text| format!("{text}====")),
    ("padding escaped", |text| format!("{text}%3D%3D")),
    ("unused bits set", |text| with_last(text, 1)),
    ("all unused bits set", |text| with_last(text, 15)),
    ("standard alphabet", |text| {
        format!("+/{}", text.get(2..).unwrap())
    }),
    ("a character more", |text| format!("{text}AAA")),
    ("a space after", |text| format!("{text} ")),
    ("a space before", |text| format!(" {text}")),
    ("a space inside", |text| inside(text, " ")),
    ("a tab inside", |text| inside(text, "\t")),
    ("a line feed inside", |text| inside(text, "\n")),
    ("line breaks inside", |text| inside(text, "\r\n")),
    ("a line feed after", |text| format!("{text}\n")),
    ("NUL after", |text| format!("{text}\0")),
    ("NUL inside", |text| inside(text, "\0")),
    ("a byte order mark before", |text| format!("\u{feff}{text}")),
    ("a zero-width space inside", |text| inside(text, "\u{200b}")),
    ("a full-width letter", |text| inside(text, "Ａ")),
    ("a quote around", |text| format!("\"{text}\"")),
    ("a comma inside", |text| inside(text, ",")),
];

fn inside(text: &str, what: &str) -> String {
    let (before, after) = text.split_at(8);
    format!("{before}{what}{after}")
}

/// The last character with further bits set, which decode to nothing.
fn with_last(text: &str, bits: usize) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (before, last) = text.split_at(text.len() - 1);
    let at = ALPHABET.find(last).unwrap() | bits;
    format!("{before}{}", ALPHABET.get(at..=at).unwrap())
}

/// A JSON text with spaces at its end until it has such a length modulo three.
fn spaced(mut text: String, modulo_3: usize) -> String {
    while text.len() % 3 != modulo_3 {
        text.push(' ');
    }
    text
}

fn parts() -> Vec<Case> {
    let whole = good();
    let [header, payload, signature] = whole.split('.').collect::<Vec<_>>()[..] else {
        return Vec::new();
    };
    let jwe = encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let none = encode(br#"{"alg":"none"}"#);
    let mut rows = vec![
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("no signature", format!("{header}.{payload}.")),
        ("no payload, detached", format!("{header}..{signature}")),
        ("no header", format!(".{payload}.{signature}")),
        ("four parts", format!("{whole}.{signature}")),
        ("four parts, the last empty", format!("{whole}.")),
        ("four parts, the first empty", format!(".{whole}")),
        ("five parts", format!("{whole}.{payload}.{signature}")),
        ("five parts of a JWE", format!("{jwe}.AA.AA.AA.AA")),
        ("two tokens", format!("{whole},{whole}")),
        ("dots alone", "..".to_owned()),
        ("many dots", ".".repeat(1_000)),
        (
            "unsecured, RFC 7519 section 6.1",
            format!("{none}.{payload}."),
        ),
        ("the claims alone", Object::user().text()),
        (
            "full stops of another script",
            whole.replace('.', "\u{ff0e}"),
        ),
        ("an opaque token", "0.AXoAq1b2c3".to_owned()),
    ];
    rows.extend(json_serialisations(header, payload, signature));
    let case = |(name, token): (&'static str, String), expected: &str| {
        Case::new("parts", name, Door::Development, token, expected)
    };
    let mut cases: Vec<Case> = rows
        .into_iter()
        .map(|row| case(row, "not three parts"))
        .collect();
    let unsecured = format!("{none}.{payload}.{signature}");
    cases.push(case(("unsecured, with a signature", unsecured), "alg"));
    let text = "a token. of some. kind".to_owned();
    cases.push(case(("not base64", text), "base64: header"));
    cases
}

/// RFC 7515 section 7.2.
fn json_serialisations(
    header: &str,
    payload: &str,
    signature: &str,
) -> [(&'static str, String); 3] {
    let signed = format!(r#""protected":"{header}","signature":"{signature}""#);
    let flat = format!(r#"{{"payload":"{payload}",{signed}}}"#);
    let general = format!(r#"{{"payload":"{payload}","signatures":[{{{signed}}}]}}"#);
    let mixed = format!(r#"{{"payload":"{payload}","header":{{"kid":"x"}},{signed}}}"#);
    [
        ("JSON serialisation, flat", flat),
        ("JSON serialisation, general", general),
        ("JSON serialisation, unprotected kid", mixed),
    ]
}

fn schemes() -> Vec<Case> {
    let whole = good();
    let rows: Vec<(&str, String, &str)> = vec![
        ("nothing", String::new(), "missing"),
        ("a scheme and a space", "Bearer ".to_owned(), "missing"),
        ("a scheme alone", "Bearer".to_owned(), "not three parts"),
        ("two spaces", format!("Bearer  {whole}"), "base64: header"),
        ("a tab", format!("Bearer\t{whole}"), "base64: header"),
        ("a colon", format!("Bearer: {whole}"), "base64: header"),
        (
            "a scheme twice",
            format!("Bearer Bearer {whole}"),
            "base64: header",
        ),
        (
            "a space before",
            format!(" Bearer {whole}"),
            "base64: header",
        ),
        ("another scheme", format!("DPoP {whole}"), "base64: header"),
        (
            "the scheme of bound tokens",
            format!("MTLS_POP {whole}"),
            "base64: header",
        ),
        (
            "the scheme of signed requests",
            format!("PoP {whole}"),
            "base64: header",
        ),
        (
            "Basic",
            "Basic bWF5YTpuZWVkbGU=".to_owned(),
            "not three parts",
        ),
        (
            "the name of the header",
            format!("Authorization: Bearer {whole}"),
            "base64: header",
        ),
        (
            "a parameter",
            format!("access_token={whole}"),
            "base64: header",
        ),
        ("a quoted token", format!("\"{whole}\""), "base64: header"),
    ];
    let case = |(name, token, expected): (&'static str, String, &str)| {
        Case::new("scheme", name, Door::Development, token, expected)
    };
    rows.into_iter().map(case).collect()
}

/// Payloads that are not one JSON object, signed all the same.
fn payload_texts() -> Vec<Case> {
    let header = Object::header().text();
    let mut cases = Vec::new();
    let mut add = |name: String, payload: &[u8]| {
        let token = signed_bytes(header.as_bytes(), payload);
        cases.push(Case::new(
            "json",
            name,
            Door::Development,
            token,
            "json: payload",
        ));
    };
    let user = Object::user().text();
    for (name, bytes) in whole_texts(&user) {
        add(format!("payload, {name}"), &bytes);
    }
    let nested = good();
    add("payload, a token".to_owned(), nested.as_bytes());
    for (name, value) in BAD_VALUES {
        let claims = Object::user().and(r#""x""#, value).text();
        add(format!("value, {name}"), claims.as_bytes());
    }
    for (name, value) in BAD_BYTES {
        let mut claims = Object::user().text().into_bytes();
        claims.pop();
        claims.extend_from_slice(b",\"x\":");
        claims.extend_from_slice(value);
        claims.push(b'}');
        add(format!("value, {name}"), &claims);
    }
    cases
}

fn header_texts() -> Vec<Case> {
    let user = Object::user().text();
    let header = Object::header().text();
    whole_texts(&header)
        .into_iter()
        .map(|(name, bytes)| {
            let token = signed_bytes(&bytes, user.as_bytes());
            Case::new(
                "json",
                format!("header, {name}"),
                Door::Development,
                token,
                "json: header",
            )
        })
        .collect()
}

/// What is not one JSON object, from one that is.
fn whole_texts(object: &str) -> Vec<(&'static str, Vec<u8>)> {
    let open = object.strip_suffix('}').unwrap();
    let wide = |order: fn(u16) -> [u8; 2]| object.encode_utf16().flat_map(order).collect();
    vec![
        ("null", b"null".to_vec()),
        ("a number", b"1".to_vec()),
        ("a string", b"\"a\"".to_vec()),
        ("a list", format!("[{object}]").into_bytes()),
        ("spaces", b"   ".to_vec()),
        (
            "a byte order mark before",
            format!("\u{feff}{object}").into_bytes(),
        ),
        ("UTF-16, little end first", wide(u16::to_le_bytes)),
        ("UTF-16, big end first", wide(u16::to_be_bytes)),
        ("two objects", format!("{object}{object}").into_bytes()),
        ("a byte after", format!("{object}x").into_bytes()),
        ("NUL after", format!("{object}\0").into_bytes()),
        ("NUL before", format!("\0{object}").into_bytes()),
        ("a form feed before", format!("\u{c}{object}").into_bytes()),
        (
            "a no-break space before",
            format!("\u{a0}{object}").into_bytes(),
        ),
        ("cut short", open.as_bytes().to_vec()),
        ("a comma too many", format!("{open},}}").into_bytes()),
        ("a comma first", object.replacen('{', "{,", 1).into_bytes()),
        ("a comment", format!("/* */{object}").into_bytes()),
        ("a comment of a line", format!("{object}//").into_bytes()),
        ("single quotes", object.replace('"', "'").into_bytes()),
        ("a bare name", format!("{open},x:1}}").into_bytes()),
        ("a number as a name", format!("{open},1:1}}").into_bytes()),
        ("no colon", format!("{open},\"x\" 1}}").into_bytes()),
        ("equal signs", object.replace(':', "=").into_bytes()),
        (
            "compressed",
            vec![0x78, 0x9c, 0xab, 0x56, 0x4a, 0x2c, 0x4d, 0x51, 0xb2, 0x52],
        ),
    ]
}
