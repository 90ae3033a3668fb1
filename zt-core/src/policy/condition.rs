//! Conditions of rows, in Kleene's three-valued logic.
//!
//! A row's `when` compiles to a conjunction of atoms. A fact that nobody stated makes an atom unknown: an unknown never
//! satisfies an allow and never disarms a deny.

use std::fmt;

use super::Context;
use crate::id::PrincipalId;

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

    fn of(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::True,
            Some(false) => Self::False,
            None => Self::Unknown,
        }
    }
}

/// One test of one fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Atom {
    /// The process works on this job.
    Job(u32),
    /// The process is in this stage of its job.
    Stage(u32),
    /// The caller is not who proposed the change: four eyes.
    NotAuthor,
}

impl Atom {
    /// Its value for this caller and context.
    #[must_use]
    pub fn evaluate(self, caller: Option<&PrincipalId>, context: &Context) -> Truth {
        Truth::of(match self {
            Self::Job(job) => context.job().map(|given| given == job),
            Self::Stage(stage) => context.stage().map(|given| given == stage),
            Self::NotAuthor => match (caller, context.author()) {
                (Some(caller), Some(author)) => Some(caller != author),
                _ => None,
            },
        })
    }

    /// The fact that it tests: `job`, `stage`, `author`.
    #[must_use]
    pub const fn fact(self) -> &'static str {
        match self {
            Self::Job(_) => "job",
            Self::Stage(_) => "stage",
            Self::NotAuthor => "author",
        }
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(job) => write!(f, "{job}"),
            Self::Stage(stage) => write!(f, "{stage}"),
            Self::NotAuthor => f.write_str("someone else than the caller"),
        }
    }
}

/// All its atoms must hold; without atoms it always does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    atoms: Vec<Atom>,
}

impl Condition {
    /// The conjunction of these atoms.
    #[must_use]
    pub const fn all(atoms: Vec<Atom>) -> Self {
        Self { atoms }
    }

    /// Its atoms.
    #[must_use]
    pub fn atoms(&self) -> &[Atom] {
        &self.atoms
    }

    /// Its value for this caller and context.
    #[must_use]
    pub fn evaluate(&self, caller: Option<&PrincipalId>, context: &Context) -> Truth {
        self.atoms.iter().fold(Truth::True, |so_far, atom| {
            so_far.and(atom.evaluate(caller, context))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_fact_is_unknown_and_a_wrong_one_false() {
        let condition = Condition::all(vec![Atom::Job(201), Atom::Stage(2)]);
        let value = |context: Context| condition.evaluate(None, &context);
        assert_eq!(value(Context::new()), Truth::Unknown);
        assert_eq!(value(Context::new().with_job(201)), Truth::Unknown);
        assert_eq!(value(Context::new().with_job(202)), Truth::False);
        assert_eq!(
            value(Context::new().with_job(201).with_stage(2)),
            Truth::True
        );
    }

    #[test]
    fn four_eyes_need_to_know_both_people() {
        let priya: PrincipalId = "user:priya".parse().unwrap();
        let by = |author: &str| Context::new().with_author(author.parse().unwrap());
        let value = |caller, context| Atom::NotAuthor.evaluate(caller, &context);
        assert_eq!(value(Some(&priya), by("user:jonas")), Truth::True);
        assert_eq!(value(Some(&priya), by("user:priya")), Truth::False);
        assert_eq!(value(Some(&priya), Context::new()), Truth::Unknown);
        assert_eq!(value(None, by("user:jonas")), Truth::Unknown);
    }
}
