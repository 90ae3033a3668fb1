//! Obligations: what must be done with an allow, beside columns, masks and rows.
//!
//! In: the restrictions that match an allow. Out: the strictest of each kind, so that the order of rows means nothing and
//! one more restriction never gives more. Never: enforcement, which is [`Permit`](crate::Permit)'s and
//! [`Session`](crate::Session)'s.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::PolicyKind;
use super::outcome::Placed;

/// How strongly a caller must have signed in.
///
/// ```
/// use zt_core::policy::StepUp;
///
/// let context: StepUp = "c2".parse()?;
/// assert_eq!(context.to_string(), "c2");
/// assert!("c100".parse::<StepUp>().is_err());
/// # Ok::<(), zt_core::policy::NotAStepUp>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StepUp {
    /// With more than one factor.
    Mfa,
    /// Under an authentication context of Entra Conditional Access, `c1` to `c99` (Microsoft Learn, "Developer guide to
    /// Conditional Access authentication context").
    Context(u8),
}

/// The text is no step-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `mfa`, or an authentication context from `c1` to `c99`")]
#[non_exhaustive]
pub struct NotAStepUp;

impl FromStr for StepUp {
    type Err = NotAStepUp;

    fn from_str(text: &str) -> Result<Self, NotAStepUp> {
        if text == "mfa" {
            return Ok(Self::Mfa);
        }
        let number: u8 = text
            .strip_prefix('c')
            .and_then(|number| number.parse().ok())
            .ok_or(NotAStepUp)?;
        let context = Self::Context(number);
        if (1..=99).contains(&number) && context.to_string() == text {
            Ok(context)
        } else {
            Err(NotAStepUp)
        }
    }
}

impl fmt::Display for StepUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mfa => f.write_str("mfa"),
            Self::Context(number) => write!(f, "c{number}"),
        }
    }
}

impl Serialize for StepUp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// How surely an allow stands in the audit log before its answer, the least first. A deny is always durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditLevel {
    /// Flushed within moments; repeats are counted.
    #[default]
    Ordered,
    /// On disk before the answer, every one of them.
    Durable,
    /// On disk and in a remote sink before the answer: for a disk that may not outlive the process.
    Remote,
}

impl AuditLevel {
    /// The level of this name.
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word {
            "ordered" => Some(Self::Ordered),
            "durable" => Some(Self::Durable),
            "remote" => Some(Self::Remote),
            _ => None,
        }
    }

    /// As the tables write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Durable => "durable",
            Self::Remote => "remote",
        }
    }
}

/// What must be done with an allow, beside showing no more than its columns and rows, masked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Obligations {
    /// At most so many rows are shown at once: the least that a restriction says.
    pub max_rows: Option<u32>,
    /// The rows of Encryption_Rules under each of which the data must be sealed before it is shown or leaves.
    pub encrypt: BTreeSet<String>,
    /// How surely the decision stands in the audit log before its answer.
    pub audit: AuditLevel,
}

/// Prints `at most 1000 rows, sealed by ER-01, audit durable`.
impl fmt::Display for Obligations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.max_rows.map(|most| format!("at most {most} rows"));
        let rules: Vec<&str> = self.encrypt.iter().map(String::as_str).collect();
        let sealed = (!rules.is_empty()).then(|| format!("sealed by {}", rules.join(" and ")));
        let audit = (self.audit != AuditLevel::default()).then(|| {
            let level = self.audit.as_str();
            format!("audit {level}")
        });
        let parts: Vec<String> = [rows, sealed, audit].into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}

impl Obligations {
    /// Whether nothing must be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The strictest of each kind. What is done by break-glass is durable without a restriction.
    pub(super) fn of(allows: &[Placed<'_>], restricts: &[Placed<'_>]) -> Self {
        let duties = || restricts.iter().map(|(_, row)| &row.obligations);
        let is_broken_glass = |(_, row): &Placed<'_>| row.kind == PolicyKind::BreakGlass;
        let least = if allows.iter().any(is_broken_glass) {
            AuditLevel::Durable
        } else {
            AuditLevel::Ordered
        };
        Self {
            max_rows: duties().filter_map(|duty| duty.max_rows).min(),
            encrypt: duties().filter_map(|duty| duty.encrypt.clone()).collect(),
            audit: duties().map(|duty| duty.audit).fold(least, AuditLevel::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_up_reads_back_what_it_prints_and_nothing_else() {
        for text in ["mfa", "c1", "c25", "c99"] {
            assert_eq!(text.parse::<StepUp>().unwrap().to_string(), text);
        }
        for text in ["", "MFA", "c", "c0", "c01", "c100", "c+1", "c999", "25"] {
            assert_eq!(text.parse::<StepUp>(), Err(NotAStepUp), "{text}");
        }
    }
}
