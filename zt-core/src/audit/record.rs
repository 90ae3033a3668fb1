//! What one record says: names, row ids and outcomes, in a fixed order of fields.
//!
//! No field takes a secret: a value has no text form to put in. Text is cut to a length, lists to a number of elements,
//! and both say so, so that nobody outside can grow the log without bound.

mod line;
mod repeat;

use std::fmt;

use serde::Serialize;

use super::{AuditError, Fact};
use crate::clock::Timestamp;
use crate::id::{Guid, PolicyId};

pub(super) use repeat::Repeat;

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// The policy was asked.
    Decision,
    /// A secret was handed out, or a key unwrapped.
    Release,
    /// Something else was done under a decision: a plan made, an output sealed, metrics reported.
    Effect,
    /// A token was accepted or refused.
    Authentication,
    /// The runtime itself: opened, closed, tables reloaded, a log recovered, a vault changed.
    Admin,
    /// Equal records, collapsed. Written by the log; a caller appends with `Durability::Counted` instead.
    Counted,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// A policy allows.
    Allow,
    /// A policy denies.
    ExplicitDeny,
    /// No policy allows.
    DefaultDeny,
    /// Refused for another reason than policy: an unacceptable token, a closed gate, a missing path proof.
    Refused,
    /// Done.
    Ok,
    /// Tried, and failed.
    Failed,
}

/// One record. Build it with [`new`](Self::new) and the `with_` methods.
#[derive(Clone, PartialEq, Eq, Hash)]
#[must_use = "a record protects nothing until it is appended"]
pub struct Record {
    kind: Kind,
    at: Timestamp,
    outcome: Outcome,
    caller: Option<String>,
    tenant: Option<Guid>,
    oid: Option<Guid>,
    action: String,
    resource: String,
    decision: Option<String>,
    policies: Vec<PolicyId>,
    snapshot: Option<(u64, String)>,
    facts: Vec<Fact>,
    detail: Vec<(String, String)>,
    near_misses: Vec<String>,
    omitted: u64,
}

/// The longest name of a caller, action or resource, in bytes.
const NAME_BYTES: usize = 1024;
/// The longest other text, in bytes.
const TEXT_BYTES: usize = 256;
/// The most policies, and the most near misses.
const LONG_LIST: usize = 64;
/// The most facts, and the most details.
const SHORT_LIST: usize = 32;

impl Record {
    /// That `action` on `resource` ended as `outcome` at `at`. Names over 1024 bytes are cut and end in `…`.
    pub fn new(
        kind: Kind,
        at: Timestamp,
        action: impl Into<String>,
        resource: impl Into<String>,
        outcome: Outcome,
    ) -> Self {
        Self {
            kind,
            at,
            outcome,
            caller: None,
            tenant: None,
            oid: None,
            action: cut(action.into(), NAME_BYTES),
            resource: cut(resource.into(), NAME_BYTES),
            decision: None,
            policies: Vec::new(),
            snapshot: None,
            facts: Vec::new(),
            detail: Vec::new(),
            near_misses: Vec::new(),
            omitted: 0,
        }
    }

    /// Adds the readable id of the caller: `user:maya`.
    pub fn with_caller(mut self, caller: impl Into<String>) -> Self {
        self.caller = Some(cut(caller.into(), NAME_BYTES));
        self
    }

    /// Adds the Entra tenant and object id of the caller.
    pub fn with_caller_ids(mut self, tenant: Guid, oid: Guid) -> Self {
        self.tenant = Some(tenant);
        self.oid = Some(oid);
        self
    }

    /// Adds the id of the decision.
    pub fn with_decision(mut self, id: impl Into<String>) -> Self {
        self.decision = Some(cut(id.into(), TEXT_BYTES));
        self
    }

    /// Adds the rows that decided, at most 64.
    pub fn with_policies(mut self, policies: impl IntoIterator<Item = PolicyId>) -> Self {
        for policy in policies {
            let policy = if policy.as_str().len() > TEXT_BYTES {
                PolicyId::new(&cut(policy.as_str().to_owned(), TEXT_BYTES))
            } else {
                policy
            };
            push(&mut self.policies, policy, LONG_LIST, &mut self.omitted);
        }
        self
    }

    /// Adds the version and the short content hash of the snapshot that decided.
    pub fn with_snapshot(mut self, version: u64, content: impl Into<String>) -> Self {
        self.snapshot = Some((version, cut(content.into(), TEXT_BYTES)));
        self
    }

    /// Adds a fact that counted and how it is known: `job`, `201`, `asserted`. At most 32.
    pub fn with_fact(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        provenance: impl Into<String>,
    ) -> Self {
        let fact = Fact {
            name: cut(name.into(), TEXT_BYTES),
            value: cut(value.into(), TEXT_BYTES),
            provenance: cut(provenance.into(), TEXT_BYTES),
        };
        push(&mut self.facts, fact, SHORT_LIST, &mut self.omitted);
        self
    }

    /// Adds a named detail: `version`, `path`, `uti`, `reason`. At most 32; a name given again replaces its value.
    pub fn with_detail(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = cut(name.into(), TEXT_BYTES);
        let value = cut(value.into(), TEXT_BYTES);
        if let Some(old) = self.detail.iter_mut().find(|(old, _)| *old == name) {
            old.1 = value;
        } else {
            push(
                &mut self.detail,
                (name, value),
                SHORT_LIST,
                &mut self.omitted,
            );
        }
        self
    }

    /// Adds a row that nearly decided and what it lacked: `AP-07 would allow: stage is 1, needs 2`. At most 64.
    pub fn with_near_miss(mut self, text: impl Into<String>) -> Self {
        let text = cut(text.into(), TEXT_BYTES);
        push(&mut self.near_misses, text, LONG_LIST, &mut self.omitted);
        self
    }

    /// The same, built at another moment.
    pub(super) const fn moved(mut self, at: Timestamp) -> Self {
        self.at = at;
        self
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) const fn outcome(&self) -> Outcome {
        self.outcome
    }

    pub(super) const fn at(&self) -> Timestamp {
        self.at
    }

    /// Roughly the memory it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        let facts = self.facts.iter().map(|fact| {
            (fact.name.len() + fact.value.len() + fact.provenance.len()).saturating_add(72)
        });
        let detail = self.detail.iter().map(|(n, v)| n.len() + v.len() + 48);
        let near = self.near_misses.iter().map(|text| text.len() + 24);
        let lists: usize = facts.chain(detail).chain(near).sum();
        let names = self.action.len() + self.resource.len();
        lists + names + self.policies.len() * 16 + size_of::<Self>()
    }

    /// The fields as JSON, without `seq` and the braces.
    pub(super) fn fields(&self, counted: Option<Count>) -> String {
        let mut out = String::with_capacity(512);
        self.push_fields(counted, &mut out);
        out
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record {{{}}}", self.fields(None))
    }
}

/// How often, and when first and last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub(super) count: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// Any JSON object without its braces.
pub(super) fn to_fields(object: &impl Serialize) -> Result<String, AuditError> {
    let invalid = |what: String| AuditError::Invalid { what };
    let text = serde_json::to_string(object).map_err(|error| invalid(error.to_string()))?;
    let mut text = text;
    if text.len() < 2 || !text.starts_with('{') || text.pop() != Some('}') {
        return Err(invalid("an audit record is not an object".to_owned()));
    }
    text.remove(0);
    Ok(text)
}

fn push<T>(list: &mut Vec<T>, item: T, limit: usize, omitted: &mut u64) {
    if list.len() < limit {
        list.push(item);
    } else {
        *omitted = omitted.saturating_add(1);
    }
}

/// Cuts to at most `limit` bytes at a character; what was cut ends in `…`.
fn cut(mut text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    let mut end = limit - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push('…');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record::new(
            Kind::Release,
            Timestamp::from_secs(1_790_000_000),
            "secret.read",
            "secret:sql-loans-password",
            Outcome::Ok,
        )
    }

    #[test]
    fn fields_stand_in_a_fixed_order() {
        let record = record()
            .with_detail("version", "v3")
            .with_fact("job", "201", "asserted")
            .with_snapshot(7, "9f2c")
            .with_policies([PolicyId::new("AP-07")])
            .with_caller("sp:sp-score-201")
            .with_decision("d-1");
        assert_eq!(
            record.fields(None),
            concat!(
                r#""kind":"release","at":"2026-09-21T14:13:20.000Z","outcome":"ok","caller":"sp:sp-score-201","#,
                r#""action":"secret.read","resource":"secret:sql-loans-password","decision":"d-1","policies":["AP-07"],"#,
                r#""snapshot":{"version":7,"content":"9f2c"},"#,
                r#""facts":[{"name":"job","value":"201","provenance":"asserted"}],"detail":{"version":"v3"}"#,
            )
        );
    }

    #[test]
    fn control_characters_are_escaped_and_cannot_start_a_line() {
        let fields = record().with_detail("reason", "a\n\u{0}\"b").fields(None);
        assert!(fields.ends_with(r#"{"reason":"a\n\u0000\"b"}"#));
    }

    #[test]
    fn long_text_is_cut_at_a_character_and_long_lists_say_what_is_left_out() {
        let mut record = record().with_detail("reason", "é".repeat(300));
        for number in 0..70 {
            record = record.with_near_miss(number.to_string());
        }
        assert!(record.detail[0].1.len() <= TEXT_BYTES);
        assert!(record.detail[0].1.ends_with("é…"));
        assert!(record.fields(None).ends_with(r#""omitted":6"#));
    }

    #[test]
    fn the_longest_record_fits_a_line() {
        let worst = "\u{1}".repeat(2000);
        let mut record = record().with_caller(worst.clone());
        for number in 0..100 {
            record = record
                .with_near_miss(worst.clone())
                .with_fact(worst.clone(), worst.clone(), worst.clone())
                .with_detail(format!("{number}{worst}"), worst.clone());
        }
        let policies = (0..100).map(|_| PolicyId::new(&worst));
        let fields = record.with_policies(policies).fields(None);
        assert!(fields.len() < super::super::lines::LONGEST - 1024);
    }
}
