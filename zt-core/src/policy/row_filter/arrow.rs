//! A row filter on batches of Arrow.
//!
//! In: a batch with the columns that the filter reads, of the types that their attributes can have there. Out: for each row
//! whether it passes, never null. A cell that is missing, or no value of its attribute, lets no row pass, as everywhere.
//! Never: a guess for a column that is not there, or of another type.

mod cells;

use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::DataType;

use self::cells::{Cells, Moments, Sets};
use super::{Atom, Node, RowFilter, Rows};
use crate::batch::bare_type;
use crate::error::{Code, Error};
use crate::policy::Attribute;
use crate::policy::condition::{Operand, Predicate, Source, Truth};
use crate::policy::value::{Datum, Value, ValueType};
use crate::text::{fold, nearest, shown};

/// Why a batch cannot be filtered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotMasked {
    /// No column has the name that the filter reads.
    #[error("the filter of the policy reads column `{}`, and the batch has none of this name{}", shown(.column), did_you_mean(near.as_deref()))]
    #[non_exhaustive]
    Missing {
        /// The name.
        column: String,
        /// The nearest name that a column has.
        near: Option<String>,
    },
    /// Two columns have it, where case does not count.
    #[error("two columns are called `{}`, which the filter of the policy reads; case does not tell them apart", shown(.column))]
    #[non_exhaustive]
    Repeated {
        /// The name.
        column: String,
    },
    /// The column's type has no values of the attribute's.
    #[error("column `{}` is of type {is}, in which no value is a {needs}", shown(.column))]
    #[non_exhaustive]
    OtherType {
        /// The name.
        column: String,
        /// The type of the column, without the notes of its fields.
        is: DataType,
        /// The type of the attribute.
        needs: ValueType,
    },
}

impl From<NotMasked> for Error {
    fn from(why: NotMasked) -> Self {
        Self::new(Code::InvalidArgument, why.to_string())
            .with_help("give the rows with every column that the policy looks at, each once")
    }
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{}`?", shown(near)))
        .unwrap_or_default()
}

impl Rows {
    /// For each row of a batch whether it may be seen; never null. This is about rows alone: which of their columns are shown,
    /// and which masked, is the permit's too.
    ///
    /// ```
    /// use arrow_array::{BooleanArray, RecordBatch};
    /// # use zt_core::{Permit, policy::NotMasked};
    /// fn passes(permit: &Permit, loans: &RecordBatch) -> Result<BooleanArray, NotMasked> {
    ///     permit.row_filter().mask(loans)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`RowFilter::mask`].
    pub fn mask(&self, batch: &RecordBatch) -> Result<BooleanArray, NotMasked> {
        let all = |value| Ok(BooleanArray::from(vec![value; batch.num_rows()]));
        match self {
            Self::All => all(true),
            Self::None => all(false),
            Self::Only(filter) => filter.mask(batch),
        }
    }
}

impl RowFilter {
    /// For each row of a batch whether it passes; never null. Columns may be dictionary encoded. Names ignore case.
    ///
    /// Numbers are compared exactly: a float is the shortest decimal that reads back as it, `NaN` and the infinities pass
    /// nothing. Moments are compared to the nanosecond; a column without a zone, and one of dates, is taken as UTC.
    ///
    /// # Errors
    /// [`NotMasked`] for a column that the filter reads and that is not there, is there twice, or is of a type that no value
    /// of its attribute has.
    pub fn mask(&self, batch: &RecordBatch) -> Result<BooleanArray, NotMasked> {
        let mut table = Table::default();
        let mut wrong = None;
        self.0.each(&mut |atom| {
            for attribute in atom.test.attributes() {
                if wrong.is_none() {
                    wrong = table.add(batch, attribute).err();
                }
            }
        });
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        let rows = 0..batch.num_rows();
        let passes = rows.map(|row| {
            let row = Cursor { table: &table, row };
            Some(row.passes(&self.0))
        });
        Ok(passes.collect())
    }
}

/// The columns that a filter reads, by the names of their attributes.
#[derive(Default)]
struct Table<'a> {
    cells: Vec<(String, Cells<'a>)>,
    sets: Vec<(String, Sets)>,
    moments: Vec<(String, Moments<'a>)>,
}

impl<'a> Table<'a> {
    fn add(&mut self, batch: &'a RecordBatch, attribute: &Attribute) -> Result<(), NotMasked> {
        let name = attribute.name.clone();
        let is_known = find(&self.cells, &name).is_some()
            || find(&self.sets, &name).is_some()
            || find(&self.moments, &name).is_some();
        if is_known {
            return Ok(());
        }
        let column = column(batch, &name)?;
        let other_type = || NotMasked::OtherType {
            column: name.clone(),
            is: bare_type(column.data_type()),
            needs: attribute.kind,
        };
        match attribute.kind {
            ValueType::Set => {
                let sets = cells::sets(column).ok_or_else(other_type)?;
                self.sets.push((name, sets));
            }
            ValueType::Datetime => {
                let moments = cells::moments(column).ok_or_else(other_type)?;
                self.moments.push((name, moments));
            }
            ValueType::Bool
            | ValueType::Int
            | ValueType::Decimal
            | ValueType::Text
            | ValueType::Enum
            | ValueType::Ip => {
                let cells = cells::cells(column, attribute.kind).ok_or_else(other_type)?;
                self.cells.push((name, cells));
            }
        }
        Ok(())
    }
}

fn find<'t, T>(list: &'t [(String, T)], name: &str) -> Option<&'t T> {
    let mut list = list.iter();
    list.find(|(own, _)| own == name).map(|(_, found)| found)
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a dyn Array, NotMasked> {
    let schema = batch.schema_ref();
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    let folded = fold(name);
    let mut found = names()
        .zip(batch.columns())
        .filter(|(own, _)| fold(own) == folded);
    let missing = || NotMasked::Missing {
        column: name.to_owned(),
        near: nearest(name, &names().collect::<Vec<_>>()),
    };
    let (_, column) = found.next().ok_or_else(missing)?;
    match found.next() {
        None => Ok(&**column),
        Some(_) => Err(NotMasked::Repeated {
            column: name.to_owned(),
        }),
    }
}

/// One row of a batch.
struct Cursor<'t, 'a> {
    table: &'t Table<'a>,
    row: usize,
}

impl<'t> Source<'t> for Cursor<'t, '_> {
    fn value(&self, attribute: &'t Attribute) -> Option<Datum<'t>> {
        let datum = match find(&self.table.cells, &attribute.name) {
            Some(cells) => cells(self.row)?,
            None => Datum::Set(
                &find(&self.table.sets, &attribute.name)?
                    .get(self.row)?
                    .texts,
            ),
        };
        datum.fit(attribute.kind, &attribute.values)
    }
}

impl<'t> Cursor<'t, '_> {
    fn passes(&self, node: &'t Node) -> bool {
        match node {
            Node::All(parts) => parts.iter().all(|part| self.passes(part)),
            Node::Any(parts) => parts.iter().any(|part| self.passes(part)),
            Node::Atom(atom) => self.truth(atom).is_some_and(|truth| truth == atom.wanted),
        }
    }

    fn truth(&self, atom: &'t Atom) -> Option<bool> {
        if atom.test.attribute.kind == ValueType::Datetime {
            return self.of_moment(atom);
        }
        let mut attributes = atom.test.attributes();
        if !atom.wanted && attributes.any(|attribute| self.lacks_a_member(attribute)) {
            return None;
        }
        match atom.test.evaluate(self) {
            Truth::True => Some(true),
            Truth::False => Some(false),
            Truth::Unknown => None,
        }
    }

    /// What is missing from a set may be any member.
    fn lacks_a_member(&self, attribute: &Attribute) -> bool {
        let set = find(&self.table.sets, &attribute.name).and_then(|sets| sets.get(self.row));
        set.is_some_and(|set| set.lacks)
    }

    /// Conditions know moments to the millisecond, columns have finer ones.
    fn of_moment(&self, atom: &'t Atom) -> Option<bool> {
        let cell = self.moment(&atom.test.attribute)?;
        let operand = |operand: &Operand| match operand {
            Operand::Attribute(other) => self.moment(other),
            Operand::Value(value) => nanoseconds(value),
        };
        match &atom.test.predicate {
            Predicate::Has => Some(true),
            Predicate::Compare(comparison, with) => {
                Some(comparison.holds(cell.cmp(&operand(with)?)))
            }
            Predicate::Among(values) => {
                let is_it = |value: &Value| nanoseconds(value) == Some(cell);
                Some(values.iter().any(is_it))
            }
            Predicate::Between(low, high) => {
                let (low, high) = (operand(low), operand(high));
                match (low.map(|low| cell >= low), high.map(|high| cell <= high)) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    (None, _) | (_, None) => None,
                }
            }
            Predicate::True
            | Predicate::MemberOf(_)
            | Predicate::Contains(_)
            | Predicate::StartsWith(_)
            | Predicate::EndsWith(_)
            | Predicate::Like(_)
            | Predicate::Cidr(_) => None,
        }
    }

    fn moment(&self, attribute: &Attribute) -> Option<i128> {
        find(&self.table.moments, &attribute.name)?(self.row)
    }
}

fn nanoseconds(value: &Value) -> Option<i128> {
    match value {
        Value::Datetime(moment) => Some(i128::from(moment.as_millis()) * 1_000_000),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Text(_)
        | Value::Set(_)
        | Value::Ip(_) => None,
    }
}

#[cfg(test)]
mod tests;
