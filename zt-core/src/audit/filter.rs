//! Which records somebody asks for.

use std::fmt;

use super::{Entry, Pseudonyms};
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
    /// A fact that counted.
    pub fact: Option<FactFilter>,
}

/// A fact that a record must state: its name, and its value in clear or as one of its pseudonyms.
#[derive(Clone)]
pub struct FactFilter {
    name: String,
    /// As it stands in the log in clear: as given, and as a text in its quotes.
    clear: [String; 2],
    /// Its pseudonyms, with which of these forms each is of.
    hidden: Vec<(&'static str, String)>,
}

impl FactFilter {
    /// The fact `name` with this value, as it stands in the log or, of a text, without its quotes. With `pseudonyms` records
    /// are found, too, that have a pseudonym of it.
    #[must_use]
    pub fn new(name: &str, value: &str, pseudonyms: Option<&Pseudonyms>) -> Self {
        let clear = [crate::policy::quoted(value), value.to_owned()];
        let forms = ["text", "value"].into_iter().zip(&clear);
        let hidden = forms.flat_map(|(form, value)| {
            let all = pseudonyms.map(|keys| keys.all_of(name, value));
            let all = all.into_iter().flatten();
            all.map(move |said| (form, said))
        });
        Self {
            name: name.to_owned(),
            hidden: hidden.collect(),
            clear,
        }
    }

    /// What it looks for in place of the value: as a `text`, which stands in quotes, and as a `value` of another type or a text
    /// that was given with its quotes. Of each, that of the newest key comes first.
    pub fn pseudonyms(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.hidden
            .iter()
            .map(|(form, said)| (*form, said.as_str()))
    }

    fn keeps(&self, entry: &Entry) -> bool {
        let mut facts = entry.facts.iter();
        facts.any(|fact| {
            let mut hidden = self.hidden.iter().map(|(_, said)| said);
            fact.name == self.name
                && (self.clear.contains(&fact.value) || hidden.any(|said| *said == fact.value))
        })
    }
}

/// Whoever looks for a value may know it from elsewhere alone.
impl fmt::Debug for FactFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FactFilter")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
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
            && self.fact.as_ref().is_none_or(|fact| fact.keeps(entry))
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
