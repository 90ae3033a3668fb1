//! Which records somebody asks for.

use super::Entry;
use crate::clock::Timestamp;

/// What a record must have; nothing asked for keeps every record. A text that ends in `*` is a beginning.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Filter {
    /// Written at this time or later.
    pub since: Option<Timestamp>,
    /// Written before this time.
    pub until: Option<Timestamp>,
    /// `sp:sp-score-201`
    pub caller: Option<String>,
    /// `secret.read`
    pub action: Option<String>,
    /// `secret:*`
    pub resource: Option<String>,
    /// `default_deny`
    pub outcome: Option<String>,
    /// The id of a decision.
    pub decision: Option<String>,
}

impl Filter {
    /// Whether it keeps this record. A counted one is kept if any that it stands for could be.
    #[must_use]
    pub fn keeps(&self, entry: &Entry) -> bool {
        let (first, last) = (at(&entry.first, entry), at(&entry.last, entry));
        self.since
            .is_none_or(|since| last.is_some_and(|at| at >= since))
            && self
                .until
                .is_none_or(|until| first.is_some_and(|at| at < until))
            && fits(self.caller.as_deref(), entry.caller.as_deref())
            && fits(self.action.as_deref(), Some(&entry.action))
            && fits(self.resource.as_deref(), Some(&entry.resource))
            && fits(self.outcome.as_deref(), Some(&entry.outcome))
            && fits(self.decision.as_deref(), entry.decision.as_deref())
    }
}

fn at(text: &Option<String>, entry: &Entry) -> Option<Timestamp> {
    match text {
        Some(text) => super::entry::timestamp(text),
        None => entry.timestamp(),
    }
}

fn fits(asked: Option<&str>, is: Option<&str>) -> bool {
    let Some(asked) = asked else { return true };
    let is = is.unwrap_or_default();
    match asked.strip_suffix('*') {
        Some(beginning) => is.starts_with(beginning),
        None => is == asked,
    }
}
