//! The values that conditions compare: eight types, all of them exact.
//!
//! In: literals of conditions, defaults, facts. Out: [`Value`] and its borrowed twin `Datum`. Never: a floating point number,
//! and never a value in `Debug`, because a fact may be a secret.

#[cfg(feature = "arrow")]
mod scaled;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use unicode_normalization::is_nfc;

use super::Attribute;
use crate::clock::Timestamp;

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new type must stop the build of every evaluator"
)]
pub enum ValueType {
    /// `true` or `false`.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// An exact decimal number: [`Decimal`].
    Decimal,
    /// Text, compared exactly.
    Text,
    /// One of a list of words.
    Enum,
    /// A set of text.
    Set,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A moment in UTC, to the millisecond.
    Datetime,
}

impl ValueType {
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("bool", Self::Bool),
        ("int", Self::Int),
        ("decimal", Self::Decimal),
        ("text", Self::Text),
        ("enum", Self::Enum),
        ("set", Self::Set),
        ("ip", Self::Ip),
        ("datetime", Self::Datetime),
    ];

    /// As the table Attributes writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Decimal => "decimal",
            Self::Text => "text",
            Self::Enum => "enum",
            Self::Set => "set",
            Self::Ip => "ip",
            Self::Datetime => "datetime",
        }
    }

    /// Whether its values are smaller or greater than each other.
    pub(super) const fn has_order(self) -> bool {
        match self {
            Self::Int | Self::Decimal | Self::Datetime => true,
            Self::Bool | Self::Text | Self::Enum | Self::Set | Self::Ip => false,
        }
    }

    /// What a value of it looks like, for messages.
    pub(crate) const fn example(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Int => "a whole number such as 42",
            Self::Decimal => {
                "a decimal number such as 0.25, with at most 18 digits after the point"
            }
            Self::Text | Self::Enum => "text such as \"private\"",
            Self::Set => "text, separated by commas",
            Self::Ip => "an address such as \"10.20.0.4\"",
            Self::Datetime => "a moment such as \"2026-10-01T08:00:00Z\"",
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An exact decimal number: up to 18 digits after the point, and before it as many as a 64-bit whole number has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i128);

/// 10 to the number of digits after the point.
const ONE: i128 = 1_000_000_000_000_000_000;
const DIGITS: usize = 18;

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        // Below 2^63 * 10^18 < 2^127.
        Self(i128::from(number).saturating_mul(ONE))
    }
}

/// A text is not a [`Decimal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a decimal number such as 0.25, with at most 18 digits before and after the point"
)]
#[non_exhaustive]
pub struct NotADecimal;

impl FromStr for Decimal {
    type Err = NotADecimal;

    fn from_str(text: &str) -> Result<Self, NotADecimal> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, 19) || !is_number(fraction, DIGITS) {
            return Err(NotADecimal);
        }
        let whole: i64 = whole.parse().map_err(|_| NotADecimal)?;
        let fraction: i128 = format!("{fraction:0<DIGITS$}")
            .parse()
            .map_err(|_| NotADecimal)?;
        let value = Self::from(whole).0.saturating_add(fraction);
        Ok(Self(if text.starts_with('-') { -value } else { value }))
    }
}

impl Decimal {
    /// How many of the smallest decimals it is, so that two decimals with none between them are neighbours.
    pub(super) const fn units(self) -> i128 {
        self.0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, one) = (self.0.unsigned_abs(), ONE.unsigned_abs());
        let fraction = format!("{:0DIGITS$}", size % one);
        let fraction = fraction.trim_end_matches('0');
        let fraction = if fraction.is_empty() { "0" } else { fraction };
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{fraction}", size / one)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decimal(…)")
    }
}

/// The value of a fact. `Debug` shows its type alone: it may be a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A decimal number.
    Decimal(Decimal),
    /// Text, also of an enum.
    Text(String),
    /// A set of text.
    Set(BTreeSet<String>),
    /// An address.
    Ip(IpAddr),
    /// A moment.
    Datetime(Timestamp),
}

impl Value {
    /// Text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// A set of text.
    #[must_use]
    pub fn set(texts: impl IntoIterator<Item: Into<String>>) -> Self {
        Self::Set(texts.into_iter().map(Into::into).collect())
    }

    /// Reads a value of this type as a person writes it on a command line or in a cell; the members of a set are separated
    /// by commas. None when it is not one.
    #[must_use]
    pub fn read(kind: ValueType, text: &str) -> Option<Self> {
        let text = Some(text).filter(|text| is_nfc(text))?;
        match kind {
            ValueType::Bool => text.parse().ok().map(Self::Bool),
            ValueType::Int => text.parse().ok().map(Self::Int),
            ValueType::Decimal => text.parse().ok().map(Self::Decimal),
            ValueType::Text | ValueType::Enum => Some(Self::text(text)),
            ValueType::Set => Some(Self::set(text.split(',').map(str::trim))),
            ValueType::Ip => text
                .parse()
                .ok()
                .map(|ip: IpAddr| Self::Ip(ip.to_canonical())),
            ValueType::Datetime => text.parse().ok().map(Self::Datetime),
        }
    }

    /// Whether it is a value of this attribute.
    pub(crate) fn fits(&self, attribute: &Attribute) -> bool {
        let datum = self.as_datum();
        datum.fit(attribute.kind, &attribute.values).is_some()
    }

    pub(super) fn as_datum(&self) -> Datum<'_> {
        match self {
            Self::Bool(value) => Datum::Bool(*value),
            Self::Int(value) => Datum::Int(*value),
            Self::Decimal(value) => Datum::Decimal(*value),
            Self::Text(value) => Datum::Text(value),
            Self::Set(value) => Datum::Set(value),
            Self::Ip(value) => Datum::Ip(value.to_canonical()),
            Self::Datetime(value) => Datum::Datetime(*value),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool(_) => "Bool(…)",
            Self::Int(_) => "Int(…)",
            Self::Decimal(_) => "Decimal(…)",
            Self::Text(_) => "Text(…)",
            Self::Set(_) => "Set(…)",
            Self::Ip(_) => "Ip(…)",
            Self::Datetime(_) => "Datetime(…)",
        })
    }
}

/// A value that somebody else keeps, so that a decision copies none.
#[derive(Clone, Copy)]
pub(super) enum Datum<'a> {
    Bool(bool),
    Int(i64),
    Decimal(Decimal),
    Text(&'a str),
    Set(&'a BTreeSet<String>),
    Ip(IpAddr),
    Datetime(Timestamp),
}

impl Value {
    /// As JSON has it: numbers that JSON cannot hold exactly, addresses and moments as text.
    pub(super) fn plain(&self) -> serde_json::Value {
        match self {
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Decimal(value) => value.to_string().into(),
            Self::Text(value) => value.as_str().into(),
            Self::Set(value) => value.iter().cloned().collect(),
            Self::Ip(value) => value.to_string().into(),
            Self::Datetime(value) => value.to_string().into(),
        }
    }
}

impl<'a> Datum<'a> {
    /// A value of its own.
    pub(super) fn to_value(self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Decimal(value) => Value::Decimal(value),
            Self::Text(value) => Value::text(value),
            Self::Set(value) => Value::Set(value.clone()),
            Self::Ip(value) => Value::Ip(value),
            Self::Datetime(value) => Value::Datetime(value),
        }
    }

    /// This value as one of the type; none when it does not fit, or when its text is not in Unicode's form NFC, in which
    /// alone equal words are equal bytes.
    pub(super) fn fit(self, kind: ValueType, words: &[String]) -> Option<Self> {
        match (kind, self) {
            (ValueType::Bool, Self::Bool(_))
            | (ValueType::Int, Self::Int(_))
            | (ValueType::Decimal, Self::Decimal(_))
            | (ValueType::Ip, Self::Ip(_))
            | (ValueType::Datetime, Self::Datetime(_)) => Some(self),
            (ValueType::Decimal, Self::Int(number)) => Some(Self::Decimal(number.into())),
            (ValueType::Text, Self::Text(text)) => is_nfc(text).then_some(self),
            (ValueType::Enum, Self::Text(text)) => {
                words.iter().any(|word| word == text).then_some(self)
            }
            (ValueType::Set, Self::Set(set)) => set.iter().all(|text| is_nfc(text)).then_some(self),
            (
                ValueType::Bool
                | ValueType::Int
                | ValueType::Decimal
                | ValueType::Text
                | ValueType::Enum
                | ValueType::Set
                | ValueType::Ip
                | ValueType::Datetime,
                _,
            ) => None,
        }
    }

    /// How two values of comparable types stand; none for values that cannot be compared.
    pub(super) fn compare(self, other: Datum<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(one), Datum::Bool(other)) => Some(one.cmp(&other)),
            (Self::Text(one), Datum::Text(other)) => Some(one.cmp(other)),
            (Self::Ip(one), Datum::Ip(other)) => Some(one.cmp(&other)),
            (Self::Datetime(one), Datum::Datetime(other)) => Some(one.cmp(&other)),
            (Self::Set(one), Datum::Set(other)) => Some(one.cmp(other)),
            (Self::Int(one), Datum::Int(other)) => Some(one.cmp(&other)),
            _ => Some(self.number()?.cmp(&other.number()?)),
        }
    }

    /// Its text.
    pub(super) const fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bool(_)
            | Self::Int(_)
            | Self::Decimal(_)
            | Self::Set(_)
            | Self::Ip(_)
            | Self::Datetime(_) => None,
        }
    }

    fn number(self) -> Option<Decimal> {
        match self {
            Self::Int(number) => Some(number.into()),
            Self::Decimal(number) => Some(number),
            Self::Bool(_) | Self::Text(_) | Self::Set(_) | Self::Ip(_) | Self::Datetime(_) => None,
        }
    }
}

/// As a condition writes it; a set as a list.
impl fmt::Display for Datum<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Decimal(value) => write!(f, "{value}"),
            Self::Text(text) => quote(f, text),
            Self::Set(set) => {
                f.write_str("[")?;
                for (at, text) in set.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { ", " })?;
                    quote(f, text)?;
                }
                f.write_str("]")
            }
            Self::Ip(value) => write!(f, "\"{value}\""),
            Self::Datetime(value) => write!(f, "\"{value}\""),
        }
    }
}

/// A text as the log shows it.
pub(crate) fn quoted(text: &str) -> String {
    Datum::Text(text).to_string()
}

pub(super) fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_to_eighteen_digits_on_both_sides() {
        let number = |text: &str| text.parse::<Decimal>();
        for text in [
            "0.1",
            "-0.000000000000000001",
            "999999999999999999.999999999999999999",
        ] {
            assert_eq!(number(text).unwrap().to_string(), text);
        }
        assert_eq!(number("1").unwrap(), number("1.000").unwrap());
        assert!(number("0.1").unwrap() < number("0.100000000000000001").unwrap());
        assert_eq!(
            Decimal::from(i64::MIN).to_string(),
            "-9223372036854775808.0"
        );
        for wrong in [
            "",
            "-",
            ".5",
            "5.",
            "1e3",
            "0.0000000000000000001",
            "+1",
            "99999999999999999999",
        ] {
            assert_eq!(number(wrong), Err(NotADecimal), "{wrong}");
        }
    }

    #[test]
    fn a_value_never_shows_in_debug() {
        let value = Value::text("zt-needle-value");
        assert_eq!(format!("{value:?}"), "Text(…)");
    }

    #[test]
    fn text_that_is_not_nfc_fits_nothing() {
        let fits = |text: &str| Datum::Text(text).fit(ValueType::Text, &[]).is_some();
        assert!(fits("caf\u{e9}"));
        assert!(!fits("cafe\u{301}"));
    }
}
