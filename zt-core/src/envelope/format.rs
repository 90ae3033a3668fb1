//! The bytes of one sealed cell, versions 1 and 2.
//!
//! Text: `zt1.` or `zt2.` and base64url without padding (RFC 4648 section 5) of nonce (12 bytes; none where the column is
//! deterministic), ciphertext, tag (16 bytes). Plaintext: one byte for the type, then the value; see [`Value`]. Nothing here
//! knows a key.

use base64::Engine as _;
use zeroize::Zeroizing;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use {
    base64::engine::{Simd, general_purpose::NO_PAD},
    std::sync::LazyLock,
};

use super::aead::{NONCE_LEN, TAG_LEN};
use crate::batch::Cells;

/// The name of the first version where it is bound to a key or a cell, and the salt of every key.
pub(super) const VERSION: &[u8] = b"zt1";

/// base64url without padding, by wide instructions where the processor has them.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static BASE64: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(NO_PAD));
/// base64url without padding.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

/// How long `zt1.` and `zt2.` are.
#[cfg(feature = "arrow")]
const PREFIX_LEN: usize = 4;

/// What begins a sealed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// `zt1.`: cells that are bound to their column and data key.
    One,
    /// `zt2.`: cells that are bound to their row as well, or deterministic.
    Two,
}

impl Version {
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::One => "zt1.",
            Self::Two => "zt2.",
        }
    }

    /// What begins sealed bytes.
    #[cfg(feature = "arrow")]
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// The least that a sealed cell decodes to: a missing value has one byte, a deterministic cell no nonce.
    const fn shortest(self) -> usize {
        match self {
            Self::One => NONCE_LEN + 1 + TAG_LEN,
            Self::Two => 1 + TAG_LEN,
        }
    }
}

/// A value on its way into a cell or out of it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    /// 0, nothing after it.
    Null,
    /// 1, UTF-8.
    Text(&'a str),
    /// 2, IEEE 754 binary64, little-endian: every bit pattern comes back, also of NaN.
    Number(f64),
    /// 3, 64 bits in two's complement, little-endian.
    Integer(i64),
    /// 4, one byte, 0 or 1.
    Bool(bool),
    /// 5, the bytes.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The cell of a row, counted from 0; `None` beyond the end.
    pub(super) fn at(cells: &'a Cells, row: usize) -> Option<Self> {
        Some(match cells {
            Cells::Text(list) => list.get(row)?.as_deref().map_or(Self::Null, Self::Text),
            Cells::Number(list) => list.get(row)?.map_or(Self::Null, Self::Number),
            Cells::Integer(list) => list.get(row)?.map_or(Self::Null, Self::Integer),
            Cells::Bool(list) => list.get(row)?.map_or(Self::Null, Self::Bool),
            Cells::Bytes(list) => list.get(row)?.as_deref().map_or(Self::Null, Self::Bytes),
        })
    }

    /// Appends type and value.
    pub(super) fn write(self, to: &mut Vec<u8>) {
        // Room for the tag as well, so that the buffer never moves and leaves plaintext behind.
        to.reserve(1 + self.len() + TAG_LEN);
        match self {
            Self::Null => to.push(0),
            Self::Text(text) => {
                to.push(1);
                to.extend_from_slice(text.as_bytes());
            }
            Self::Number(number) => {
                to.push(2);
                to.extend_from_slice(&number.to_le_bytes());
            }
            Self::Integer(number) => {
                to.push(3);
                to.extend_from_slice(&number.to_le_bytes());
            }
            Self::Bool(value) => to.extend_from_slice(&[4, u8::from(value)]),
            Self::Bytes(bytes) => {
                to.push(5);
                to.extend_from_slice(bytes);
            }
        }
    }

    const fn len(self) -> usize {
        match self {
            Self::Null => 0,
            Self::Text(text) => text.len(),
            Self::Number(_) | Self::Integer(_) => 8,
            Self::Bool(_) => 1,
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Reads what [`write`](Self::write) writes, and of what a batch of Arrow holds all that is exactly one of these.
    pub(super) fn read(plain: &'a [u8]) -> Result<Self, NotAValue> {
        let (kind, value) = plain.split_first().ok_or(NotAValue::Unknown)?;
        let read = match kind {
            0..=5 => Self::read_own(*kind, value),
            _ => Self::read_arrow(*kind, value),
        };
        match (read, kind, value) {
            (Some(value), _, _) => Ok(value),
            (None, 6..=37, _) | (None, 0, [6..=37, ..]) => Err(NotAValue::Arrow),
            (None, _, _) => Err(NotAValue::Unknown),
        }
    }

    fn read_own(kind: u8, value: &'a [u8]) -> Option<Self> {
        Some(match (kind, value) {
            // A missing value of Arrow says its type.
            (0, [] | [1..=14 | 26..=29 | 37]) => Self::Null,
            (1, text) => Self::Text(str::from_utf8(text).ok()?),
            (2, number) => Self::Number(f64::from_le_bytes(number.try_into().ok()?)),
            (3, number) => Self::Integer(i64::from_le_bytes(number.try_into().ok()?)),
            (4, [0]) => Self::Bool(false),
            (4, [1]) => Self::Bool(true),
            (5, bytes) => Self::Bytes(bytes),
            _ => return None,
        })
    }

    /// The types of Arrow whose values are whole numbers of 64 bits, binary64, text or bytes.
    fn read_arrow(kind: u8, value: &'a [u8]) -> Option<Self> {
        Some(match kind {
            6 => Self::Integer(i8::from_le_bytes(value.try_into().ok()?).into()),
            7 => Self::Integer(i16::from_le_bytes(value.try_into().ok()?).into()),
            8 => Self::Integer(i32::from_le_bytes(value.try_into().ok()?).into()),
            9 => Self::Integer(u8::from_le_bytes(value.try_into().ok()?).into()),
            10 => Self::Integer(u16::from_le_bytes(value.try_into().ok()?).into()),
            11 => Self::Integer(u32::from_le_bytes(value.try_into().ok()?).into()),
            12 => Self::Integer(u64::from_le_bytes(value.try_into().ok()?).try_into().ok()?),
            14 => Self::Number(f32::from_le_bytes(value.try_into().ok()?).into()),
            26 | 27 => Self::Text(str::from_utf8(value).ok()?),
            28 | 29 => Self::Bytes(value),
            _ => return None,
        })
    }
}

/// Why a plaintext is not a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotAValue {
    /// It is one of a type that only Arrow has.
    Arrow,
    Unknown,
}

/// Why a text is not a sealed cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotSealedText {
    Version,
    Malformed,
}

/// The sealed bytes as text.
pub(super) fn encode(version: Version, sealed: &[u8]) -> String {
    let room = base64::encoded_len(sealed.len(), false).unwrap_or_default();
    let mut text = String::with_capacity(version.prefix().len() + room);
    text.push_str(version.prefix());
    BASE64.encode_string(sealed, &mut text);
    text
}

/// The sealed bytes of a text, in the buffer in which they will be opened.
pub(super) fn decode(text: &str, to: &mut Zeroizing<Vec<u8>>) -> Result<Version, NotSealedText> {
    let (version, body) = after_prefix(text)?;
    to.clear();
    let room = base64::decoded_len_estimate(body.len());
    if to.capacity() < room {
        // Growing in place could leave the plaintext of the cell before in freed memory.
        *to = Zeroizing::new(Vec::with_capacity(room));
    }
    BASE64
        .decode_vec(body, to)
        .map_err(|_| NotSealedText::Malformed)?;
    if to.len() < version.shortest() {
        return Err(NotSealedText::Malformed);
    }
    Ok(version)
}

/// How long the text of so many sealed bytes is.
#[cfg(feature = "arrow")]
pub(super) fn text_len(sealed: usize) -> Option<usize> {
    base64::encoded_len(sealed, false)?.checked_add(PREFIX_LEN)
}

/// How many sealed bytes a text of this length has.
#[cfg(feature = "arrow")]
pub(super) const fn sealed_len(text: usize) -> usize {
    let body = text.saturating_sub(PREFIX_LEN);
    // So that no product overflows.
    body / 4 * 3 + body % 4 * 3 / 4
}

/// Writes whole groups of three bytes as four characters each; answers how many those are.
#[cfg(feature = "arrow")]
pub(super) fn encode_groups(sealed: &[u8], to: &mut [u8]) -> Result<usize, super::SealError> {
    let written = BASE64.encode_slice(sealed, to);
    written.map_err(|_| super::SealError::Crypto)
}

/// Fills a cell with its text, whose characters begin `characters`; gives those behind its last group.
#[cfg(feature = "arrow")]
pub(super) fn write_text<'a>(
    version: Version,
    mut characters: &'a [u8],
    cell: &mut [u8],
) -> Option<&'a [u8]> {
    let (prefix, body) = cell.split_at_mut_checked(PREFIX_LEN)?;
    prefix.copy_from_slice(version.prefix().as_bytes());
    let groups = characters.split_off(..body.len().next_multiple_of(4))?;
    body.copy_from_slice(groups.get(..body.len())?);
    Some(characters)
}

/// The same as [`decode`] for sealed bytes: the version, one byte, then what the text would decode to.
#[cfg(feature = "arrow")]
pub(super) fn decode_bytes(
    sealed: &[u8],
    to: &mut Zeroizing<Vec<u8>>,
) -> Result<Version, NotSealedText> {
    let (first, body) = sealed.split_first().ok_or(NotSealedText::Malformed)?;
    let version = match first {
        1 => Version::One,
        2 => Version::Two,
        3..=9 => return Err(NotSealedText::Version),
        _ => return Err(NotSealedText::Malformed),
    };
    to.clear();
    if to.capacity() < body.len() {
        *to = Zeroizing::new(Vec::with_capacity(body.len()));
    }
    to.extend_from_slice(body);
    if to.len() < version.shortest() {
        return Err(NotSealedText::Malformed);
    }
    Ok(version)
}

/// What stands after `zt1.` or `zt2.`. Another number there is another version.
pub(super) fn after_prefix(text: &str) -> Result<(Version, &str), NotSealedText> {
    for version in [Version::One, Version::Two] {
        if let Some(body) = text.strip_prefix(version.prefix()) {
            return Ok((version, body));
        }
    }
    let number = text
        .strip_prefix("zt")
        .and_then(|rest| rest.split_once('.'));
    let is_version = number.is_some_and(|(number, _)| {
        (1..=9).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    Err(if is_version {
        NotSealedText::Version
    } else {
        NotSealedText::Malformed
    })
}

/// Whether all of these cells are what a sealer writes. One that somebody made up does not say so of a whole column.
pub(crate) fn is_sealed(cells: &Cells) -> bool {
    let Cells::Text(list) = cells else {
        return false;
    };
    let mut buffer = Zeroizing::new(Vec::new());
    let mut looks_sealed = |text: &String| decode(text, &mut buffer).is_ok();
    !list.is_empty()
        && list
            .iter()
            .all(|cell| cell.as_ref().is_some_and(&mut looks_sealed))
}

/// Whether a text begins as sealed cells do. What it says is unknown then, whatever it is compared with.
pub(crate) fn looks_sealed(text: &str) -> bool {
    [Version::One, Version::Two]
        .iter()
        .any(|version| text.starts_with(version.prefix()))
}

/// Each part behind its length (8 bytes, big-endian), so that no two lists of parts have the same bytes.
pub(super) fn fields(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        field(&mut bytes, part);
    }
    bytes
}

/// One more part of [`fields`].
pub(super) fn field(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
    bytes.extend_from_slice(part);
}
