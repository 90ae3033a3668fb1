//! What Key Vault gave, read strictly and copied once.
//!
//! In: an answer with status 200. Out: the value with what the audit record says of it, or an integrity error that repeats
//! nothing of the answer. Source: Microsoft Learn, "Get Secret", `SecretBundle`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::adapters::azure::key_vault::{Attributes, Kind, described, is_json, version_of};
use crate::network::HttpResponse;
use crate::secrets::{Attempt, Fetched, SecretBytes, SecretId, VaultError};

/// Key Vault's limit for a value: 25 KB.
const MOST_VALUE_BYTES: usize = 25_600;

/// What we read of a secret; certificates' `kid` and `managed` change nothing.
#[derive(Deserialize)]
struct Bundle<'a> {
    /// As it stands in the answer: `serde_json` would unescape it into a buffer that nobody wipes.
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(borrow)]
    id: Cow<'a, str>,
    attributes: Attributes,
}

/// The secret `id` as the answer holds it.
pub(super) fn read(
    id: &SecretId,
    attempt: &Attempt,
    answer: &HttpResponse,
) -> Result<Fetched, VaultError> {
    let broken = |reason: &str| VaultError::integrity(id.vault().as_str(), reason);
    if !is_json(answer) {
        return Err(broken("the answer is not JSON"));
    }
    let bundle: Bundle<'_> = serde_json::from_slice(&answer.body)
        .map_err(|_| broken("the answer is not a secret as Key Vault writes one"))?;
    let version = version_of(id, Kind::Secret, &bundle.id)
        .ok_or_else(|| broken("it answered with another secret than the one asked for"))?;
    let validity = bundle.attributes.validity();
    let validity = validity.ok_or_else(|| broken("a date in the answer is out of range"))?;
    let value = text(bundle.value.get()).ok_or_else(|| broken("the value is not text"))?;
    if value.len() > MOST_VALUE_BYTES {
        return Err(broken("the value is longer than Key Vault's are"));
    }
    let fetched = Fetched::new(value, version).with_validity(validity);
    Ok(described(fetched, attempt, answer))
}

/// The bytes of a JSON text that `serde_json` has checked. The one buffer between is wiped.
fn text(raw: &str) -> Option<SecretBytes> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        unescape(inner).map(SecretBytes::from)
    } else {
        Some(SecretBytes::copy_of(inner.as_bytes()))
    }
}

/// RFC 8259 §7. No escape is shorter than what it stands for, so the buffer never grows and leaves no copy behind.
fn unescape(escaped: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(escaped.len()));
    let mut rest = escaped;
    while let Some((plain, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let mut chars = after.chars();
        let (meant, tail) = match chars.next()? {
            'u' => unicode(chars.as_str())?,
            short => (short_escape(short)?, chars.as_str()),
        };
        bytes.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes());
        rest = tail;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}

const fn short_escape(letter: char) -> Option<char> {
    Some(match letter {
        '"' | '\\' | '/' => letter,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        _ => return None,
    })
}

/// What stands behind `\u`: four digits, or a pair of surrogates. Half a pair is no text.
fn unicode(text: &str) -> Option<(char, &str)> {
    let (unit, rest) = unit(text)?;
    if let Some(meant) = char::from_u32(u32::from(unit)) {
        return Some((meant, rest));
    }
    let (low, rest) = self::unit(rest.strip_prefix("\\u")?)?;
    let meant = char::decode_utf16([unit, low]).next()?.ok()?;
    Some((meant, rest))
}

fn unit(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let unit = u16::from_str_radix(digits, 16).ok()?;
    is_hex.then_some((unit, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_comes_back_from_json(value in any::<String>()) {
            let raw = serde_json::to_string(&value).unwrap();
            prop_assert!(text(&raw).unwrap().reveal() == value.as_bytes());
            let escaped: String = value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            let raw = format!("\"{escaped}\"");
            prop_assert!(text(&raw).unwrap().reveal() == value.as_bytes());
        }

        #[test]
        fn no_text_makes_it_panic(raw in "\"([a-z\\\\u0-9dD89]{0,20}|é|\\\\){0,4}\"?") {
            let ours = text(&raw).map(|bytes| bytes.reveal().to_vec());
            if let Ok(theirs) = serde_json::from_str::<String>(&raw) {
                prop_assert_eq!(ours, Some(theirs.into_bytes()));
            }
        }
    }

    #[test]
    fn half_a_pair_of_surrogates_is_no_text() {
        for raw in [
            r#""\ud83d""#,
            r#""\ud83dx""#,
            r#""\ud83d\u0041""#,
            r#""\udd11""#,
        ] {
            assert!(text(raw).is_none(), "{raw}");
        }
        assert!(text(r#""\ud83d\udd11\/""#).unwrap().reveal() == "🔑/".as_bytes());
    }
}
