//! Conditions of rows, in Kleene's three-valued logic.
//!
//! In: text, and the attributes that it may test. Out: a [`Condition`], typed and bounded, or every [`Mistake`] in it. A fact
//! that is not known makes a test unknown: an unknown never satisfies an allow and never disarms a deny.
//!
//! Total: no loop, no function, no regular expression, no arithmetic. A condition has at most 4096 bytes, 32 levels and 256
//! nodes, so evaluation always ends and never overflows the stack.

mod change;
mod evaluate;
mod fingerprint;
mod implies;
mod lex;
mod looks;
mod parse;
mod parts;
mod show;
mod types;
mod unmet;

use std::fmt;
use std::sync::Arc;

pub(super) use evaluate::Source;
pub(super) use implies::{Claim, Fuel, implies, is_impossible};
pub(super) use looks::Looks;
pub(crate) use types::Expression;
pub(super) use types::{Comparison, Operand, Predicate, Test};
pub(crate) use unmet::SECRET;
pub(super) use unmet::shown;

use super::attribute::{Attribute, AttributeSet, BuiltIn};
use super::facts::Facts;
use super::value::Value;
use crate::text::nearest;

/// The value of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "three-valued logic has three values"
)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// A fact is missing.
    Unknown,
}

impl Truth {
    /// Kleene's conjunction.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::True, Self::True) => Self::True,
        }
    }

    /// Kleene's disjunction.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    /// Kleene's negation: what is unknown stays unknown.
    #[must_use]
    pub const fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    pub(super) const fn of(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::True,
            Some(false) => Self::False,
            None => Self::Unknown,
        }
    }

    const fn known(self) -> Option<bool> {
        match self {
            Self::True => Some(true),
            Self::False => Some(false),
            Self::Unknown => None,
        }
    }
}

/// What is wrong with a condition, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mistake {
    /// The character at which the token begins; 1 for the first.
    pub position: usize,
    /// The token.
    pub token: String,
    /// What is wrong and what is expected.
    pub reason: String,
    /// The nearest valid word, if one is near.
    pub nearest: Option<String>,
}

impl Mistake {
    fn new(position: usize, token: &str, reason: impl Into<String>) -> Self {
        Self {
            position,
            token: token.to_owned(),
            reason: reason.into(),
            nearest: None,
        }
    }

    fn nearest(mut self, valid: &[&str]) -> Self {
        self.nearest = nearest(&self.token, valid);
        self
    }
}

/// Prints ``character 9: `=`: not a sign of conditions; did you mean `==`?``.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {}: ", self.position)?;
        if !self.token.is_empty() {
            write!(f, "`{}`: ", crate::text::shown(&self.token))?;
        }
        f.write_str(&self.reason)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

/// When a row applies: all its parts must hold; without parts it always does. Prints as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    parts: Vec<Expression>,
}

impl Condition {
    /// Reads a condition over these attributes.
    ///
    /// ```
    /// use zt_core::policy::{AttributeSet, Condition};
    ///
    /// let attributes = AttributeSet::default();
    /// let condition = Condition::parse("context.job == 201 and time.hour_utc between 8 and 17", &attributes);
    /// assert!(condition.is_ok());
    /// let wrong = Condition::parse("contxt.job == 201", &attributes).unwrap_err();
    /// assert_eq!(wrong[0].nearest.as_deref(), Some("context.job"));
    /// ```
    ///
    /// # Errors
    /// The first mistake of its grammar, or else every mistake of names and types.
    pub fn parse(source: &str, attributes: &AttributeSet) -> Result<Self, Vec<Mistake>> {
        let tree = parse::parse(source).map_err(|mut mistake| {
            // `zone` alone is `context.zone`, most likely.
            if mistake.nearest.is_none() {
                let meant = attributes.of_bare_name(&mistake.token);
                mistake.nearest = meant.map(str::to_owned);
            }
            vec![mistake]
        })?;
        Ok(Self {
            parts: vec![types::check(&tree, attributes)?],
        })
    }

    /// The conjunction of two conditions.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }

    /// `when = { job = 201 }`: the process works on this job.
    pub(crate) fn of_job(job: u32) -> Self {
        Self::of_number(BuiltIn::Job, job)
    }

    /// `when = { stage = 2 }`: the process is in this stage of its job.
    pub(crate) fn of_stage(stage: u32) -> Self {
        Self::of_number(BuiltIn::Stage, stage)
    }

    /// `when = { proven = true }`: a grant proves the job and stage.
    pub(crate) fn of_proof() -> Self {
        let proven = Operand::Value(Value::Bool(true));
        Self::of_test(BuiltIn::Proven, Comparison::Equal, proven)
    }

    /// `when = { not_author = true }`: the caller is not who proposed the change. Four eyes.
    pub(crate) fn of_four_eyes() -> Self {
        let caller = Arc::new(Attribute::built_in(BuiltIn::PrincipalId));
        let caller = Operand::Attribute(caller);
        Self::of_test(BuiltIn::Author, Comparison::NotEqual, caller)
    }

    fn of_number(built_in: BuiltIn, number: u32) -> Self {
        let number = Operand::Value(Value::Int(i64::from(number)));
        Self::of_test(built_in, Comparison::Equal, number)
    }

    fn of_test(built_in: BuiltIn, comparison: Comparison, other: Operand) -> Self {
        let test = Test {
            attribute: Arc::new(Attribute::built_in(built_in)),
            predicate: Predicate::Compare(comparison, other),
        };
        Self {
            parts: vec![Expression::Test(test)],
        }
    }

    /// What is wrong with it as the `rows` of a policy, or as its `condition`: the one is about rows, the other is not.
    pub(crate) fn misplaced(&self, in_rows: bool) -> Option<String> {
        super::row_filter::misplaced(self, in_rows)
    }

    /// Its parts, all of which must hold.
    pub(super) fn parts(&self) -> &[Expression] {
        &self.parts
    }

    /// Its value for these facts.
    #[must_use]
    pub fn evaluate(&self, facts: &Facts<'_>) -> Truth {
        let parts = self.parts.iter().map(|part| part.evaluate(facts));
        parts.fold(Truth::True, Truth::and)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.parts.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { " and " })?;
            match part {
                Expression::Any(_) if self.parts.len() > 1 => write!(f, "({part})")?,
                Expression::Any(_)
                | Expression::All(_)
                | Expression::Not(_)
                | Expression::Test(_) => {
                    write!(f, "{part}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
