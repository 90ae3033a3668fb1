//! A record as the text of its line: each name with what stands before it is one piece.

use super::{Count, Kind, Outcome, Record};
use crate::audit::json::{decimal, push_text};
use crate::clock::{Timestamp, civil};
use crate::id::PolicyId;

impl Record {
    /// Appends the fields as JSON, without `seq` and the braces.
    pub(in super::super) fn push_fields(&self, counted: Option<Count>, out: &mut String) {
        let kind = if counted.is_some() {
            Kind::Counted
        } else {
            self.kind
        };
        push("\"kind\":", kind.name(), out);
        push_moment(",\"at\":", self.at, out);
        if let Some(Count { count, first, last }) = counted {
            push(",\"of\":", self.kind.name(), out);
            push_number(",\"count\":", count, out);
            push_moment(",\"first\":", first, out);
            push_moment(",\"last\":", last, out);
        }
        push(",\"outcome\":", self.outcome.name(), out);
        push_some(",\"caller\":", self.caller.as_deref(), out);
        push_some(
            ",\"tenant\":",
            self.tenant.map(|id| id.to_string()).as_deref(),
            out,
        );
        push_some(
            ",\"oid\":",
            self.oid.map(|id| id.to_string()).as_deref(),
            out,
        );
        push(",\"action\":", &self.action, out);
        push(",\"resource\":", &self.resource, out);
        push_some(",\"decision\":", self.decision.as_deref(), out);
        self.push_lists(out);
        if self.omitted > 0 {
            push_number(",\"omitted\":", self.omitted, out);
        }
    }

    fn push_lists(&self, out: &mut String) {
        let policies = self.policies.iter().map(PolicyId::as_str);
        push_all(",\"policies\":[", policies, ']', out, push_text);
        if let Some((version, content)) = &self.snapshot {
            push_number(",\"snapshot\":{\"version\":", *version, out);
            push(",\"content\":", content, out);
            out.push('}');
        }
        push_all(",\"facts\":[", &self.facts, ']', out, |fact, out| {
            push("{\"name\":", &fact.name, out);
            push(",\"value\":", &fact.value, out);
            push(",\"provenance\":", &fact.provenance, out);
            out.push('}');
        });
        push_all(
            ",\"detail\":{",
            &self.detail,
            '}',
            out,
            |(name, value), out| {
                push_text(name, out);
                push(":", value, out);
            },
        );
        let near_misses = self.near_misses.iter().map(String::as_str);
        push_all(",\"near_misses\":[", near_misses, ']', out, push_text);
    }
}

impl Kind {
    /// As records name it.
    const fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Release => "release",
            Self::Effect => "effect",
            Self::Authentication => "authentication",
            Self::Admin => "admin",
            Self::Counted => "counted",
        }
    }
}

impl Outcome {
    /// As records name it.
    const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::ExplicitDeny => "explicit_deny",
            Self::DefaultDeny => "default_deny",
            Self::Refused => "refused",
            Self::Ok => "ok",
            Self::Failed => "failed",
        }
    }
}

fn push(name: &str, value: &str, out: &mut String) {
    out.push_str(name);
    push_text(value, out);
}

fn push_some(name: &str, value: Option<&str>, out: &mut String) {
    if let Some(value) = value {
        push(name, value, out);
    }
}

fn push_number(name: &str, value: u64, out: &mut String) {
    out.push_str(name);
    out.push_str(decimal(value, &mut [0; 20]));
}

fn push_moment(name: &str, at: Timestamp, out: &mut String) {
    let text = civil::text(at.as_millis());
    match text
        .as_ref()
        .and_then(|text| std::str::from_utf8(text).ok())
    {
        Some(text) => push(name, text, out),
        None => push(name, &at.to_string(), out),
    }
}

/// Appends a list or an object; nothing where it has no elements.
fn push_all<T>(
    name: &str,
    all: impl IntoIterator<Item = T>,
    end: char,
    out: &mut String,
    one: impl Fn(T, &mut String),
) {
    let mut before = name;
    for element in all {
        out.push_str(before);
        one(element, out);
        before = ",";
    }
    if before == "," {
        out.push(end);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use serde::Serialize;
    use serde::ser::{SerializeMap as _, Serializer};

    use super::*;
    use crate::audit::Fact;
    use crate::audit::record::to_fields;
    use crate::id::Guid;

    /// The fields in their order, as serde writes them.
    fn by_serde(record: &Record, counted: Option<Count>) -> String {
        let kind = counted.map_or(record.kind, |_| Kind::Counted);
        let fields = to_fields(&Line {
            kind,
            at: Text(record.at),
            of: counted.map(|_| record.kind),
            count: counted.map(|count| count.count),
            first: counted.map(|count| Text(count.first)),
            last: counted.map(|count| Text(count.last)),
            outcome: record.outcome,
            caller: record.caller.as_deref(),
            tenant: record.tenant.map(Text),
            oid: record.oid.map(Text),
            action: &record.action,
            resource: &record.resource,
            decision: record.decision.as_deref(),
            policies: record.policies.iter().map(PolicyId::as_str).collect(),
            snapshot: record.snapshot.as_ref().map(|(version, content)| Snapshot {
                version: *version,
                content,
            }),
            facts: &record.facts,
            detail: Pairs(&record.detail),
            near_misses: &record.near_misses,
            omitted: record.omitted,
        });
        fields.unwrap()
    }

    #[derive(Serialize)]
    struct Line<'a> {
        kind: Kind,
        at: Text<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<Kind>,
        #[serde(skip_serializing_if = "Option::is_none")]
        count: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        first: Option<Text<Timestamp>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        last: Option<Text<Timestamp>>,
        outcome: Outcome,
        #[serde(skip_serializing_if = "Option::is_none")]
        caller: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tenant: Option<Text<Guid>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        oid: Option<Text<Guid>>,
        action: &'a str,
        resource: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        decision: Option<&'a str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        policies: Vec<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        snapshot: Option<Snapshot<'a>>,
        #[serde(skip_serializing_if = "<[Fact]>::is_empty")]
        facts: &'a [Fact],
        #[serde(skip_serializing_if = "Pairs::is_empty")]
        detail: Pairs<'a>,
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        near_misses: &'a [String],
        #[serde(skip_serializing_if = "is_zero")]
        omitted: u64,
    }

    #[derive(Serialize)]
    struct Snapshot<'a> {
        version: u64,
        content: &'a str,
    }

    /// What prints itself, as a JSON string.
    #[derive(Clone, Copy)]
    struct Text<T>(T);

    impl<T: fmt::Display> Serialize for Text<T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&self.0)
        }
    }

    struct Pairs<'a>(&'a [(String, String)]);

    impl Pairs<'_> {
        const fn is_empty(&self) -> bool {
            self.0.is_empty()
        }
    }

    impl Serialize for Pairs<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(self.0.len()))?;
            for (name, value) in self.0 {
                map.serialize_entry(name, value)?;
            }
            map.end()
        }
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    const fn is_zero(number: &u64) -> bool {
        *number == 0
    }

    const KINDS: [Kind; 6] = [
        Kind::Decision,
        Kind::Release,
        Kind::Effect,
        Kind::Authentication,
        Kind::Admin,
        Kind::Counted,
    ];
    const OUTCOMES: [Outcome; 6] = [
        Outcome::Allow,
        Outcome::ExplicitDeny,
        Outcome::DefaultDeny,
        Outcome::Refused,
        Outcome::Ok,
        Outcome::Failed,
    ];

    fn text() -> impl Strategy<Value = String> {
        "[a-z:.-]{0,12}|[\\x00-\\x7fé…]{0,6}"
    }

    fn moment() -> impl Strategy<Value = Timestamp> {
        prop_oneof![1_700_000_000_000..1_900_000_000_000_i64, any::<i64>()]
            .prop_map(Timestamp::from_millis)
    }

    prop_compose! {
        fn head()(
            kind in prop::sample::select(&KINDS[..]),
            outcome in prop::sample::select(&OUTCOMES[..]),
            at in moment(),
            action in text(),
            resource in text(),
            caller in option::of(text()),
            decision in option::of(text()),
            ids in option::of(any::<[u128; 2]>()),
        ) -> Record {
            let mut record = Record::new(kind, at, action, resource, outcome);
            record.caller = caller;
            record.decision = decision;
            if let Some([tenant, oid]) = ids {
                record = record.with_caller_ids(Guid::from_u128(tenant), Guid::from_u128(oid));
            }
            record
        }
    }

    prop_compose! {
        fn record()(
            head in head(),
            policies in vec(text(), 0..3),
            snapshot in option::of((any::<u64>(), text())),
            facts in vec((text(), text(), text()), 0..3),
            detail in vec((text(), text()), 0..3),
            near_misses in vec(text(), 0..3),
            omitted in prop_oneof![Just(0), any::<u64>()],
        ) -> Record {
            let fact = |(name, value, provenance)| Fact { name, value, provenance };
            Record {
                policies: policies.iter().map(|id| PolicyId::new(id)).collect(),
                snapshot,
                facts: facts.into_iter().map(fact).collect(),
                detail,
                near_misses,
                omitted,
                ..head
            }
        }
    }

    proptest! {
        #[test]
        fn a_line_is_what_serde_would_write(
            record in record(),
            count in option::of((any::<u64>(), moment(), moment())),
        ) {
            let count = count.map(|(count, first, last)| Count { count, first, last });
            prop_assert_eq!(record.fields(count), by_serde(&record, count));
        }
    }
}
