//! What Key Vault gave, read strictly and copied once.
//!
//! In: an answer with status 200. Out: the value with what the audit record says of it, or an integrity error that repeats
//! nothing of the answer. Source: Microsoft Learn, "Get Secret", `SecretBundle`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::network::{HttpResponse, PathKind};
use crate::secrets::{
    Attempt, Fetched, SecretBytes, SecretId, SecretVersion, Validity, VaultError,
};

/// Key Vault's limit for a value: 25 KB.
const MOST_VALUE_BYTES: usize = 25_600;

/// The longest answer: a value in which each byte is escaped, with its tags.
pub(super) const MOST_BYTES: usize = 256 * 1024;

/// The last second of the year 9999, which some write for "never".
const LAST_MOMENT: i64 = 253_402_300_799;

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

#[derive(Deserialize)]
struct Attributes {
    enabled: bool,
    exp: Option<i64>,
    nbf: Option<i64>,
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
    let version = version_of(id, &bundle.id)
        .ok_or_else(|| broken("it answered with another secret than the one asked for"))?;
    let validity = bundle.attributes.validity();
    let validity = validity.ok_or_else(|| broken("a date in the answer is out of range"))?;
    let value = text(bundle.value.get()).ok_or_else(|| broken("the value is not text"))?;
    if value.len() > MOST_VALUE_BYTES {
        return Err(broken("the value is longer than Key Vault's are"));
    }
    let path = answer.path.as_ref();
    let proof = path.map_or(PathKind::Unproven, |path| path.kind);
    let fetched = Fetched::new(value, version)
        .with_validity(validity)
        .with_path_proof(proof.as_str());
    Ok(detailed(fetched, attempt, answer))
}

/// What the audit record says of the call.
fn detailed(fetched: Fetched, attempt: &Attempt, answer: &HttpResponse) -> Fetched {
    let endpoint = answer.path.as_ref();
    let endpoint = endpoint.and_then(|path| path.private_endpoint.as_deref());
    let header = |name| answer.header(name).and_then(plain);
    let details = [
        ("request_id", header("x-ms-request-id")),
        ("peer", answer.peer.map(|peer| peer.to_string())),
        ("private_endpoint", endpoint.and_then(plain)),
        (
            "rbac_assignment",
            header("x-ms-keyvault-rbac-assignment-id"),
        ),
        ("region", header("x-ms-keyvault-region")),
    ];
    let details = details
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)));
    let fetched = fetched.with_detail("client_request_id", attempt.id.to_string());
    details.fold(fetched, |fetched, (name, text)| {
        fetched.with_detail(name, text)
    })
}

/// A word that may stand in our log.
fn plain(text: &str) -> Option<String> {
    let fits = (1..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| text.to_owned())
}

fn is_json(answer: &HttpResponse) -> bool {
    let media_type = answer.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

/// The version that `given` names, if it names a version of `asked`: this vault, this name, the pinned version. Whoever
/// answers for another secret is found out here, whatever happened to the path on its way.
fn version_of(asked: &SecretId, given: &str) -> Option<SecretVersion> {
    let (secret, version) = given.rsplit_once('/')?;
    let own = format!("{}/secrets/{}", asked.vault(), asked.name());
    let version: SecretVersion = version.parse().ok()?;
    let fits = asked.version().is_none_or(|pinned| pinned == version);
    (fits && secret.eq_ignore_ascii_case(&own)).then_some(version)
}

impl Attributes {
    fn validity(&self) -> Option<Validity> {
        Some(Validity {
            enabled: self.enabled,
            not_before: moment(self.nbf)?,
            expires: moment(self.exp)?,
        })
    }
}

fn moment(seconds: Option<i64>) -> Option<Option<Timestamp>> {
    match seconds {
        None => Some(None),
        Some(seconds) if (0..=LAST_MOMENT).contains(&seconds) => {
            Some(Some(Timestamp::from_secs(seconds)))
        }
        Some(_) => None,
    }
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
