//! One column: its name and its cells, all of one type, each of them maybe missing.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::NotABatch;

/// A named column. Its `Debug` shows name and type alone.
#[derive(Clone, PartialEq)]
pub struct Column {
    name: String,
    cells: Cells,
}

/// The cells of a column; `None` is a missing value, SQL's NULL.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Cells {
    /// Text.
    Text(Vec<Option<String>>),
    /// Numbers with a fraction, IEEE 754 binary64.
    Number(Vec<Option<f64>>),
    /// Whole numbers of 64 bits.
    Integer(Vec<Option<i64>>),
    /// `true` or `false`.
    Bool(Vec<Option<bool>>),
    /// Bytes.
    Bytes(Vec<Option<Vec<u8>>>),
}

/// Does the same to the cells of every type.
macro_rules! each {
    ($cells:expr, $list:ident => $then:expr) => {
        match $cells {
            Cells::Text($list) => $then,
            Cells::Number($list) => $then,
            Cells::Integer($list) => $then,
            Cells::Bool($list) => $then,
            Cells::Bytes($list) => $then,
        }
    };
}

impl Cells {
    /// The number of cells, missing ones counted.
    #[must_use]
    pub fn len(&self) -> usize {
        each!(self, list => list.len())
    }

    /// Whether there are no cells.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many are missing.
    #[must_use]
    pub fn nulls(&self) -> usize {
        each!(self, list => list.iter().filter(|cell| cell.is_none()).count())
    }

    /// The type, for messages: `text`, `number`, `integer`, `bool`, `bytes`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "number",
            Self::Integer(_) => "integer",
            Self::Bool(_) => "bool",
            Self::Bytes(_) => "bytes",
        }
    }

    /// Cells of the same type and length, all missing.
    #[must_use]
    pub fn all_null(&self) -> Self {
        let rows = self.len();
        match self {
            Self::Text(_) => Self::Text(vec![None; rows]),
            Self::Number(_) => Self::Number(vec![None; rows]),
            Self::Integer(_) => Self::Integer(vec![None; rows]),
            Self::Bool(_) => Self::Bool(vec![None; rows]),
            Self::Bytes(_) => Self::Bytes(vec![None; rows]),
        }
    }

    fn filter(&self, keep: &[bool]) -> Self {
        fn of<T: Clone>(list: &[Option<T>], keep: &[bool]) -> Vec<Option<T>> {
            let kept = list.iter().zip(keep).filter(|(_, keep)| **keep);
            kept.map(|(cell, _)| cell.clone()).collect()
        }
        match self {
            Self::Text(list) => Self::Text(of(list, keep)),
            Self::Number(list) => Self::Number(of(list, keep)),
            Self::Integer(list) => Self::Integer(of(list, keep)),
            Self::Bool(list) => Self::Bool(of(list, keep)),
            Self::Bytes(list) => Self::Bytes(of(list, keep)),
        }
    }

    fn slice(&self, rows: Range<usize>) -> Self {
        fn of<T: Clone>(list: &[Option<T>], rows: Range<usize>) -> Vec<Option<T>> {
            list.get(rows).unwrap_or_default().to_vec()
        }
        match self {
            Self::Text(list) => Self::Text(of(list, rows)),
            Self::Number(list) => Self::Number(of(list, rows)),
            Self::Integer(list) => Self::Integer(of(list, rows)),
            Self::Bool(list) => Self::Bool(of(list, rows)),
            Self::Bytes(list) => Self::Bytes(of(list, rows)),
        }
    }
}

impl Column {
    /// The cells for which `keep` says so.
    pub(super) fn filter(&self, keep: &[bool]) -> Self {
        Self::new(self.name.clone(), self.cells.filter(keep))
    }

    /// A column of this name.
    #[must_use]
    pub fn new(name: impl Into<String>, cells: Cells) -> Self {
        Self {
            name: name.into(),
            cells,
        }
    }

    /// Its name as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is called so, where case does not count.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.name.to_lowercase() == name.to_lowercase()
    }

    /// Its cells.
    #[must_use]
    pub const fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Its cells, taken out.
    #[must_use]
    pub fn into_cells(self) -> Cells {
        self.cells
    }

    /// The number of its rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The cells as numbers: numbers as they are, whole numbers and text converted, `true` as 1 and `false` as 0. A
    /// missing cell, and NaN, which some tools write for one, is `None`.
    ///
    /// # Errors
    /// [`NotABatch::NotANumber`] for text that is not a number, a whole number of more than 53 bits, and bytes.
    pub fn numbers(&self) -> Result<Cow<'_, [Option<f64>]>, NotABatch> {
        let not_a_number = |row: usize| NotABatch::NotANumber {
            column: self.name.clone(),
            row: row + 1,
        };
        let converted: Result<Vec<Option<f64>>, usize> = match &self.cells {
            Cells::Number(list) if list.iter().flatten().all(|number| !number.is_nan()) => {
                return Ok(Cow::Borrowed(list));
            }
            Cells::Number(list) => convert(list, |number| Some(*number)),
            Cells::Text(list) => convert(list, |text| text.trim().parse().ok()),
            Cells::Integer(list) => convert(list, |number| exact(*number)),
            Cells::Bool(list) => convert(list, |value| Some(f64::from(u8::from(*value)))),
            Cells::Bytes(list) => convert(list, |_| None),
        };
        converted.map(Cow::Owned).map_err(not_a_number)
    }

    /// Which rows are missing. NaN in a column of numbers counts as missing, as in [`numbers`](Self::numbers).
    #[must_use]
    pub fn missing(&self) -> Vec<bool> {
        if let Cells::Number(list) = &self.cells {
            let is_missing = |cell: &Option<f64>| cell.is_none_or(f64::is_nan);
            return list.iter().map(is_missing).collect();
        }
        each!(&self.cells, list => list.iter().map(Option::is_none).collect())
    }

    pub(super) fn slice(&self, rows: Range<usize>) -> Self {
        Self::new(self.name.clone(), self.cells.slice(rows))
    }
}

/// Every cell converted; NaN becomes a missing cell; `Err` has the row that does not convert.
fn convert<T>(
    list: &[Option<T>],
    number: impl Fn(&T) -> Option<f64>,
) -> Result<Vec<Option<f64>>, usize> {
    let mut numbers = Vec::with_capacity(list.len());
    for (row, cell) in list.iter().enumerate() {
        let found = match cell {
            Some(cell) => Some(number(cell).ok_or(row)?),
            None => None,
        };
        numbers.push(found.filter(|number| !number.is_nan()));
    }
    Ok(numbers)
}

/// The same value as a binary64, where there is one for sure: up to 53 bits.
fn exact(number: i64) -> Option<f64> {
    const MOST: u64 = 1 << 53;
    #[expect(clippy::cast_precision_loss, reason = "up to 53 bits nothing is lost")]
    (number.unsigned_abs() <= MOST).then_some(number as f64)
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}",
            crate::text::shown(&self.name),
            self.cells.kind()
        )
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cells of {}", self.len(), self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(cells: &[Option<&str>]) -> Column {
        let cells = cells.iter().map(|cell| cell.map(str::to_owned)).collect();
        Column::new("c", Cells::Text(cells))
    }

    #[test]
    fn text_is_read_as_numbers_and_nan_is_missing() {
        let numbers = text(&[Some("1.5"), None, Some(" 2 "), Some("NaN"), Some("-inf")]);
        let expected = [Some(1.5), None, Some(2.0), None, Some(f64::NEG_INFINITY)];
        assert_eq!(*numbers.numbers().unwrap(), expected);
    }

    #[test]
    fn what_is_not_a_number_is_named_by_its_row_and_not_repeated() {
        let why = text(&[Some("1"), Some("zt-needle-cell")])
            .numbers()
            .unwrap_err();
        assert_eq!(why.to_string(), "row 2 of column `c` is not a number");
    }

    #[test]
    fn a_whole_number_that_a_float_cannot_hold_is_refused() {
        let cells = |number| Column::new("c", Cells::Integer(vec![Some(number)]));
        assert!(cells(1 << 53).numbers().is_ok());
        assert!(cells((1 << 53) + 1).numbers().is_err());
        assert!(cells(i64::MIN).numbers().is_err());
    }

    #[test]
    fn nulls_are_counted_in_every_type() {
        assert_eq!(Cells::Bool(vec![None, Some(true)]).nulls(), 1);
        assert_eq!(Cells::Bytes(vec![None, None]).nulls(), 2);
        assert_eq!(text(&[Some("")]).cells().nulls(), 0);
    }
}
