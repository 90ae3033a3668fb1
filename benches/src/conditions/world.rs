//! A small world whose rows carry conditions: as zt's tables and as Cedar's policies.
//!
//! In: random numbers. Out: [`World`]s, and the entities that all of them share. Which resource a pattern means, which action, and who holds what is
//! written out here by hand, so that zt is not asked about itself.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{
    Entities, Entity, EntityUid, Policy as CedarPolicy, PolicyId, PolicySet, RestrictedExpression,
};
use fastrand::Rng;
use zt_core::clock::Timestamp;
use zt_core::metadata::{Cell, RawRow, RawTables, Snapshot};

use super::draw::{Condition, condition};
use super::facts::{ATTRIBUTES, Attribute, Literal, Moment};
use crate::Outcome;

/// How the unknown is translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknowns {
    /// An allow needs a condition that is true, a deny one that is not false: zt's rule.
    Closed,
    /// A deny needs a condition that is true. Wrong, to show that a comparison can fail.
    DisarmDenies,
    /// An allow needs a condition that is not false. Wrong as well.
    Grant,
}

/// A row of Access_Policies.
#[derive(Debug, Clone)]
pub struct Row {
    effect: &'static str,
    mode: &'static str,
    principals: Vec<&'static str>,
    actions: Vec<&'static str>,
    resources: Vec<&'static str>,
    job: Option<i64>,
    not_author: bool,
    from: Option<Moment>,
    to: Option<Moment>,
    pub condition: Option<Condition>,
}

/// The rows of Access_Policies; all else is the same in every world.
#[derive(Debug, Clone)]
pub struct World {
    pub rows: Vec<Row>,
}

pub(super) const PEOPLE: [Option<&str>; 4] = [Some("user:a"), Some("user:b"), Some("sp:c"), None];
const GROUPS: [&str; 2] = ["group:g", "group:h"];
/// Who holds which role.
const ROLES: [(&str, &str); 3] = [
    ("role:r", "user:a"),
    ("role:r", "sp:c"),
    ("role:s", "group:h"),
];
/// What nobody knows of a caller whose groups are not all known.
const MAY_BE_HELD: [&str; 3] = ["group:g", "group:h", "role:s"];
const PRINCIPALS: [&str; 7] = [
    "user:a", "user:b", "sp:c", "group:g", "group:h", "role:r", "role:s",
];
pub(super) const RESOURCES: [&str; 3] = ["table:raw.x", "table:raw.y", "table:gold.x"];
const PATTERNS: [(&str, &[&str]); 6] = [
    ("table:raw.**", &["table:raw.x", "table:raw.y"]),
    ("table:raw.x", &["table:raw.x"]),
    ("table:*.x", &["table:raw.x", "table:gold.x"]),
    ("table:gold.*", &["table:gold.x"]),
    ("table:**", &RESOURCES),
    ("**", &RESOURCES),
];
pub(super) const ACTIONS: [&str; 2] = ["table.read", "table.write"];
const ACTION_PATTERNS: [(&str, &[&str]); 4] = [
    ("table.read", &["table.read"]),
    ("table.write", &["table.write"]),
    ("table.*", &ACTIONS),
    ("*", &ACTIONS),
];
/// Each person, with each set of groups, whether these are all or not.
pub(super) const CALLERS: usize = PEOPLE.len() * 4 * 2;

/// One or two of these.
fn some(rng: &mut Rng, these: &[&'static str]) -> Vec<&'static str> {
    let mut drawn = vec![these[rng.usize(..these.len())]];
    let other = these[rng.usize(..these.len())];
    if rng.u8(..100) < 25 && other != drawn[0] {
        drawn.push(other);
    }
    drawn
}

fn names<'a>(patterns: &[(&'a str, &[&str])]) -> Vec<&'a str> {
    patterns.iter().map(|(name, _)| *name).collect()
}

impl World {
    pub fn draw(rng: &mut Rng) -> Self {
        let count = rng.usize(2..10);
        Self {
            rows: (0..count).map(|_| Row::draw(rng)).collect(),
        }
    }

    /// As zt loads it.
    pub fn snapshot(&self) -> Outcome<Arc<Snapshot>> {
        let mut raw = RawTables::new("conditions".to_owned());
        let people = PEOPLE.iter().flatten().chain(&GROUPS);
        for (number, id) in people.enumerate() {
            let oid = format!("00000000-0000-4000-8000-{number:012}");
            push(&mut raw, "Principals", &[("id", id), ("oid", &oid)]);
        }
        for (role, holder) in ROLES {
            let role = role.trim_start_matches("role:");
            push(
                &mut raw,
                "Role_Bindings",
                &[("role", role), ("principal", holder)],
            );
        }
        for attribute in ATTRIBUTES {
            declare(&mut raw, attribute);
        }
        for (place, row) in self.rows.iter().enumerate() {
            raw.push("Access_Policies", RawRow::new(None, row.cells(place)));
        }
        let snapshot = Snapshot::compile(&raw, 1, Timestamp::from_millis(0))?;
        Ok(Arc::new(snapshot))
    }

    /// As Cedar loads it. A row that decides nothing is no policy.
    pub fn policies(&self, unknowns: Unknowns) -> Outcome<PolicySet> {
        let mut policies = PolicySet::new();
        for (place, row) in self.rows.iter().enumerate() {
            if let Some(text) = row.cedar(unknowns) {
                let id = PolicyId::new(name_of(place));
                policies.add(CedarPolicy::parse(Some(id), text)?)?;
            }
        }
        Ok(policies)
    }

    /// The rows in both notations, for people.
    pub fn text(&self, unknowns: Unknowns) -> String {
        let row = |row: &Row| {
            let condition = row.condition.as_ref().map(Condition::zt);
            let cedar = row.cedar(unknowns).unwrap_or_default();
            format!("{row:?}\n  zt: {condition:?}\n  Cedar: {cedar}\n")
        };
        self.rows.iter().map(row).collect()
    }
}

/// The id of the row in this place, in zt and in Cedar.
pub fn name_of(place: usize) -> String {
    format!("P{place}")
}

fn push(raw: &mut RawTables, table: &str, cells: &[(&str, &str)]) {
    let cells = cells.iter().map(|(name, value)| cell(name, value));
    raw.push(table, RawRow::new(None, cells.collect()));
}

fn cell(name: &str, value: &str) -> (String, Cell) {
    (name.to_owned(), Cell::Text(value.to_owned()))
}

fn list(name: &str, values: &[&str]) -> (String, Cell) {
    let values = values.iter().map(|value| Cell::Text((*value).to_owned()));
    (name.to_owned(), Cell::List(values.collect()))
}

fn declare(raw: &mut RawTables, attribute: &Attribute) {
    let Some(provenance) = attribute.provenance else {
        return;
    };
    let mut cells = vec![
        cell("namespace", attribute.namespace),
        cell("name", attribute.name),
        cell("type", attribute.kind.as_str()),
        cell("provenance", provenance),
    ];
    if !attribute.words.is_empty() {
        cells.push(list("values", attribute.words));
    }
    if let Some((default, _)) = attribute.default {
        cells.push(cell("default", default));
    }
    raw.push("Attributes", RawRow::new(None, cells));
}

impl Row {
    fn draw(rng: &mut Rng) -> Self {
        let anyone = rng.u8(..100) < 58;
        let percent = rng.u8(..100);
        let moment = |rng: &mut Rng| (rng.u8(..100) < 10).then(|| Moment::draw(rng));
        let (from, to) = (moment(rng), moment(rng));
        Self {
            effect: match percent {
                0..67 => "allow",
                67..96 => "deny",
                _ => "restrict",
            },
            mode: ["enforce", "shadow", "off"][usize::from(rng.u8(..100) < 6) * rng.usize(1..3)],
            principals: if anyone {
                vec!["*"]
            } else {
                some(rng, &PRINCIPALS)
            },
            actions: some(rng, &names(&ACTION_PATTERNS)),
            resources: some(rng, &names(&PATTERNS)),
            job: (rng.u8(..100) < 8).then(|| rng.i64(1..4)),
            not_author: rng.u8(..100) < 5,
            from,
            to: to.filter(|to| from.is_none_or(|from| from < *to)),
            condition: (rng.u8(..100) < 85).then(|| condition(rng, 3)),
        }
    }

    fn cells(&self, place: usize) -> Vec<(String, Cell)> {
        let mut cells = vec![
            cell("id", &name_of(place)),
            cell("effect", self.effect),
            cell("mode", self.mode),
            list("principal", &self.principals),
            list("action", &self.actions),
            list("resource", &self.resources),
        ];
        let mut when = Vec::new();
        when.extend(self.job.map(|job| ("job".to_owned(), Cell::Integer(job))));
        if self.not_author {
            when.push(("not_author".to_owned(), Cell::Bool(true)));
        }
        if !when.is_empty() {
            cells.push(("when".to_owned(), Cell::Map(when)));
        }
        cells.extend(self.from.map(|from| cell("valid_from", &from.text())));
        cells.extend(self.to.map(|to| cell("valid_to", &to.text())));
        if let Some(condition) = &self.condition {
            cells.push(cell("condition", &condition.zt()));
        }
        if self.effect == "restrict" {
            let duty = vec![("audit".to_owned(), Cell::Text("durable".to_owned()))];
            cells.push(("obligations".to_owned(), Cell::Map(duty)));
        }
        cells
    }

    /// All that the row asks for beside who, what and on what.
    fn whole(&self) -> Condition {
        let now = |sign: &str, at: &Moment| {
            let literal = Literal::Datetime(*at);
            Condition::compares(Attribute::named("time.now"), sign, &literal)
        };
        let job =
            |job: &i64| Condition::equals(Attribute::named("context.job"), &Literal::Int(*job));
        let mut parts: Vec<Condition> = self.condition.iter().cloned().collect();
        parts.extend(self.job.iter().map(job));
        parts.extend(self.not_author.then(Condition::not_author));
        parts.extend(self.from.iter().map(|from| now(">=", from)));
        parts.extend(self.to.iter().map(|to| now("<", to)));
        Condition::All(parts)
    }

    fn cedar(&self, unknowns: Unknowns) -> Option<String> {
        let denies = match (self.effect, self.mode) {
            (_, "shadow" | "off") | ("restrict", _) => return None,
            (effect, _) => effect == "deny",
        };
        let among = |kind: &str, these: &[&str]| {
            let these: Vec<String> = these.iter().map(|id| format!("{kind}::{id:?}")).collect();
            format!("[{}]", these.join(", "))
        };
        let mut scope = Vec::new();
        if !self.principals.contains(&"*") {
            let holds = format!("principal in {}", among("Who", &self.principals));
            let may_hold = self.principals.iter().any(|id| MAY_BE_HELD.contains(id));
            scope.push(if denies && may_hold {
                format!("({holds} || !principal.complete)")
            } else {
                holds
            });
        }
        let actions = self
            .actions
            .iter()
            .flat_map(|name| meant(&ACTION_PATTERNS, name));
        let actions: Vec<&str> = actions.copied().collect();
        scope.push(format!("{}.contains(action)", among("Action", &actions)));
        scope.push(format!("resource in {}", among("Pattern", &self.resources)));
        let whole = self.whole();
        let needs_truth = match unknowns {
            Unknowns::Closed => !denies,
            Unknowns::DisarmDenies => true,
            Unknowns::Grant => false,
        };
        let facts = match (self.has_none(), needs_truth) {
            (true, _) => "true".to_owned(),
            (false, true) => whole.is_true(),
            (false, false) => format!("!({})", whole.is_false()),
        };
        let effect = if denies { "forbid" } else { "permit" };
        let scope = scope.join(" && ");
        Some(format!(
            "{effect} (principal, action, resource) when {{ {scope} && ({facts}) }};"
        ))
    }

    /// Whether it asks for nothing more than who, what and on what.
    fn has_none(&self) -> bool {
        matches!(self.whole(), Condition::All(parts) if parts.is_empty())
    }
}

fn meant<'a>(patterns: &[(&str, &'a [&'a str])], name: &str) -> &'a [&'a str] {
    let found = patterns.iter().find(|(known, _)| *known == name);
    found.map_or(&[], |(_, meant)| meant)
}

pub(super) fn uid(kind: &str, id: &str) -> Outcome<EntityUid> {
    Ok(EntityUid::from_str(&format!("{kind}::{id:?}"))?)
}

/// The caller in this place: who, which groups, whether these are all.
pub(super) fn caller(place: usize) -> (Option<&'static str>, Vec<&'static str>, bool) {
    let (person, rest) = (PEOPLE[place % PEOPLE.len()], place / PEOPLE.len());
    let is_in = |(at, group): (usize, &&'static str)| ((rest >> at) & 1 == 1).then_some(*group);
    let groups = GROUPS.iter().enumerate().filter_map(is_in).collect();
    (person, groups, rest < 4)
}

/// Callers below what they hold, resources below the patterns that mean them.
pub fn entities() -> Outcome<Entities> {
    let mut entities = Vec::new();
    for place in 0..CALLERS {
        let (person, groups, is_complete) = caller(place);
        let own: Vec<&str> = person.into_iter().chain(groups).collect();
        let roles = ROLES.iter().filter(|(_, holder)| own.contains(holder));
        let held = own.iter().copied().chain(roles.map(|(role, _)| *role));
        let parents: Result<HashSet<_>, _> = held.map(|id| uid("Who", id)).collect();
        let complete = RestrictedExpression::new_bool(is_complete);
        let attributes = HashMap::from([("complete".to_owned(), complete)]);
        let own = uid("Caller", &place.to_string())?;
        entities.push(Entity::new(own, attributes, parents?)?);
    }
    for resource in RESOURCES {
        let meaning = PATTERNS
            .iter()
            .filter(|(_, meant)| meant.contains(&resource));
        let parents: Result<HashSet<_>, _> =
            meaning.map(|(name, _)| uid("Pattern", name)).collect();
        entities.push(Entity::new(
            uid("Resource", resource)?,
            HashMap::new(),
            parents?,
        )?);
    }
    Ok(Entities::from_entities(entities, None)?)
}
