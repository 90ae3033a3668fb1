//! Actions: what is asked, `noun.verb`, and the resource kinds that each takes.

use std::fmt;
use std::str::FromStr;

use super::ResourceKind;
use crate::text::nearest;

/// Declares every built-in action once: its name, the kinds it takes, what it means.
macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal on [$($kind:ident),* $(,)?];)+) => {
        /// A built-in action.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Action {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The action as it is written: `secret.get`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The resource kinds that it takes; empty means any.
            #[must_use]
            pub const fn kinds(self) -> &'static [ResourceKind] {
                match self { $(Self::$name => &[$(ResourceKind::$kind),*],)+ }
            }
        }
    };
}

actions! {
    /// Score with a model.
    ModelInfer = "model.infer" on [Model];
    /// Read rows of a table or view.
    TableRead = "table.read" on [Table, View];
    /// Write rows of a table.
    TableWrite = "table.write" on [Table];
    /// Read the value of a secret.
    SecretGet = "secret.get" on [Secret];
    /// Start a job.
    JobRun = "job.run" on [Job];
    /// See what a job needs, and what it lacks.
    JobPlan = "job.plan" on [Job];
    /// Report how well a model or a job does.
    MetricReport = "metric.report" on [Model, Job];
    /// Encrypt an output.
    DataSeal = "data.seal" on [Output];
    /// Decrypt an output.
    DataOpen = "data.open" on [Output];
    /// Propose a change of the metadata tables.
    MetadataPropose = "metadata.propose" on [Metadata];
    /// Approve somebody's change of the metadata tables.
    MetadataApprove = "metadata.approve" on [Metadata];
    /// See near misses. They tell an attacker what to claim, so few may.
    PolicyExplain = "policy.explain" on [];
    /// Vouch that a principal is in a stage of a job.
    GrantIssue = "grant.issue" on [Job];
    /// Hand rights of one's own to the executors of a job.
    GrantDelegate = "grant.delegate" on [Job];
    /// Read the audit log.
    AuditRead = "audit.read" on [Audit];
}

/// The text is not a built-in action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an action")]
#[non_exhaustive]
pub struct NotAnAction;

impl FromStr for Action {
    type Err = NotAnAction;

    fn from_str(text: &str) -> Result<Self, NotAnAction> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.as_str() == text)
            .ok_or(NotAnAction)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Action {
    /// The noun: `table` of `table.read`.
    #[must_use]
    pub fn noun(self) -> &'static str {
        self.as_str().split_once('.').map_or("", |(noun, _)| noun)
    }

    /// Whether everything that it takes has columns.
    #[must_use]
    pub fn has_columns(self) -> bool {
        !self.kinds().is_empty() && self.kinds().iter().all(|kind| kind.has_columns())
    }

    /// Its own bit in a set of actions.
    pub(super) const fn bit(self) -> u32 {
        1 << (self as u32)
    }

    /// Whether it can be asked of this kind of resource.
    #[must_use]
    pub fn takes(self, kind: ResourceKind) -> bool {
        self.kinds().is_empty() || self.kinds().contains(&kind)
    }
}

/// The action of a row: one action, all of a noun (`table.*`) or all (`*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionPattern {
    /// `*`
    Any,
    /// `noun.*`
    Noun(&'static str),
    /// `noun.verb`
    One(Action),
}

impl ActionPattern {
    /// Whether the row speaks of this action.
    #[must_use]
    pub fn matches(self, action: Action) -> bool {
        match self {
            Self::Any => true,
            Self::Noun(noun) => action.noun() == noun,
            Self::One(one) => one == action,
        }
    }

    /// The actions that it stands for, as a set of bits.
    pub(super) fn bits(self) -> u32 {
        self.actions().fold(0, |bits, action| bits | action.bit())
    }

    /// The actions that it stands for.
    pub fn actions(self) -> impl Iterator<Item = Action> {
        Action::ALL
            .iter()
            .copied()
            .filter(move |action| self.matches(*action))
    }
}

impl FromStr for ActionPattern {
    type Err = NotAnAction;

    fn from_str(text: &str) -> Result<Self, NotAnAction> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let Some(noun) = text.strip_suffix(".*") else {
            return text.parse().map(Self::One);
        };
        let known = Action::ALL
            .iter()
            .map(|action| action.noun())
            .find(|known| *known == noun);
        known.map(Self::Noun).ok_or(NotAnAction)
    }
}

impl ActionPattern {
    /// The pattern that was meant by a text that is none: an action, or all of a noun.
    pub(crate) fn meant(text: &str) -> Option<String> {
        let actions = Action::ALL.iter().map(|action| action.as_str().to_owned());
        let nouns = Action::ALL
            .iter()
            .map(|action| format!("{}.*", action.noun()));
        let valid: Vec<String> = actions.chain(nouns).collect();
        let valid: Vec<&str> = valid.iter().map(String::as_str).collect();
        nearest(text, &valid)
    }
}

impl fmt::Display for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Noun(noun) => write!(f, "{noun}.*"),
            Self::One(action) => write!(f, "{action}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_reads_back_what_it_prints() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse::<Action>(), Ok(*action));
        }
    }

    #[test]
    fn a_noun_pattern_matches_its_verbs_and_no_others() {
        let tables: ActionPattern = "table.*".parse().unwrap();
        assert!(tables.matches(Action::TableRead) && tables.matches(Action::TableWrite));
        assert!(!tables.matches(Action::SecretGet));
        assert_eq!("tables.*".parse::<ActionPattern>(), Err(NotAnAction));
        assert_eq!("*.read".parse::<ActionPattern>(), Err(NotAnAction));
    }
}
