//! Row filters: which rows of a table a decision lets the caller see.
//!
//! In: the `rows` of the rows of Access_Policies that apply, and the facts of a request. Out: [`Rows`], in which everything
//! is settled but the cells: conditions in negation normal form over columns, joined by `and` and `or` alone. So a cell
//! that is missing never lets its row pass, in SQL as here: an atom of a missing cell is unknown, no connective makes more
//! of it, and a filter keeps what is true.
//!
//! Kleene's logic is kept exactly: a row passes an allow where its condition is true, and escapes a deny where its
//! condition is false. What is unknown beside the row counts against the caller both times.

mod matches;
mod residual;
mod sql;

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

pub(crate) use matches::NotFiltered;
pub(super) use residual::{granted, misplaced, spared};
pub(super) use sql::column_name;
pub use sql::{Dialect, NotInDialect};

use super::condition::{Operand, Predicate, Test};

/// Which rows may be seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "an enforcement point must handle every form"
)]
pub enum Rows {
    /// Every row.
    #[default]
    All,
    /// No row.
    None,
    /// The rows that pass.
    Only(RowFilter),
}

/// A condition on the cells of one row. Cheap to clone. Prints in the language of conditions; serializes to a tree of
/// `{"all": […]}`, `{"any": […]}` and `{"column", "test", "value" | "values" | "other" | "low" and "high", "wanted"}`.
#[derive(Clone, PartialEq, Eq)]
pub struct RowFilter(Arc<Node>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    All(Vec<Self>),
    Any(Vec<Self>),
    Atom(Atom),
}

/// A test of one column that must be true, or must be false.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Atom {
    test: Test,
    wanted: bool,
}

impl Rows {
    /// The rows that both let pass.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::All, rows) | (rows, Self::All) => rows,
            (Self::Only(one), Self::Only(other)) => Self::Only(one.join(other, Node::All)),
        }
    }

    /// The rows that one of them lets pass.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::None, rows) | (rows, Self::None) => rows,
            (Self::Only(one), Self::Only(other)) => Self::Only(one.join(other, Node::Any)),
        }
    }

    /// Whether every row passes.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// As a search condition of SQL, in brackets where that matters: what stands behind `WHERE`.
    ///
    /// # Errors
    /// [`NotInDialect`] where the dialect cannot say it exactly; never a weaker filter.
    pub fn to_sql(&self, dialect: Dialect) -> Result<String, NotInDialect> {
        match self {
            Self::All => Ok("1 = 1".to_owned()),
            Self::None => Ok("1 = 0".to_owned()),
            Self::Only(filter) => filter.to_sql(dialect),
        }
    }
}

/// Prints `all rows`, `no row`, or the condition.
impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all rows"),
            Self::None => f.write_str("no row"),
            Self::Only(filter) => write!(f, "{filter}"),
        }
    }
}

/// `true`, `false`, or the tree of the filter.
impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => to.serialize_bool(true),
            Self::None => to.serialize_bool(false),
            Self::Only(filter) => filter.serialize(to),
        }
    }
}

impl RowFilter {
    fn of(node: Node) -> Self {
        Self(Arc::new(node))
    }

    /// Joins two filters; what says the same twice stands once.
    fn join(self, other: Self, with: fn(Vec<Node>) -> Node) -> Self {
        let mut parts: Vec<Node> = Vec::new();
        for node in [self, other] {
            let inner = match (with(Vec::new()), &*node.0) {
                (Node::All(_), Node::All(inner)) | (Node::Any(_), Node::Any(inner)) => {
                    inner.clone()
                }
                _ => vec![(*node.0).clone()],
            };
            for part in inner {
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
        match parts.as_slice() {
            [only] => Self::of(only.clone()),
            _ => Self::of(with(parts)),
        }
    }

    /// The columns that it reads, each once, in alphabetical order.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        let mut names = std::collections::BTreeSet::new();
        self.0.each(&mut |atom| {
            names.extend(atom.test.attributes().map(|column| column.name.clone()));
        });
        names.into_iter().collect()
    }

    /// As a search condition of SQL.
    ///
    /// # Errors
    /// [`NotInDialect`] where the dialect cannot say it exactly; never a weaker filter.
    pub fn to_sql(&self, dialect: Dialect) -> Result<String, NotInDialect> {
        sql::write(&self.0, dialect)
    }
}

impl Node {
    fn each<'n>(&'n self, visit: &mut impl FnMut(&'n Atom)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.each(visit)),
            Self::Atom(atom) => visit(atom),
        }
    }
}

impl fmt::Display for RowFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for RowFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowFilter({})", self.0)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::All(parts) => (parts, " and "),
            Self::Any(parts) => (parts, " or "),
            Self::Atom(Atom { test, wanted: true }) => return write!(f, "{test}"),
            Self::Atom(Atom {
                test,
                wanted: false,
            }) => return write!(f, "not {test}"),
        };
        for (at, part) in parts.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { word })?;
            match part {
                Self::Atom(_) => write!(f, "{part}")?,
                Self::All(_) | Self::Any(_) => write!(f, "({part})")?,
            }
        }
        Ok(())
    }
}

impl Serialize for RowFilter {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All(parts) => to.collect_map([("all", parts)]),
            Self::Any(parts) => to.collect_map([("any", parts)]),
            Self::Atom(atom) => atom.serialize(to),
        }
    }
}

impl Serialize for Atom {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("column", &self.test.attribute.name)?;
        map.serialize_entry("type", self.test.attribute.kind.as_str())?;
        map.serialize_entry("test", self.test.predicate.word())?;
        map.serialize_entry("wanted", &self.wanted)?;
        let mut side = |name: &'static str, operand: &Operand| match operand {
            Operand::Value(value) => map.serialize_entry(name, &value.plain()),
            Operand::Attribute(other) => map.serialize_entry("other", &other.name),
        };
        match &self.test.predicate {
            Predicate::True | Predicate::Has => {}
            Predicate::Compare(_, operand)
            | Predicate::Contains(operand)
            | Predicate::StartsWith(operand)
            | Predicate::EndsWith(operand) => side("value", operand)?,
            Predicate::Between(low, high) => {
                side("low", low)?;
                side("high", high)?;
            }
            Predicate::Among(values) => {
                let values: Vec<_> = values.iter().map(super::Value::plain).collect();
                map.serialize_entry("values", &values)?;
            }
            Predicate::MemberOf(set) => map.serialize_entry("other", &set.name)?,
            Predicate::Like(pattern) => map.serialize_entry("value", pattern)?,
            Predicate::Cidr(ranges) => {
                let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
                map.serialize_entry("values", &ranges)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests;
