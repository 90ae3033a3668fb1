//! What one record says: names, row ids and outcomes, in a fixed order of fields.
//!
//! No field takes a secret: a value has no text form to put in. Text is cut to a length, lists to a number of elements,
//! and both say so, so that nobody outside can grow the log without bound.

mod fields;
mod line;
mod repeat;

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::AuditError;
use super::json::push_text;
use crate::clock::{Timestamp, civil};
use crate::id::{Guid, PolicyId};
use fields::{Fields, Part};

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
// Its size is that of a pointer: a queue of many is handed from one core to another.
#[derive(Clone, PartialEq, Eq, Hash)]
#[must_use = "a record protects nothing until it is appended"]
pub struct Record(Box<Contents>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Contents {
    kind: Kind,
    at: Timestamp,
    outcome: Outcome,
    fields: Fields,
    omitted: u64,
}

/// The longest name of a caller, action or resource, in bytes.
const NAME_BYTES: usize = 1024;
/// The longest other text, in bytes.
const TEXT_BYTES: usize = 256;
/// The most policies, and the most near misses.
const LONG_LIST: u8 = 64;
/// The most facts, and the most details.
const SHORT_LIST: u8 = 32;

impl Record {
    /// That `action` on `resource` ended as `outcome` at `at`. Names over 1024 bytes are cut and end in `…`.
    pub fn new(
        kind: Kind,
        at: Timestamp,
        action: impl AsRef<str>,
        resource: impl AsRef<str>,
        outcome: Outcome,
    ) -> Self {
        let mut fields = Fields::new();
        fields.set(Part::Names, |text| {
            line::push(",\"action\":", &cut(action.as_ref(), NAME_BYTES), text);
            line::push(",\"resource\":", &cut(resource.as_ref(), NAME_BYTES), text);
        });
        Self(Box::new(Contents {
            kind,
            at,
            outcome,
            fields,
            omitted: 0,
        }))
    }

    /// Adds the readable id of the caller: `user:maya`.
    pub fn with_caller(self, caller: impl AsRef<str>) -> Self {
        let caller = cut(caller.as_ref(), NAME_BYTES);
        self.with(Part::Caller, |text| {
            line::push(",\"caller\":", &caller, text);
        })
    }

    /// Adds the Entra tenant and object id of the caller.
    pub fn with_caller_ids(self, tenant: Guid, oid: Guid) -> Self {
        self.with(Part::Ids, |text| {
            line::push_id(",\"tenant\":", tenant, text);
            line::push_id(",\"oid\":", oid, text);
        })
    }

    /// Adds the id of the decision.
    pub fn with_decision(self, id: impl AsRef<str>) -> Self {
        let id = cut(id.as_ref(), TEXT_BYTES);
        self.with(Part::Decision, |text| {
            line::push(",\"decision\":", &id, text);
        })
    }

    /// Adds the rows that decided, at most 64.
    pub fn with_policies(self, policies: impl IntoIterator<Item = PolicyId>) -> Self {
        policies.into_iter().fold(self, |record, policy| {
            let policy = cut(policy.as_str(), TEXT_BYTES);
            record.and(Part::Policies, LONG_LIST, |text| push_text(&policy, text))
        })
    }

    /// Adds the version and the short content hash of the snapshot that decided.
    pub fn with_snapshot(self, version: u64, content: impl AsRef<str>) -> Self {
        let content = cut(content.as_ref(), TEXT_BYTES);
        self.with(Part::Snapshot, |text| {
            line::push_number(",\"snapshot\":{\"version\":", version, text);
            line::push(",\"content\":", &content, text);
            text.push(b'}');
        })
    }

    /// Adds a fact that counted and how it is known: `job`, `201`, `asserted`. At most 32.
    pub fn with_fact(
        self,
        name: impl AsRef<str>,
        value: impl AsRef<str>,
        provenance: impl AsRef<str>,
    ) -> Self {
        let [name, value, provenance] =
            [name.as_ref(), value.as_ref(), provenance.as_ref()].map(|text| cut(text, TEXT_BYTES));
        self.and(Part::Facts, SHORT_LIST, |text| {
            line::push("{\"name\":", &name, text);
            line::push(",\"value\":", &value, text);
            line::push(",\"provenance\":", &provenance, text);
            text.push(b'}');
        })
    }

    /// Adds a named detail: `version`, `path`, `uti`, `reason`. At most 32; a name given again replaces its value.
    pub fn with_detail(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let [name, value] = [name.as_ref(), value.as_ref()].map(|text| cut(text, TEXT_BYTES));
        if self.0.fields.update(Part::Detail, &name, &value) {
            return self;
        }
        self.and(Part::Detail, SHORT_LIST, |text| {
            push_text(&name, text);
            line::push(":", &value, text);
        })
    }

    /// Adds a row that nearly decided and what it lacked: `AP-07 would allow: stage is 1, needs 2`. At most 64.
    pub fn with_near_miss(self, miss: impl AsRef<str>) -> Self {
        let miss = cut(miss.as_ref(), TEXT_BYTES);
        self.and(Part::NearMisses, LONG_LIST, |text| push_text(&miss, text))
    }

    fn with(mut self, part: Part, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        self.0.fields.set(part, write);
        self
    }

    /// One more element of a list.
    fn and(mut self, part: Part, most: u8, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        if !self.0.fields.add(part, most, write) {
            self.0.omitted = self.0.omitted.saturating_add(1);
        }
        self
    }

    /// The same, built at another moment.
    pub(super) fn moved(mut self, at: Timestamp) -> Self {
        self.0.at = at;
        self
    }

    pub(super) fn kind(&self) -> Kind {
        self.0.kind
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    pub(super) fn at(&self) -> Timestamp {
        self.0.at
    }

    /// Roughly the memory it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.0.fields.memory() + size_of::<Contents>()
    }

    /// The fields as JSON, without `seq` and the braces.
    pub(super) fn fields(&self, counted: Option<Count>) -> String {
        let mut out = Vec::with_capacity(512);
        self.push_fields(counted, &mut civil::Writer::default(), &mut out);
        String::from_utf8_lossy(&out).into_owned()
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

/// At most `limit` bytes, cut at a character; what was cut ends in `…`.
fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let mut end = limit - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (kept, _) = text.split_at_checked(end).unwrap_or_default();
    Cow::Owned(format!("{kept}…"))
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
        let fields = record.fields(None);
        let (_, reason) = fields.split_once("{\"reason\":\"").unwrap();
        let (reason, _) = reason.split_once('"').unwrap();
        assert!(reason.len() <= TEXT_BYTES && reason.ends_with("é…"));
        assert!(fields.ends_with(r#""omitted":6"#));
    }

    #[test]
    fn the_longest_record_fits_a_line() {
        let worst = "\u{1}".repeat(2000);
        let mut record = record().with_caller(&worst);
        for number in 0..100 {
            record = record
                .with_near_miss(&worst)
                .with_fact(&worst, &worst, &worst)
                .with_detail(format!("{number}{worst}"), &worst);
        }
        let policies = (0..100).map(|_| PolicyId::new(&worst));
        let fields = record.with_policies(policies).fields(None);
        assert!(fields.len() < super::super::lines::LONGEST - 1024);
    }
}
