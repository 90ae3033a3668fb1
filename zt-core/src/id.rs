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
        let [a, b, c, d, e] = [0..8, 9..13, 14..18, 19..23, 24..36];
        if [8, 13, 18, 23]
            .iter()
            .any(|at| bytes.get(*at) != Some(&b'-'))
        {
            return Err(NotAGuid);
        }
        let mut bits: u128 = 0;
        for (part, width) in [(a, 32), (b, 16), (c, 16), (d, 16), (e, 48)] {
            let digits = bytes.get(part).ok_or(NotAGuid)?;
            bits = (bits << width) | u128::from(hexadecimal(digits).ok_or(NotAGuid)?);
        }
        Ok(Self(bits))
    }
}

/// The value of up to 16 hexadecimal digits, without a branch for each: tokens carry hundreds of GUIDs.
fn hexadecimal(digits: &[u8]) -> Option<u64> {
    let mut seen = 0;
    let mut value: u64 = 0;
    for digit in digits {
        let digit = HEX_DIGITS
            .get(usize::from(*digit))
            .copied()
            .unwrap_or(NO_DIGIT);
        seen |= digit;
        value = (value << 4) | u64::from(digit & 0xf);
    }
    (seen & NO_DIGIT == 0).then_some(value)
}

const NO_DIGIT: u8 = 0x80;

/// The value of every byte as a digit.
static HEX_DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut rest = digits.as_mut_slice();
    let mut byte = 0;
    while let Some((digit, others)) = rest.split_first_mut() {
        *digit = hex_digit(byte);
        byte = byte.wrapping_add(1);
        rest = others;
    }
    digits
};

const fn hex_digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => NO_DIGIT,
    }
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
}
