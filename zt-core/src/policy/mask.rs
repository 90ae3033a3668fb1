//! Masks: what stands in a visible cell instead of its value.

use std::collections::BTreeMap;
use std::fmt;

use super::Columns;
use crate::batch::{Batch, Cells, NotABatch};
use crate::text::fold;

/// What stands in a cell instead of its value, the mildest first: where several apply, the strictest does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mask {
    /// `****` and the last four characters; of text shorter than eight characters nothing. Cells of other types go missing.
    Last4,
    /// `[redacted]`, so that a value is known to be there. Cells of other types than text go missing.
    Redact,
    /// A missing value.
    Null,
}

/// What `redact` writes.
const REDACTED: &str = "[redacted]";
/// Of shorter text the last four characters would be too much, in characters.
const SHORTEST: usize = 8;

impl Mask {
    /// Every mask with its name in the tables.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("last_4", Self::Last4),
        ("redact", Self::Redact),
        ("null", Self::Null),
    ];

    /// As the tables write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Last4 => "last_4",
            Self::Redact => "redact",
            Self::Null => "null",
        }
    }

    /// The cells as they may be seen. A missing value stays one.
    #[must_use]
    pub fn apply(self, cells: &Cells) -> Cells {
        let Cells::Text(list) = cells else {
            return cells.all_null();
        };
        let cover = |text: &String| match self {
            Self::Last4 => Some(last_4(text)),
            Self::Redact => Some(REDACTED.to_owned()),
            Self::Null => None,
        };
        Cells::Text(
            list.iter()
                .map(|cell| cell.as_ref().and_then(cover))
                .collect(),
        )
    }
}

fn last_4(text: &str) -> String {
    let length = text.chars().count();
    let shown = if length < SHORTEST { 0 } else { 4 };
    let end: String = text.chars().skip(length - shown).collect();
    format!("****{end}")
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which columns are masked, and how. Names ignore case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Masks(BTreeMap<String, Mask>);

impl Masks {
    /// The mask of a column, if it has one.
    #[must_use]
    pub fn of(&self, column: &str) -> Option<Mask> {
        self.0.get(&fold(column)).copied()
    }

    /// Whether nothing is masked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The columns in lowercase, in alphabetical order, and their masks.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Mask)> {
        self.0.iter().map(|(column, mask)| (column.as_str(), *mask))
    }

    /// Masks a column at least so strictly.
    pub(crate) fn cover(&mut self, column: &str, mask: Mask) {
        let strictest = self.0.entry(fold(column)).or_insert(mask);
        *strictest = mask.max(*strictest);
    }
}

/// The visible columns of these rows, in the order in which rows of Access_Policies name them, masked where they must be.
pub(crate) fn show(columns: &Columns, masks: &Masks, batch: &Batch) -> Result<Batch, NotABatch> {
    let names: Vec<&str> = batch.names().collect();
    let visible = batch.select(&columns.visible(&names))?;
    Ok(visible.map_cells(|name, cells| Some(masks.of(name)?.apply(cells))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(cells: &[Option<&str>]) -> Cells {
        Cells::Text(cells.iter().map(|cell| cell.map(str::to_owned)).collect())
    }

    #[test]
    fn text_is_covered_and_a_missing_value_stays_missing() {
        let cells = text(&[Some("NL91ABNA0417164300"), Some("1234567"), None]);
        let seen = |mask: Mask| mask.apply(&cells);
        assert!(seen(Mask::Last4) == text(&[Some("****4300"), Some("****"), None]));
        assert!(seen(Mask::Redact) == text(&[Some("[redacted]"), Some("[redacted]"), None]));
        assert!(seen(Mask::Null) == text(&[None, None, None]));
    }

    #[test]
    fn a_number_has_no_characters_to_show() {
        let cells = Cells::Number(vec![Some(12_345_678.0), None]);
        for (_, mask) in Mask::WORDS {
            assert!(mask.apply(&cells) == Cells::Number(vec![None, None]));
        }
    }

    #[test]
    fn the_strictest_mask_wins_whatever_the_order() {
        for (first, second) in [(Mask::Null, Mask::Last4), (Mask::Last4, Mask::Null)] {
            let mut masks = Masks::default();
            masks.cover("Iban", first);
            masks.cover("IBAN", second);
            assert_eq!(masks.of("iban"), Some(Mask::Null));
        }
    }

    #[test]
    fn every_mask_prints_its_word() {
        for (word, mask) in Mask::WORDS {
            assert_eq!(mask.to_string(), *word);
        }
    }
}
