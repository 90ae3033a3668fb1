//! Random conditions, in zt's words and in Cedar's.
//!
//! In: random numbers. Out: a [`Condition`], which prints itself three times: as zt reads it, and as the two Cedar
//! expressions "it is true" and "it is false". Both are false where it is unknown, and neither ever reads what is missing:
//! Cedar has no third value, it ends a policy that reads a missing attribute with an error.

use fastrand::Rng;
use zt_core::policy::ValueType;

use super::facts::{ATTRIBUTES, Attribute, Literal, RANGES, TEXTS, text_of_zt};

#[derive(Debug, Clone)]
pub enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Test(Test),
}

/// One test, as zt writes it; for Cedar, all its parts must hold.
#[derive(Debug, Clone)]
pub struct Test {
    zt: String,
    parts: Vec<Part>,
}

/// What Cedar tests, and the keys that it reads.
#[derive(Debug, Clone)]
struct Part {
    needs: Vec<&'static str>,
    holds: String,
}

impl Condition {
    /// As a row of Access_Policies writes it.
    pub fn zt(&self) -> String {
        match self {
            Self::All(parts) => joined(parts, " and ", Self::zt),
            Self::Any(parts) => joined(parts, " or ", Self::zt),
            Self::Not(part) => format!("not ({})", part.zt()),
            Self::Test(test) => test.zt.clone(),
        }
    }

    /// The Cedar expression that is true exactly where the condition is.
    pub fn is_true(&self) -> String {
        match self {
            Self::All(parts) => joined(parts, " && ", Self::is_true),
            Self::Any(parts) => joined(parts, " || ", Self::is_true),
            Self::Not(part) => part.is_false(),
            Self::Test(test) => joined(&test.parts, " && ", |part| part.guarded("")),
        }
    }

    /// The Cedar expression that is true exactly where the condition is false.
    pub fn is_false(&self) -> String {
        match self {
            Self::All(parts) => joined(parts, " || ", Self::is_false),
            Self::Any(parts) => joined(parts, " && ", Self::is_false),
            Self::Not(part) => part.is_true(),
            Self::Test(test) => joined(&test.parts, " || ", |part| part.guarded("!")),
        }
    }

    /// What is left when one part is left out, for a smaller counterexample.
    pub fn simpler(&self) -> Vec<Self> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.clone(),
            Self::Not(part) => vec![(**part).clone()],
            Self::Test(_) => Vec::new(),
        }
    }

    /// A test that an attribute equals this.
    pub fn equals(attribute: &'static Attribute, literal: &Literal) -> Self {
        compared(attribute, "==", &Side::literal(literal))
    }

    /// A comparison of an attribute.
    pub fn compares(attribute: &'static Attribute, sign: &str, literal: &Literal) -> Self {
        compared(attribute, sign, &Side::literal(literal))
    }

    /// `context.author != principal.id`.
    pub fn not_author() -> Self {
        let id = Side::attribute(Attribute::named("principal.id"));
        compared(Attribute::named("context.author"), "!=", &id)
    }
}

impl Part {
    /// True where everything is known that it reads, and it holds (or not).
    fn guarded(&self, not: &str) -> String {
        let has = self.needs.iter().map(|key| format!("context has {key}"));
        let test = format!("{not}({})", self.holds);
        has.chain([test]).collect::<Vec<_>>().join(" && ")
    }
}

/// Each in parentheses.
fn joined<T>(parts: &[T], with: &str, write: impl Fn(&T) -> String) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|part| format!("({})", write(part)))
        .collect();
    parts.join(with)
}

/// One side of a test.
struct Side {
    zt: String,
    cedar: String,
    needs: Option<&'static str>,
}

impl Side {
    fn literal(literal: &Literal) -> Self {
        Self {
            zt: literal.zt(),
            cedar: literal.cedar(),
            needs: None,
        }
    }

    /// A default stands in for what is missing, so that nothing can be.
    fn attribute(attribute: &'static Attribute) -> Self {
        let key = attribute.key;
        let (cedar, needs) = match attribute.default {
            Some((_, default)) => (
                format!("(if context has {key} then context.{key} else {default})"),
                None,
            ),
            None => (format!("context.{key}"), Some(key)),
        };
        Self {
            zt: attribute.full(),
            cedar,
            needs,
        }
    }

    /// A value of the attribute's type, or another attribute that compares with it.
    fn beside(rng: &mut Rng, attribute: &Attribute) -> Self {
        if rng.u8(..100) < 25 {
            let others = ATTRIBUTES
                .iter()
                .filter(|other| attribute.is_comparable(other));
            return Self::attribute(pick(rng, &others.collect::<Vec<_>>()));
        }
        Self::literal(&attribute.draw(rng))
    }
}

fn pick<T: Copy>(rng: &mut Rng, these: &[T]) -> T {
    these[rng.usize(..these.len())]
}

fn part(sides: &[&Side], holds: String) -> Part {
    let needs = sides.iter().filter_map(|side| side.needs).collect();
    Part { needs, holds }
}

fn test(zt: String, parts: Vec<Part>) -> Condition {
    Condition::Test(Test { zt, parts })
}

fn compared(attribute: &'static Attribute, sign: &str, right: &Side) -> Condition {
    let left = Side::attribute(attribute);
    let holds = comparison(attribute.kind, &left.cedar, sign, &right.cedar);
    let zt = format!("{} {sign} {}", left.zt, right.zt);
    test(zt, vec![part(&[&left, right], holds)])
}

/// A comparison in Cedar; its decimals have methods where others have signs.
fn comparison(kind: ValueType, left: &str, sign: &str, right: &str) -> String {
    let method = match (kind, sign) {
        (ValueType::Decimal, "<") => "lessThan",
        (ValueType::Decimal, "<=") => "lessThanOrEqual",
        (ValueType::Decimal, ">") => "greaterThan",
        (ValueType::Decimal, ">=") => "greaterThanOrEqual",
        _ => return format!("{left} {sign} {right}"),
    };
    format!("{left}.{method}({right})")
}

/// A condition of at most this depth.
pub fn condition(rng: &mut Rng, depth: usize) -> Condition {
    let parts = |rng: &mut Rng| {
        let count = rng.usize(2..4);
        (0..count).map(|_| condition(rng, depth - 1)).collect()
    };
    match rng.u8(..100) {
        _ if depth == 0 => one_test(rng),
        0..22 => Condition::All(parts(rng)),
        22..52 => Condition::Any(parts(rng)),
        52..66 => Condition::Not(Box::new(condition(rng, depth - 1))),
        _ => one_test(rng),
    }
}

fn one_test(rng: &mut Rng) -> Condition {
    let attribute = &ATTRIBUTES[rng.usize(..ATTRIBUTES.len())];
    if rng.u8(..100) < 8 {
        return has(attribute);
    }
    match attribute.kind {
        ValueType::Bool if rng.bool() => {
            let side = Side::attribute(attribute);
            test(side.zt.clone(), vec![part(&[&side], side.cedar.clone())])
        }
        ValueType::Int | ValueType::Decimal | ValueType::Datetime => ordered(rng, attribute),
        ValueType::Set => contains(rng, attribute),
        ValueType::Text if rng.u8(..100) < 45 => worded(rng, attribute),
        ValueType::Text | ValueType::Enum if rng.u8(..100) < 20 => member(rng, attribute),
        ValueType::Ip if rng.u8(..100) < 65 => cidr(rng, attribute),
        ValueType::Bool | ValueType::Text | ValueType::Enum | ValueType::Ip => {
            if rng.u8(..100) < 35 {
                return among(rng, attribute);
            }
            equality(rng, attribute, &["==", "!="])
        }
    }
}

/// `has x` is true or unknown, never false.
fn has(attribute: &'static Attribute) -> Condition {
    let side = Side::attribute(attribute);
    let zt = format!("has {}", side.zt);
    test(zt, vec![part(&[&side], "true".to_owned())])
}

fn ordered(rng: &mut Rng, attribute: &'static Attribute) -> Condition {
    match rng.u8(..100) {
        0..20 => among(rng, attribute),
        20..45 => between(rng, attribute),
        _ => equality(rng, attribute, &["==", "!=", "<", "<=", ">", ">="]),
    }
}

/// With the value on either side.
fn equality(rng: &mut Rng, attribute: &'static Attribute, signs: &[&str]) -> Condition {
    let sign = pick(rng, signs);
    if rng.u8(..100) < 15 {
        let literal = Side::literal(&attribute.draw(rng));
        let side = Side::attribute(attribute);
        let holds = comparison(attribute.kind, &literal.cedar, sign, &side.cedar);
        let zt = format!("{} {sign} {}", literal.zt, side.zt);
        return test(zt, vec![part(&[&side], holds)]);
    }
    let right = Side::beside(rng, attribute);
    compared(attribute, sign, &right)
}

/// Below the low bound it is false, whether the high one is known or not.
fn between(rng: &mut Rng, attribute: &'static Attribute) -> Condition {
    let side = Side::attribute(attribute);
    // Two values could be in the wrong order, which zt refuses.
    let (low, high) = if rng.bool() {
        let other = || Side::attribute(attribute);
        let one = Side::literal(&attribute.draw(rng));
        if rng.bool() {
            (one, other())
        } else {
            (other(), one)
        }
    } else {
        let others = ATTRIBUTES
            .iter()
            .filter(|other| attribute.is_comparable(other));
        let others: Vec<_> = others.collect();
        let literal = Side::literal(&attribute.draw(rng));
        let other = Side::attribute(pick(rng, &others));
        match rng.u8(..3) {
            0 => (literal, other),
            1 => (other, literal),
            _ => (other, Side::attribute(pick(rng, &others))),
        }
    };
    let compare = |sign: &str, bound: &Side| {
        let holds = comparison(attribute.kind, &side.cedar, sign, &bound.cedar);
        part(&[&side, bound], holds)
    };
    let parts = vec![compare(">=", &low), compare("<=", &high)];
    test(
        format!("{} between {} and {}", side.zt, low.zt, high.zt),
        parts,
    )
}

fn among(rng: &mut Rng, attribute: &'static Attribute) -> Condition {
    let side = Side::attribute(attribute);
    let members: Vec<Literal> = (0..rng.usize(1..4)).map(|_| attribute.draw(rng)).collect();
    let list = |write: fn(&Literal) -> String| {
        let members: Vec<String> = members.iter().map(write).collect();
        members.join(", ")
    };
    let holds = format!("[{}].contains({})", list(Literal::cedar), side.cedar);
    let zt = format!("{} in [{}]", side.zt, list(Literal::zt));
    test(zt, vec![part(&[&side], holds)])
}

fn sets() -> Vec<&'static Attribute> {
    let is_set = |attribute: &&Attribute| attribute.kind == ValueType::Set;
    ATTRIBUTES.iter().filter(is_set).collect()
}

/// `x in set`.
fn member(rng: &mut Rng, attribute: &'static Attribute) -> Condition {
    let (side, set) = (
        Side::attribute(attribute),
        Side::attribute(pick(rng, &sets())),
    );
    let holds = format!("{}.contains({})", set.cedar, side.cedar);
    test(
        format!("{} in {}", side.zt, set.zt),
        vec![part(&[&side, &set], holds)],
    )
}

/// `set contains x`.
fn contains(rng: &mut Rng, attribute: &'static Attribute) -> Condition {
    let side = Side::attribute(attribute);
    let right = Side::beside(rng, Attribute::named("context.note"));
    let holds = format!("{}.contains({})", side.cedar, right.cedar);
    let zt = format!("{} contains {}", side.zt, right.zt);
    test(zt, vec![part(&[&side, &right], holds)])
}

/// Tests of parts of a text. Cedar says them all with `like`, which takes no attribute.
fn worded(rng: &mut Rng, attribute: &'static Attribute) -> Condition {
    let side = Side::attribute(attribute);
    let word = TEXTS[rng.usize(..TEXTS.len())];
    let word: String = word.chars().skip(rng.usize(..3)).take(4).collect();
    let exact = word.escape_debug().to_string().replace('*', "\\*");
    let (word_of_zt, pattern) = match rng.u8(..4) {
        0 => ("contains", format!("*{exact}*")),
        1 => ("startsWith", format!("{exact}*")),
        2 => ("endsWith", format!("*{exact}")),
        _ => return like(rng, &side),
    };
    let zt = format!("{} {word_of_zt} {}", side.zt, text_of_zt(&word));
    let holds = format!("{} like \"{pattern}\"", side.cedar);
    test(zt, vec![part(&[&side], holds)])
}

fn like(rng: &mut Rng, side: &Side) -> Condition {
    // Short parts and many stars: a part often stands in more than one place.
    let pieces = [
        "", "a", "a", "o", "l", "n", "lo", "an", "oan", "\\", "_", "ß", "raw", "x", "r:", "'",
    ];
    let count = rng.usize(1..5);
    let drawn: Vec<&str> = (0..count).map(|_| pick(rng, &pieces)).collect();
    let pattern = drawn.join("*");
    let pattern = match rng.u8(..4) {
        0 => pattern,
        1 => format!("*{pattern}"),
        _ => format!("*{pattern}*"),
    };
    let zt = format!("{} like {}", side.zt, text_of_zt(&pattern));
    // A backslash escapes in Cedar and is a letter in zt.
    let holds = format!("{} like {pattern:?}", side.cedar);
    test(zt, vec![part(&[side], holds)])
}

fn cidr(rng: &mut Rng, attribute: &'static Attribute) -> Condition {
    let side = Side::attribute(attribute);
    let range = |range: &str| format!("{}.isInRange(ip({range:?}))", side.cedar);
    if rng.bool() {
        let one = pick(rng, &RANGES);
        let zt = format!("{} cidr {}", side.zt, text_of_zt(one));
        return test(zt, vec![part(&[&side], range(one))]);
    }
    let several: Vec<&str> = (0..rng.usize(1..4)).map(|_| pick(rng, &RANGES)).collect();
    let holds: Vec<String> = several.iter().map(|one| range(one)).collect();
    let named: Vec<String> = several.iter().map(|one| text_of_zt(one)).collect();
    let zt = format!("{} cidr [{}]", side.zt, named.join(", "));
    test(zt, vec![part(&[&side], holds.join(" || "))])
}
