//! Whatever a record says, in whatever order it was said: the line is what serde would write.

use std::fmt;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use super::*;
use crate::audit::Fact;
use crate::audit::record::{Repeat, to_fields};
use crate::id::PolicyId;

/// What is said, in no order.
#[derive(Debug)]
struct Said {
    kind: Kind,
    outcome: Outcome,
    at: Timestamp,
    action: String,
    resource: String,
    caller: Option<String>,
    ids: Option<[Guid; 2]>,
    decision: Option<String>,
    policies: Vec<String>,
    snapshot: Option<(u64, String)>,
    facts: Vec<Fact>,
    detail: Vec<(String, String)>,
    near_misses: Vec<String>,
    omitted: u64,
}

impl Said {
    /// The record, its fields added in this order.
    fn built(&self, order: &[usize]) -> Record {
        let mut record = Record::new(
            self.kind,
            self.at,
            &self.action,
            &self.resource,
            self.outcome,
        );
        for field in order {
            record = self.with(*field, record);
        }
        record.0.omitted = self.omitted;
        record
    }

    fn with(&self, field: usize, record: Record) -> Record {
        match field {
            0 => self.caller.iter().fold(record, Record::with_caller),
            1 => self.ids.iter().fold(record, |record, [tenant, oid]| {
                record
                    .with_caller_ids(Guid::from_u128(1), *oid)
                    .with_caller_ids(*tenant, *oid)
            }),
            2 => self.decision.iter().fold(record, |record, decision| {
                record
                    .with_decision("another that is longer")
                    .with_decision(decision)
            }),
            3 => record.with_policies(self.policies.iter().map(|id| PolicyId::new(id))),
            4 => self
                .snapshot
                .iter()
                .fold(record, |record, (version, content)| {
                    record.with_snapshot(*version, content)
                }),
            5 => self.facts.iter().fold(record, |record, fact| {
                record.with_fact(&fact.name, &fact.value, &fact.provenance)
            }),
            6 => self.detail.iter().fold(record, |record, (name, value)| {
                record.with_detail(name, value)
            }),
            _ => self.near_misses.iter().fold(record, Record::with_near_miss),
        }
    }

    /// The details, each name once.
    fn details(&self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, value) in &self.detail {
            match all.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => old.clone_from(value),
                None => all.push((name.clone(), value.clone())),
            }
        }
        all
    }
}

/// The fields in their order, as serde writes them.
fn by_serde(said: &Said, counted: Option<Count>) -> String {
    let kind = counted.map_or(said.kind, |_| Kind::Counted);
    let fields = to_fields(&Line {
        kind,
        at: Text(said.at),
        of: counted.map(|_| said.kind),
        count: counted.map(|count| count.count),
        first: counted.map(|count| Text(count.first)),
        last: counted.map(|count| Text(count.last)),
        outcome: said.outcome,
        caller: said.caller.as_deref(),
        tenant: said.ids.map(|[tenant, _]| Text(tenant)),
        oid: said.ids.map(|[_, oid]| Text(oid)),
        action: &said.action,
        resource: &said.resource,
        decision: said.decision.as_deref(),
        policies: said.policies.iter().map(String::as_str).collect(),
        snapshot: said.snapshot.as_ref().map(|(version, content)| Snapshot {
            version: *version,
            content,
        }),
        facts: &said.facts,
        detail: Pairs(&said.details()),
        near_misses: &said.near_misses,
        omitted: said.omitted,
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
    fn names()(
        kind in prop::sample::select(&KINDS[..]),
        outcome in prop::sample::select(&OUTCOMES[..]),
        at in moment(),
        action in text(),
        resource in text(),
        caller in option::of(text()),
        decision in option::of(text()),
        ids in option::of(any::<[u128; 2]>()),
    ) -> Said {
        Said {
            kind,
            outcome,
            at,
            action,
            resource,
            caller,
            ids: ids.map(|ids| ids.map(Guid::from_u128)),
            decision,
            policies: Vec::new(),
            snapshot: None,
            facts: Vec::new(),
            detail: Vec::new(),
            near_misses: Vec::new(),
            omitted: 0,
        }
    }
}

prop_compose! {
    fn said()(
        names in names(),
        policies in vec(text(), 0..3),
        snapshot in option::of((any::<u64>(), text())),
        facts in vec((text(), text(), text()), 0..3),
        detail in vec((text(), text()), 0..4),
        near_misses in vec(text(), 0..3),
        omitted in prop_oneof![Just(0), any::<u64>()],
    ) -> Said {
        let fact = |(name, value, provenance)| Fact { name, value, provenance };
        Said {
            policies,
            snapshot,
            facts: facts.into_iter().map(fact).collect(),
            detail,
            near_misses,
            omitted,
            ..names
        }
    }
}

proptest! {
    #[test]
    fn a_line_is_what_serde_would_write_in_whatever_order_its_fields_come(
        said in said(),
        order in Just((0..8).collect::<Vec<usize>>()).prop_shuffle(),
        count in option::of((any::<u64>(), moment(), moment())),
    ) {
        let count = count.map(|(count, first, last)| Count { count, first, last });
        let record = said.built(&order);
        prop_assert_eq!(record.fields(count), by_serde(&said, count));
        prop_assert_eq!(record, said.built(&[0, 1, 2, 3, 4, 5, 6, 7]));
    }

    #[test]
    fn repeats_differ_in_nothing_but_moment_decision_and_near_misses(
        one in said(),
        other in said(),
        field in 0..8_usize,
    ) {
        let all = [0, 1, 2, 3, 4, 5, 6, 7];
        let record = Repeat(one.built(&all).moved(other.at).with_decision("d-2").with_near_miss("x"));
        prop_assert_eq!(&record, &Repeat(one.built(&all)));
        let changed = other.with(field, one.built(&all));
        let is_said = match field {
            0 => other.caller.is_none() || one.caller == other.caller,
            1 => other.ids.is_none() || one.ids == other.ids,
            2 | 7 => true,
            3 => other.policies.is_empty(),
            4 => other.snapshot.is_none() || one.snapshot == other.snapshot,
            5 => other.facts.is_empty(),
            _ => {
                let both = one.detail.iter().chain(&other.detail).cloned().collect();
                one.details() == Said { detail: both, ..one }.details()
            }
        };
        prop_assert_eq!(Repeat(changed) == record, is_said);
    }
}
