//! The attributes that random conditions test, and random facts, as zt and as Cedar are told them.
//!
//! In: random numbers. Out: literals and facts in both notations. A fact that does not count in zt (known too weakly, of
//! another type) is not told to Cedar at all: for Cedar it is missing.

use cedar_policy::RestrictedExpression;
use fastrand::Rng;
use zt_core::policy::{Value, ValueType};

/// An attribute; its Cedar name is a key of the context, whatever its namespace.
#[derive(Debug)]
pub struct Attribute {
    pub namespace: &'static str,
    pub name: &'static str,
    pub key: &'static str,
    pub kind: ValueType,
    pub words: &'static [&'static str],
    /// As the row of Attributes writes it, and as Cedar does.
    pub default: Option<(&'static str, &'static str)>,
    /// None: it is built in.
    pub provenance: Option<&'static str>,
}

macro_rules! attributes {
    ($($namespace:ident . $name:ident: $kind:ident $($provenance:literal)? $([$($word:literal),+])? $(= $zt:literal / $cedar:literal)?;)+) => {
        /// Every attribute that conditions are drawn from.
        pub const ATTRIBUTES: &[Attribute] = &[$(Attribute {
            namespace: stringify!($namespace),
            name: stringify!($name),
            key: concat!(stringify!($namespace), "_", stringify!($name)),
            kind: ValueType::$kind,
            words: &[$($($word),+)?],
            default: attributes!(@option $(($zt, $cedar))?),
            provenance: attributes!(@option $($provenance)?),
        }),+];
    };
    (@option) => { None };
    (@option $value:expr) => { Some($value) };
}

attributes! {
    context.flag: Bool "request";
    context.mfa: Bool "token";
    context.opted: Bool "request" = "false" / "false";
    context.count: Int "request";
    context.limit: Int "store";
    context.quota: Int "request" = "3" / "3";
    context.score: Decimal "request";
    context.bar: Decimal "store";
    context.note: Text "request";
    context.zone: Enum "request" ["public", "private", "lab"];
    context.tier: Enum "request" ["basic", "gold"] = "basic" / "\"basic\"";
    context.tags: Set "request";
    context.address: Ip "request";
    context.peer: Ip "token";
    context.since: Datetime "request";
    context.until: Datetime "store" = "2026-09-24T12:00:00Z" / "datetime(\"2026-09-24T12:00:00.000Z\")";
    principal.team: Text "token";
    principal.clearance: Int "token";
    principal.realms: Set "token";
    resource.owner: Text "store";
    resource.level: Int "store";
    resource.labels: Set "store";
    principal.id: Text;
    principal.kind: Enum ["user", "sp"];
    resource.kind: Enum ["table", "view", "secret"];
    resource.path: Text;
    action.name: Enum ["table.read", "table.write", "secret.get"];
    context.job: Int;
    context.stage: Int;
    context.author: Text;
    time.now: Datetime;
    time.hour_utc: Int;
    time.weekday_utc: Enum ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
}

impl Attribute {
    /// `context.zone`.
    pub fn full(&self) -> String {
        format!("{}.{}", self.namespace, self.name)
    }

    /// The attribute of this full name.
    pub fn named(full: &str) -> &'static Self {
        let found = ATTRIBUTES.iter().find(|known| known.full() == full);
        found.unwrap_or(&ATTRIBUTES[0])
    }

    /// Types whose values zt and Cedar both compare with each other.
    pub fn is_comparable(&self, other: &Self) -> bool {
        let class = |kind| match kind {
            ValueType::Enum => ValueType::Text,
            other => other,
        };
        class(self.kind) == class(other.kind)
    }

    /// A value of its type.
    pub fn draw(&self, rng: &mut Rng) -> Literal {
        let text = |rng: &mut Rng| TEXTS[rng.usize(..TEXTS.len())];
        match (self.kind, self.full().as_str()) {
            (ValueType::Bool, _) => Literal::Bool(rng.bool()),
            (ValueType::Int, "time.hour_utc") => Literal::Int(rng.i64(..24)),
            (ValueType::Int, "context.job" | "context.stage") => Literal::Int(rng.i64(1..4)),
            (ValueType::Int, _) => Literal::Int(match rng.u8(..40) {
                0 => i64::MAX,
                1 => i64::MIN,
                _ => rng.i64(-2..7),
            }),
            (ValueType::Decimal, _) => Literal::Decimal(match rng.u8(..40) {
                0 => 9_223_372_036_854_775_807,
                1 => -9_223_372_036_854_775_807,
                2 => -1,
                _ => rng.i64(-4..9) * 2500,
            }),
            (ValueType::Text, "principal.id" | "context.author") => {
                Literal::Text(["user:a", "user:b", "sp:c", "user:nobody"][rng.usize(..4)])
            }
            (ValueType::Text, "resource.path") => {
                Literal::Text(["raw.x", "raw.y", "gold.x"][rng.usize(..3)])
            }
            (ValueType::Text, _) => Literal::Text(text(rng)),
            (ValueType::Enum, _) => Literal::Text(self.words[rng.usize(..self.words.len())]),
            (ValueType::Set, _) => Literal::Set((0..rng.usize(..4)).map(|_| text(rng)).collect()),
            (ValueType::Ip, _) => Literal::Ip(rng.usize(..IPS.len())),
            (ValueType::Datetime, _) => Literal::Datetime(Moment::draw(rng)),
        }
    }
}

/// Words that meet, and letters that a notation could take for its own.
pub const TEXTS: [&str; 14] = [
    "loan", "loan_a", "a loan", "loans", "a*b", "a\\b", "\\*", "it's", "\"", "straße", "public",
    "gold", "user:a", "",
];

/// Addresses as zt is told and as Cedar is: zt takes an IPv4 address written as IPv6 for the IPv4 address.
const IPS: [(&str, &str); 8] = [
    ("10.20.0.4", "10.20.0.4"),
    ("::ffff:10.20.0.4", "10.20.0.4"),
    ("10.20.255.255", "10.20.255.255"),
    ("10.21.0.0", "10.21.0.0"),
    ("192.168.1.1", "192.168.1.1"),
    ("fd00::1", "fd00::1"),
    ("fd00:0:0:0:0:0:0:1", "fd00::1"),
    ("2001:db8::5", "2001:db8::5"),
];

pub const RANGES: [&str; 7] = [
    "10.20.0.0/16",
    "10.0.0.0/8",
    "10.20.0.4/32",
    "0.0.0.0/0",
    "fd00::/8",
    "::/0",
    "2001:db8::4/127",
];

pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A moment of the week that began on Monday, 21 September 2026.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    pub day: usize,
    pub hour: u32,
    millisecond: u32,
}

impl Moment {
    pub fn draw(rng: &mut Rng) -> Self {
        Self {
            day: rng.usize(..7),
            hour: [0, 7, 8, 12, 17, 18, 21][rng.usize(..7)],
            millisecond: [0, 0, 1][rng.usize(..3)],
        }
    }

    /// In UTC.
    pub fn text(self) -> String {
        let (day, hour, rest) = (21 + self.day, self.hour, self.millisecond);
        format!("2026-09-{day}T{hour:02}:00:00.{rest:03}Z")
    }

    /// The same moment on a clock two hours ahead.
    fn elsewhere(self) -> String {
        let (day, hour, rest) = (21 + self.day, self.hour + 2, self.millisecond);
        format!("2026-09-{day}T{hour:02}:00:00.{rest:03}+02:00")
    }
}

/// A value in both notations.
#[derive(Debug, Clone)]
pub enum Literal {
    Bool(bool),
    Int(i64),
    /// In ten-thousandths: what Cedar's decimals are exact to.
    Decimal(i64),
    Text(&'static str),
    Set(Vec<&'static str>),
    /// A place in [`IPS`].
    Ip(usize),
    Datetime(Moment),
}

impl Literal {
    /// In a condition of zt; a set has no literal.
    pub fn zt(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Decimal(value) => decimal(*value),
            Self::Text(text) if text.len() % 2 == 0 => quoted(text, '\''),
            Self::Text(text) => quoted(text, '"'),
            Self::Set(_) => String::new(),
            Self::Ip(place) => quoted(IPS[*place].0, '\''),
            Self::Datetime(at) if at.day % 2 == 0 => quoted(&at.elsewhere(), '"'),
            Self::Datetime(at) => quoted(&at.text(), '"'),
        }
    }

    /// As a Cedar expression.
    pub fn cedar(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Decimal(value) => format!("decimal({:?})", decimal(*value)),
            Self::Text(text) => format!("{text:?}"),
            Self::Set(set) => format!("{set:?}"),
            Self::Ip(place) => format!("ip({:?})", IPS[*place].1),
            Self::Datetime(at) => format!("datetime({:?})", at.text()),
        }
    }

    /// As a fact of zt.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Bool(value) => Some(Value::Bool(*value)),
            Self::Int(value) => Some(Value::Int(*value)),
            Self::Decimal(value) => Value::read(ValueType::Decimal, &decimal(*value)),
            Self::Text(text) => Some(Value::text(text)),
            Self::Set(set) => Some(Value::set(set.iter().copied())),
            Self::Ip(place) => Value::read(ValueType::Ip, IPS[*place].0),
            Self::Datetime(at) => Value::read(ValueType::Datetime, &at.elsewhere()),
        }
    }

    /// As a fact of Cedar.
    pub fn fact(&self) -> RestrictedExpression {
        let text = |text: &&str| RestrictedExpression::new_string((*text).to_owned());
        match self {
            Self::Bool(value) => RestrictedExpression::new_bool(*value),
            Self::Int(value) => RestrictedExpression::new_long(*value),
            Self::Decimal(value) => RestrictedExpression::new_decimal(decimal(*value)),
            Self::Text(value) => text(value),
            Self::Set(set) => RestrictedExpression::new_set(set.iter().map(text)),
            Self::Ip(place) => RestrictedExpression::new_ip(IPS[*place].1),
            Self::Datetime(at) => RestrictedExpression::new_datetime(at.text()),
        }
    }
}

/// Four digits after the point.
fn decimal(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = (value.unsigned_abs() / 10_000, value.unsigned_abs() % 10_000);
    format!("{sign}{whole}.{rest:04}")
}

fn quoted(text: &str, mark: char) -> String {
    let mut quoted = String::from(mark);
    for letter in text.chars() {
        if letter == mark || letter == '\\' {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push(mark);
    quoted
}

/// Text in quotes as zt reads it.
pub fn text_of_zt(text: &str) -> String {
    quoted(text, '\'')
}
