//! A row filter on rows in memory.

use std::collections::BTreeMap;

use super::{Node, RowFilter, Rows};
use crate::batch::{Batch, Cells, Column};
use crate::envelope::looks_sealed;
use crate::error::{Code, Error};
use crate::policy::Attribute;
use crate::policy::condition::{Source, Truth};
use crate::policy::value::{Datum, Decimal, Value, ValueType};

/// Why rows cannot be filtered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the filter of the policy reads column `{}`, and the rows have none of this name", crate::text::shown(.column))]
pub(crate) struct NotFiltered {
    column: String,
}

impl From<NotFiltered> for Error {
    fn from(why: NotFiltered) -> Self {
        Self::new(Code::InvalidArgument, why.to_string())
            .with_help("give the rows with every column that the policy looks at")
    }
}

impl Rows {
    /// For each row of a batch whether it passes. A cell that is missing, or not of its attribute's type, lets none pass.
    pub(crate) fn matches(&self, batch: &Batch) -> Result<Vec<bool>, NotFiltered> {
        match self {
            Self::All => Ok(vec![true; batch.rows()]),
            Self::None => Ok(vec![false; batch.rows()]),
            Self::Only(filter) => filter.matches(batch),
        }
    }
}

impl RowFilter {
    /// For each row of a batch whether it passes.
    pub(crate) fn matches(&self, batch: &Batch) -> Result<Vec<bool>, NotFiltered> {
        let mut columns = BTreeMap::new();
        let mut missing = None;
        self.0.each(&mut |atom| {
            for attribute in atom.test.attributes() {
                let found = batch
                    .columns()
                    .iter()
                    .find(|one| one.is_called(&attribute.name));
                match found {
                    Some(column) => {
                        let values = columns.entry(attribute.name.as_str());
                        values.or_insert_with(|| read(column, attribute.kind));
                    }
                    None => missing = Some(attribute.name.clone()),
                }
            }
        });
        if let Some(column) = missing {
            return Err(NotFiltered { column });
        }
        let rows = 0..batch.rows();
        Ok(rows
            .map(|row| {
                passes(
                    &self.0,
                    &Cursor {
                        columns: &columns,
                        row,
                    },
                )
            })
            .collect())
    }
}

fn passes(node: &Node, row: &Cursor<'_>) -> bool {
    match node {
        Node::All(parts) => parts.iter().all(|part| passes(part, row)),
        Node::Any(parts) => parts.iter().any(|part| passes(part, row)),
        Node::Atom(atom) => {
            let wants = if atom.wanted {
                Truth::True
            } else {
                Truth::False
            };
            atom.test.evaluate(row) == wants
        }
    }
}

/// One row of the columns that a filter reads.
struct Cursor<'a> {
    columns: &'a BTreeMap<&'a str, Vec<Option<Value>>>,
    row: usize,
}

impl<'a> Source<'a> for Cursor<'a> {
    fn value(&self, attribute: &'a Attribute) -> Option<Datum<'a>> {
        let cells = self.columns.get(attribute.name.as_str())?;
        let datum = cells.get(self.row)?.as_ref()?.as_datum();
        datum.fit(attribute.kind, &attribute.values)
    }
}

/// The cells of a column as values of this type.
fn read(column: &Column, kind: ValueType) -> Vec<Option<Value>> {
    let each = |count: usize, cell: &dyn Fn(usize) -> Option<Value>| (0..count).map(cell).collect();
    match column.cells() {
        Cells::Text(list) => each(list.len(), &|row| {
            let text = list
                .get(row)?
                .as_deref()
                .filter(|text| !looks_sealed(text))?;
            match kind {
                // Text that looks like a number is text.
                ValueType::Text | ValueType::Enum => Some(Value::text(text)),
                ValueType::Ip | ValueType::Datetime => Value::read(kind, text),
                ValueType::Bool | ValueType::Int | ValueType::Decimal | ValueType::Set => None,
            }
        }),
        Cells::Integer(list) => each(list.len(), &|row| Some(Value::Int((*list.get(row)?)?))),
        Cells::Bool(list) => each(list.len(), &|row| Some(Value::Bool((*list.get(row)?)?))),
        Cells::Number(list) => each(list.len(), &|row| number((*list.get(row)?)?, kind)),
        Cells::Bytes(list) => vec![None; list.len()],
    }
}

/// The shortest decimal that reads back as the same number, as people and engines write it.
pub(super) fn number(value: f64, kind: ValueType) -> Option<Value> {
    let text = value.to_string();
    match kind {
        ValueType::Int => text.parse().ok().map(Value::Int),
        ValueType::Decimal => {
            let decimal: Option<Decimal> = text.parse().ok();
            let whole = || text.parse().ok().map(Value::Int);
            decimal.map(Value::Decimal).or_else(whole)
        }
        ValueType::Bool
        | ValueType::Text
        | ValueType::Enum
        | ValueType::Set
        | ValueType::Ip
        | ValueType::Datetime => None,
    }
}
