//! What the tables themselves say of principals and resources: the values of attributes with provenance `store`.
//!
//! In: the cells `attributes` of Principals and Resources, and Attributes. Out: typed values, found by principal or by
//! resource without an allocation; and every cell that is no value of a declared attribute.

use rustc_hash::FxHashMap;

use super::tables::Places;
use super::{Cell, NamedCells, Problem, Report, Tables};
use crate::id::PrincipalId;
use crate::policy::{
    Attribute, AttributeSet, Namespace, Provenance, ResourceKind, Value, ValueType,
};
use crate::text::is_hidden;

/// Values by the names of their attributes.
type Values = Box<[(Box<str>, Value)]>;
/// What is said of one resource, and of all from it down.
#[derive(Debug, Default)]
struct OfPath {
    exact: Values,
    subtree: Values,
}

/// The values that tables give to attributes.
#[derive(Debug, Default)]
pub(crate) struct StoreFacts {
    principals: FxHashMap<PrincipalId, Values>,
    resources: FxHashMap<ResourceKind, FxHashMap<Box<str>, OfPath>>,
}

impl StoreFacts {
    /// Reads and checks all of them.
    pub(super) fn compile(
        tables: &Tables,
        attributes: &AttributeSet,
        places: &Places,
        report: &mut Report,
    ) -> Self {
        let mut facts = Self::default();
        let mut reader = Reader {
            attributes,
            places,
            report,
        };
        for row in &tables.principals {
            let at = ("Principals", row.id.as_str());
            let values = reader.values(at, Namespace::Principal, &row.attributes);
            if !values.is_empty() {
                facts.principals.insert(row.id.clone(), values);
            }
        }
        for row in &tables.resources {
            let at = ("Resources", row.spelt.as_str());
            let values = reader.values(at, Namespace::Resource, &row.attributes);
            if let Some((kind, path, is_subtree)) = row.resource.subtree_root() {
                let paths = facts.resources.entry(kind).or_default();
                let of_path = paths.entry(path.into()).or_default();
                if is_subtree {
                    of_path.subtree = values;
                } else {
                    of_path.exact = values;
                }
            }
        }
        facts
    }

    /// The value of `principal.NAME` of a caller.
    pub(crate) fn of_principal(&self, id: &PrincipalId, name: &str) -> Option<&Value> {
        find(self.principals.get(id)?, name)
    }

    /// The value of `resource.NAME` of a resource: what is said of itself, else of the nearest subtree that it is in.
    pub(crate) fn of_resource(
        &self,
        (kind, path): (ResourceKind, &str),
        name: &str,
    ) -> Option<&Value> {
        let paths = self.resources.get(&kind)?;
        if let Some(found) = paths.get(path).and_then(|of| find(&of.exact, name)) {
            return Some(found);
        }
        let mut root = path;
        loop {
            if let Some(found) = paths.get(root).and_then(|of| find(&of.subtree, name)) {
                return Some(found);
            }
            if root.is_empty() {
                return None;
            }
            root = root
                .rsplit_once(kind.separator())
                .map_or("", |(root, _)| root);
        }
    }
}

fn find<'a>(values: &'a Values, name: &str) -> Option<&'a Value> {
    let found = values.iter().find(|(own, _)| **own == *name);
    found.map(|(_, value)| value)
}

struct Reader<'a> {
    attributes: &'a AttributeSet,
    places: &'a Places,
    report: &'a mut Report,
}

impl Reader<'_> {
    fn values(
        &mut self,
        (table, key): (&'static str, &str),
        space: Namespace,
        cells: &NamedCells,
    ) -> Values {
        let mut values = Vec::new();
        for (name, cell) in cells.iter() {
            match self.value(space, name, cell) {
                Ok(value) => values.push((Box::from(name), value)),
                Err(problem) => {
                    let place = self.places.of(table, key);
                    let problem = problem.at(place).row(table, key).column("attributes");
                    self.report.push(problem);
                }
            }
        }
        Box::from(values)
    }

    fn value(&self, space: Namespace, name: &str, cell: &Cell) -> Result<Value, Box<Problem>> {
        let full = format!("{}.{name}", space.as_str());
        let is_ours = |attribute: &&Attribute| {
            attribute.namespace == space && attribute.provenance == Provenance::Store
        };
        let Some(attribute) = self.attributes.get(&full) else {
            let known = self.attributes.all().filter(is_ours);
            let known: Vec<&str> = known.map(|attribute| attribute.name.as_str()).collect();
            let reason = format!("no row of Attributes declares `{full}`");
            return Err(Box::new(Problem::new(reason).text(name).nearest(&known)));
        };
        if !is_ours(&&**attribute) {
            let reason = format!("`{full}` is not of provenance store: tables cannot say it");
            return Err(Box::new(Problem::new(reason).text(name)));
        }
        // What may be a secret is not repeated in a message.
        let shown = if attribute.is_secret() {
            name.to_owned()
        } else {
            cell.to_string()
        };
        let value = read(attribute, cell).filter(|value| value.fits(attribute));
        value.ok_or_else(|| {
            let words = attribute.values.join(", ");
            let expected = if words.is_empty() {
                format!(
                    "{}, a value of type {}",
                    attribute.kind.example(),
                    attribute.kind
                )
            } else {
                format!("one of {words}")
            };
            let problem = Problem::new(format!("`{full}` must be {expected}"));
            Box::new(problem.text(&shown))
        })
    }
}

/// A cell as a value: text as people write it, and numbers, `true` and lists of text as TOML has them.
fn read(attribute: &Attribute, cell: &Cell) -> Option<Value> {
    match (cell, attribute.kind) {
        (Cell::Text(text), kind) => Value::read(kind, visible(text)?),
        (Cell::Integer(number), ValueType::Int | ValueType::Decimal) => Some(Value::Int(*number)),
        // The shortest text that is this number is what stands in the source.
        (Cell::Float(number), ValueType::Decimal) => {
            Value::read(ValueType::Decimal, &number.to_string())
        }
        (Cell::Bool(value), ValueType::Bool) => Some(Value::Bool(*value)),
        (Cell::List(members), ValueType::Set) => {
            let members = members.iter().map(|member| match member {
                Cell::Text(text) => visible(text),
                Cell::Integer(_)
                | Cell::Float(_)
                | Cell::Bool(_)
                | Cell::List(_)
                | Cell::Map(_) => None,
            });
            members.collect::<Option<Vec<_>>>().map(Value::set)
        }
        (Cell::Integer(_) | Cell::Float(_) | Cell::Bool(_) | Cell::List(_) | Cell::Map(_), _) => {
            None
        }
    }
}

/// Text as every cell must be: not empty, and nothing in it that nobody sees.
fn visible(text: &str) -> Option<&str> {
    let is_seen = !text.trim().is_empty() && !text.chars().any(is_hidden);
    is_seen.then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Timestamp;
    use crate::metadata::{RawRow, RawTables, Snapshot};
    use crate::policy::{Resource, ResourcePattern};

    fn row(cells: Vec<(&str, Cell)>) -> RawRow {
        let cells = cells.into_iter();
        let cells = cells.map(|(name, cell)| (name.to_owned(), cell));
        RawRow::new(None, cells.collect())
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn names(of: &'static str) -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec!["a", "b", "ab"]);
        prop::collection::vec(part, 1..4).prop_map(move |parts| parts.join(of))
    }

    fn resources() -> impl Strategy<Value = String> {
        let table = names(".").prop_map(|path| format!("table:{path}"));
        let volume = names(".").prop_map(|path| format!("volume:{path}"));
        prop_oneof![4 => table, 1 => volume]
    }

    fn patterns() -> impl Strategy<Value = String> {
        let all = Just("table:**".to_owned());
        let below = resources().prop_map(|name| format!("{name}.**"));
        prop_oneof![1 => all, 3 => below, 2 => resources()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn the_nearest_row_that_has_the_attribute_says_it(
            rows in prop::collection::btree_map(patterns(), 0..3_u8, 0..8), asked in resources(),
        ) {
            let mut raw = RawTables::new("test".to_owned());
            for name in ["a", "b"] {
                raw.push("Attributes", row(vec![
                    ("namespace", text("resource")), ("name", text(name)), ("type", text("text")),
                    ("provenance", text("store")),
                ]));
            }
            for (pattern, has) in &rows {
                let said = ["a", "b"].into_iter().enumerate().filter(|(at, _)| usize::from(*has) > *at);
                let said = said.map(|(_, name)| (name.to_owned(), text(pattern)));
                raw.push("Resources", row(vec![
                    ("resource", text(pattern)), ("attributes", Cell::Map(said.collect())),
                ]));
            }
            let snapshot = Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap();
            let resource: Resource = asked.parse().unwrap();
            for (at, name) in ["a", "b"].into_iter().enumerate() {
                // One resource is nearer than a subtree, and of two subtrees the longer name.
                let speaking = rows.iter().filter(|(pattern, has)| {
                    let pattern: ResourcePattern = pattern.parse().unwrap();
                    usize::from(**has) > at && pattern.matches(&resource)
                });
                let nearest = speaking.max_by_key(|(pattern, _)| (!pattern.ends_with("**"), pattern.len()));
                let place = (resource.kind(), resource.path());
                prop_assert_eq!(
                    snapshot.store().of_resource(place, name).cloned(),
                    nearest.map(|(pattern, _)| Value::text(pattern))
                );
            }
        }
    }
}
