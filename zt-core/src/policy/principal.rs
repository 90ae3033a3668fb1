//! The principal of a row: who it speaks of.

use std::fmt;
use std::str::FromStr;

use crate::id::{PrincipalId, RoleName};
use crate::text::nearest;

/// `user:`, `group:`, `sp:`, `role:` or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrincipalPattern {
    /// Every verified caller.
    Any,
    /// One user, group or service principal.
    One(PrincipalId),
    /// Whoever holds the role.
    Role(RoleName),
}

/// The text names no principal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `user:`, `group:`, `sp:` or `role:` and a name, or `*`")]
#[non_exhaustive]
pub struct NotAPrincipalPattern;

impl FromStr for PrincipalPattern {
    type Err = NotAPrincipalPattern;

    fn from_str(text: &str) -> Result<Self, NotAPrincipalPattern> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if let Some(role) = text.strip_prefix("role:") {
            if role.is_empty() || role.chars().any(|c| c.is_whitespace() || c.is_control()) {
                return Err(NotAPrincipalPattern);
            }
            return Ok(Self::Role(RoleName::new(role)));
        }
        text.parse()
            .map(Self::One)
            .map_err(|_| NotAPrincipalPattern)
    }
}

impl PrincipalPattern {
    /// The principal that was meant by a text that names none, where only what stands before the colon is wrong.
    pub(crate) fn meant(text: &str) -> Option<String> {
        let (kind, name) = text.split_once(':')?;
        let kind = nearest(kind, &["user", "group", "sp", "role"])?;
        let meant = format!("{kind}:{name}");
        (meant != text && meant.parse::<Self>().is_ok()).then_some(meant)
    }
}

impl fmt::Display for PrincipalPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::One(id) => write!(f, "{id}"),
            Self::Role(role) => write!(f, "role:{role}"),
        }
    }
}
