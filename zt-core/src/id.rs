//! Identifiers as types, so that two strings side by side cannot be mixed up.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A GUID as Entra writes it: `8-4-4-4-12` hexadecimal digits. Compared as a number, so case never matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(u128);

impl Guid {
    /// From its 128 bits, most significant digit first.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// Its 128 bits.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

/// The text is not a GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a GUID: expected 8-4-4-4-12 hexadecimal digits")]
#[non_exhaustive]
pub struct NotAGuid;

impl FromStr for Guid {
    type Err = NotAGuid;

    fn from_str(text: &str) -> Result<Self, NotAGuid> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 {
            return Err(NotAGuid);
        }
        let [a, b, c, d] = digits(bytes);
        let (a, b) = (eight_digits(a), eight_digits(b));
        let (c, d) = (eight_digits(c), eight_digits(d));
        let is_dashed = [8, 13, 18, 23]
            .iter()
            .all(|at| bytes.get(*at) == Some(&b'-'));
        let (Some(a), Some(b), Some(c), Some(d), true) = (a, b, c, d, is_dashed) else {
            return Err(NotAGuid);
        };
        let bits = [a, b, c, d]
            .into_iter()
            .fold(0, |bits, word| bits << 32 | u128::from(word));
        Ok(Self(bits))
    }
}

/// The 32 digits of 36 bytes, eight by eight.
fn digits(bytes: &[u8]) -> [[u8; 8]; 4] {
    let mut all = [[0; 8]; 4];
    let parts = [0..8, 9..13, 14..18, 19..23, 24..28, 28..36];
    let places = [
        (0, 0..8),
        (1, 0..4),
        (1, 4..8),
        (2, 0..4),
        (2, 4..8),
        (3, 0..8),
    ];
    for (part, (word, at)) in parts.into_iter().zip(places) {
        let place = all.get_mut(word).and_then(|word| word.get_mut(at));
        if let (Some(place), Some(part)) = (place, bytes.get(part)) {
            place.copy_from_slice(part);
        }
    }
    all
}

/// The value of eight hexadecimal digits, all at once: tokens carry hundreds of GUIDs.
fn eight_digits(digits: [u8; 8]) -> Option<u32> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let text = u64::from_be_bytes(digits);
    let lower = text | (0x20 * ONES);
    if text & HIGH != 0 {
        return None;
    }
    // A byte below 0x80 plus (0x80 - limit) has its high bit set from the limit on.
    let from = |bytes: u64, limit: u64| bytes + (0x80 - limit) * ONES;
    let is_number = from(text, 0x30) & !from(text, 0x3a);
    let is_letter = from(lower, 0x61) & !from(lower, 0x67);
    if (is_number | is_letter) & HIGH != HIGH {
        return None;
    }
    // Letters are 9 more than their low four bits.
    let value = (text & (0x0f * ONES)) + 9 * ((text >> 6) & ONES);
    let value = (value | value >> 4) & 0x00ff_00ff_00ff_00ff;
    let value = (value | value >> 8) & 0x0000_ffff_0000_ffff;
    u32::try_from((value | value >> 16) & 0xffff_ffff).ok()
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            (bits >> 80) & 0xffff,
            (bits >> 64) & 0xffff,
            (bits >> 48) & 0xffff,
            bits & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! text_id {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// From its text, taken as it is.
            #[must_use]
            pub fn new(text: &str) -> Self {
                Self(Arc::from(text))
            }

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &*self.0)
            }
        }
    )+};
}

text_id! {
    /// The id of a row of Access_Policies: `AP-07`.
    PolicyId;
    /// The id of a row of Secret_References: `bureau-api-key`.
    SecretRef;
    /// A role that Role_Bindings hands out, without the prefix `role:`.
    RoleName;
}

/// What kind of principal an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PrincipalKind {
    /// A person: `user:`.
    User,
    /// A group of Entra: `group:`.
    Group,
    /// A service principal or managed identity: `sp:`.
    ServicePrincipal,
}

impl PrincipalKind {
    /// The prefix in rows, colon included.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::User => "user:",
            Self::Group => "group:",
            Self::ServicePrincipal => "sp:",
        }
    }
}

/// A readable principal id as rows write it: `user:maya`, `group:grp-security`, `sp:sp-score-201`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalId {
    kind: PrincipalKind,
    text: Arc<str>,
}

impl PrincipalId {
    /// The whole id with its prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What kind of principal it names.
    #[must_use]
    pub const fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// The name without the prefix: `maya`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text
            .get(self.kind.prefix().len()..)
            .unwrap_or_default()
    }
}

/// The text is not a principal id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a principal: expected `user:NAME`, `group:NAME` or `sp:NAME` without spaces")]
#[non_exhaustive]
pub struct NotAPrincipal;

impl FromStr for PrincipalId {
    type Err = NotAPrincipal;

    fn from_str(text: &str) -> Result<Self, NotAPrincipal> {
        let kinds = [
            PrincipalKind::User,
            PrincipalKind::Group,
            PrincipalKind::ServicePrincipal,
        ];
        let kind = kinds
            .into_iter()
            .find(|kind| text.starts_with(kind.prefix()))
            .ok_or(NotAPrincipal)?;
        let name = text.get(kind.prefix().len()..).unwrap_or_default();
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(NotAPrincipal);
        }
        Ok(Self {
            kind,
            text: Arc::from(text),
        })
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrincipalId({:?})", &*self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_reads_back_what_it_prints_in_any_case() {
        let text = "b0000000-0000-4000-8000-00000000000f";
        let guid: Guid = text.parse().unwrap();
        assert_eq!(guid.to_string(), text);
        assert_eq!(text.to_uppercase().parse::<Guid>().unwrap(), guid);
    }

    #[test]
    fn what_is_not_a_guid_is_refused() {
        for text in [
            "",
            "b0000000",
            "b0000000-0000-4000-8000-00000000000g",
            "b0000000000040008000000000000002",
        ] {
            assert_eq!(text.parse::<Guid>(), Err(NotAGuid), "{text}");
        }
        assert!("é".repeat(18).parse::<Guid>().is_err());
    }

    #[test]
    fn every_byte_at_every_place_is_a_digit_or_refused() {
        let good = b"0123456789abcdef-0123"[..16].to_vec();
        let text = |digits: &[u8]| {
            let digits: Vec<char> = digits.iter().map(|digit| char::from(*digit)).collect();
            let part = |from: usize, to: usize| digits[from..to].iter().collect::<String>();
            let parts = [
                part(0, 8),
                part(8, 12),
                part(12, 16),
                part(16, 20),
                part(20, 32),
            ];
            parts.join("-")
        };
        let digits = [good.clone(), good].concat();
        for at in 0..32 {
            for byte in 0..=127_u8 {
                let mut changed = digits.clone();
                changed[at] = byte;
                let expected = char::from(byte).to_digit(16).map(|digit| {
                    let shift = 4 * (31 - at);
                    let own: Guid = text(&digits).parse().unwrap();
                    let cleared = own.as_u128() & !(0xf_u128 << shift);
                    Guid::from_u128(cleared | u128::from(digit) << shift)
                });
                assert_eq!(text(&changed).parse().ok(), expected, "{byte} at {at}");
            }
        }
    }
}
