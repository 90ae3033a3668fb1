//! What a grant says, as JSON with fixed fields in a fixed order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::GrantError;
use crate::clock::Timestamp;
use crate::id::SecretRef;
use crate::policy::{Action, Resource};

/// What a grant is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new kind must stop the build wherever a grant is taken"
)]
pub enum GrantKind {
    /// It proves the job and stage of its subject to a runtime.
    Stage,
    /// It carries rights to executors.
    Executors,
}

impl GrantKind {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stage => "a stage",
            Self::Executors => "executors",
        }
    }
}

/// One right: an action on one resource. Prints as rows of Stages write it: `table.read table:raw.loan_applications`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Right {
    /// What may be done.
    pub action: Action,
    /// On what.
    pub resource: Resource,
}

impl Right {
    /// This right.
    #[must_use]
    pub const fn new(action: Action, resource: Resource) -> Self {
        Self { action, resource }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action, self.resource)
    }
}

impl FromStr for Right {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let wrong = GrantError::Malformed("a right is not `action resource`");
        let (action, resource) = text.split_once(' ').ok_or_else(|| wrong.clone())?;
        let (Ok(action), Ok(resource)) = (action.parse(), resource.parse()) else {
            return Err(wrong);
        };
        Ok(Self { action, resource })
    }
}

/// The claims as they are signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    /// The decision that allowed the issue.
    pub(crate) id: String,
    /// 128 random bits: no two grants are the same.
    pub(crate) nonce: String,
    pub(crate) kind: GrantKind,
    /// The name of the key that signed.
    pub(crate) key: String,
    /// The application that the issuer's runtime takes tokens for: a grant counts for runtimes of the same one.
    pub(crate) audience: String,
    pub(crate) issuer: String,
    /// Its tenant and object id: names are those of tables, and other tables may mean others by them.
    pub(crate) issuer_tenant: String,
    pub(crate) issuer_object: String,
    pub(crate) subject: String,
    /// As of the issuer.
    pub(crate) tenant: String,
    pub(crate) object: String,
    pub(crate) job: u32,
    pub(crate) stage: Option<u32>,
    /// Milliseconds since 1970.
    pub(crate) from_ms: i64,
    pub(crate) until_ms: i64,
    /// The content of the tables that allowed it.
    pub(crate) snapshot: String,
    pub(crate) rights: Vec<String>,
    /// The columns of tables that may be used; none means all of them.
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) seals: Vec<Seal>,
}

/// All that sealing one output needs beside a data key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seal {
    pub(crate) output: String,
    pub(crate) rule: String,
    pub(crate) table: String,
    /// The row of Secret_References.
    pub(crate) reference: String,
    pub(crate) columns: Vec<String>,
    pub(crate) row_key: Vec<String>,
    /// The version of the key, as its vault writes it.
    pub(crate) version: String,
    /// Its public half: a SubjectPublicKeyInfo in base64url.
    pub(crate) public_key: String,
}

impl Seal {
    pub(crate) fn reference(&self) -> SecretRef {
        SecretRef::new(&self.reference)
    }
}

impl Claims {
    pub(crate) const fn from(&self) -> Timestamp {
        Timestamp::from_millis(self.from_ms)
    }

    pub(crate) const fn until(&self) -> Timestamp {
        Timestamp::from_millis(self.until_ms)
    }
}
