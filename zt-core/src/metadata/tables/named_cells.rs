//! Cells by the names of attributes, as Principals and Resources have them: not yet values.

use std::fmt;

use crate::metadata::reader::RowReader;
use crate::metadata::{Cell, Problem};

/// The column that holds them.
const COLUMN: &str = "attributes";

/// Named cells, in the order of the source. `Debug` shows the names alone: an attribute may be a secret.
#[derive(Clone, Default, PartialEq)]
pub struct NamedCells(Vec<(String, Cell)>);

impl NamedCells {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each name with its cell.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Cell)> {
        self.0.iter().map(|(name, cell)| (name.as_str(), cell))
    }

    /// Reads the cell `attributes`; whether its values fit, [`Attributes`](crate::policy::AttributeSet) decides later.
    pub(super) fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        match cells.cell(COLUMN) {
            None => Some(Self::default()),
            Some(Cell::Map(named)) => Some(Self(named.clone())),
            Some(other) => {
                let reason = format!(
                    "expected named values such as {{ clearance = 3 }}, not {}",
                    other.kind()
                );
                cells.push(COLUMN, Problem::new(reason));
                None
            }
        }
    }
}

impl fmt::Debug for NamedCells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}
