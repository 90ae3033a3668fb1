//! What stands between a job and its run: one sentence each, for people, and one object, for tools.

use std::fmt;

use serde::Serialize;

use super::json::{text, texts};
use super::{Basis, Because, ChosenRuntime};
use crate::id::{PrincipalId, SecretRef};
use crate::policy::{Action, DecisionKind, Resource};

/// One reason why a job may not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Gap {
    /// There is nothing to run.
    NoStages {
        /// The job.
        job: u32,
    },
    /// A right that the stage needs is refused to its identity.
    RightRefused {
        /// The stage.
        stage: u32,
        /// Its identity.
        #[serde(serialize_with = "text")]
        runs_as: PrincipalId,
        /// The action.
        #[serde(serialize_with = "text")]
        action: Action,
        /// On what.
        #[serde(serialize_with = "text")]
        resource: Resource,
        /// How it was decided.
        #[serde(flatten)]
        basis: Basis,
    },
    /// A secret that the stage reads is refused to its identity.
    SecretRefused {
        /// The stage.
        stage: u32,
        /// Its identity.
        #[serde(serialize_with = "text")]
        runs_as: PrincipalId,
        /// The row of Secret_References.
        #[serde(serialize_with = "text")]
        secret: SecretRef,
        /// How it was decided.
        #[serde(flatten)]
        basis: Basis,
    },
    /// What the stage would read as a secret is a key, which never leaves its vault.
    SecretIsKey {
        /// The stage.
        stage: u32,
        /// The row of Secret_References.
        #[serde(serialize_with = "text")]
        secret: SecretRef,
    },
    /// The stage seals or opens an output that names no key to do it with.
    NoEncryptionRule {
        /// The stage.
        stage: u32,
        /// `data.seal` or `data.open`.
        #[serde(serialize_with = "text")]
        action: Action,
        /// The row of Output_Storage.
        output: String,
    },
    /// No row, no connection.
    NoNetworkRule {
        /// The stage.
        stage: u32,
        /// The host.
        host: String,
        /// Everything of the stage that needs it.
        #[serde(serialize_with = "texts")]
        because: Vec<Because>,
    },
    /// No integration runtime reaches every host of the stage that has a row.
    NoRuntime {
        /// The stage.
        stage: u32,
        /// The runtimes that come nearest, the nearest first; none when the tables have no runtime.
        nearest: Vec<Candidate>,
    },
    /// The stage runs code, and the job names no cluster to run it on.
    NoCluster {
        /// The stage.
        stage: u32,
        /// The job.
        job: u32,
    },
}

/// An integration runtime that will not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Candidate {
    /// Which.
    #[serde(flatten)]
    pub runtime: ChosenRuntime,
    /// The hosts of the stage that it does not reach, in the order of Network_Rules.
    pub unreached: Vec<Unreached>,
    /// It is self-hosted and its row says that it has no nodes.
    pub has_no_nodes: bool,
}

/// A host that an integration runtime does not reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unreached {
    /// The host.
    pub host: String,
    /// Its row of Network_Rules.
    pub rule: String,
    /// The runtime that alone reaches it, if the row names another one.
    pub reserved_for: Option<String>,
}

impl Gap {
    /// The stage that it is about; none for a gap of the whole job.
    #[must_use]
    pub const fn stage(&self) -> Option<u32> {
        match self {
            Self::NoStages { .. } => None,
            Self::RightRefused { stage, .. }
            | Self::SecretRefused { stage, .. }
            | Self::SecretIsKey { stage, .. }
            | Self::NoEncryptionRule { stage, .. }
            | Self::NoNetworkRule { stage, .. }
            | Self::NoRuntime { stage, .. }
            | Self::NoCluster { stage, .. } => Some(*stage),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(stage) = self.stage() {
            write!(f, "stage {stage}: ")?;
        }
        match self {
            Self::NoStages { .. } => f.write_str("job has no stages"),
            Self::RightRefused {
                runs_as,
                action,
                resource,
                basis,
                ..
            } => write!(
                f,
                "`{runs_as}` may not `{action}` on `{resource}`: {}",
                refusal(basis)
            ),
            Self::SecretRefused {
                runs_as,
                secret,
                basis,
                ..
            } => write!(
                f,
                "`{runs_as}` may not `secret.get` on `secret:{secret}`: {}",
                refusal(basis)
            ),
            Self::SecretIsKey { secret, .. } => write!(
                f,
                "`{secret}` is a key: it never leaves the vault and cannot be read as a secret"
            ),
            Self::NoEncryptionRule { action, output, .. } => write!(
                f,
                "it needs `{action}` on `output:{output}`, which names no row of Encryption_Rules"
            ),
            Self::NoNetworkRule { host, because, .. } => write!(
                f,
                "no row of Network_Rules is about `{host}` ({})",
                list(because)
            ),
            Self::NoRuntime { nearest, .. } if nearest.is_empty() => {
                f.write_str("Integration_Runtimes has no row that could reach its hosts")
            }
            Self::NoRuntime { nearest, .. } => {
                f.write_str("no integration runtime reaches all its hosts; ")?;
                let nearest: Vec<String> = nearest.iter().map(ToString::to_string).collect();
                f.write_str(&nearest.join("; "))
            }
            Self::NoCluster { job, .. } => write!(
                f,
                "it runs code, and job {job} names no row of Cluster_Profiles"
            ),
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.runtime.name)?;
        match (self.has_no_nodes, self.unreached.as_slice()) {
            (true, []) => f.write_str(" has no nodes"),
            (true, unreached) => write!(f, " has no nodes and lacks {}", list(unreached)),
            (false, unreached) => write!(f, " lacks {}", list(unreached)),
        }
    }
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({}", self.host, self.rule)?;
        if let Some(other) = &self.reserved_for {
            write!(f, " is for `{other}` alone")?;
        }
        f.write_str(")")
    }
}

/// Why, in the words of a refusal.
fn refusal(basis: &Basis) -> String {
    if basis.decision == DecisionKind::DefaultDeny {
        return "no policy allows it".to_owned();
    }
    let mut reason = format!("{} by {}", basis.decision, list(&basis.policies));
    if basis.decision == DecisionKind::Allow {
        reason.push_str(" does not cover all columns");
    }
    if let Some(why) = &basis.why {
        reason.push_str(&format!(": {why}"));
    }
    reason
}

pub(super) fn list<T: fmt::Display>(all: &[T]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(", ")
}
