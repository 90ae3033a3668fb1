//! Why a sealed cell does not open, as exactly as can be found out: it is tried where else it may belong.
//!
//! In: a cell that did not open in its place. Out: the error that names where it came from, or that it was changed. Never:
//! what it holds. Only after a failure, so that rows that are whole pay nothing.

use zeroize::Zeroizing;

use super::format::{NotSealedText, Version};
use super::unseal::Rows;
use super::{ColumnKey, SealError};

/// So many other rows are tried.
const MOST_ROWS: usize = 65_536;
/// So many bytes are opened again, however long somebody made the cell.
const MOST_SOUGHT: usize = 64 << 20;

/// Gives the sealed bytes of the cell.
type Decode<'a> = dyn Fn(&mut Zeroizing<Vec<u8>>) -> Result<Version, NotSealedText> + 'a;

/// The cell in this column of the rule and this row, both from 0.
pub(super) fn cell(
    decode: &Decode<'_>,
    column: &str,
    at: usize,
    at_row: usize,
    rows: &Rows<'_>,
) -> SealError {
    let (name, row) = (|| column.to_owned(), at_row + 1);
    let held = rows.held.get(at_row);
    let mut buffer = Zeroizing::new(Vec::new());
    let mut scratch = Vec::new();
    let mut opens = |key: &ColumnKey, in_row: usize| {
        let version = decode(&mut buffer);
        version == Ok(key.version())
            && key
                .open(&mut buffer, rows.keys.of(in_row), &mut scratch)
                .is_some()
    };
    let keys = held.map(|held| held.columns.as_slice());
    for (other, (key, from)) in keys.unwrap_or_default().iter().zip(rows.names).enumerate() {
        if other != at && opens(key, at_row) {
            return SealError::CellOfColumn {
                column: name(),
                row,
                from: from.clone(),
            };
        }
    }
    let key = held.and_then(|held| held.columns.get(at));
    let Some(key) = key.filter(|key| key.is_bound_to_row()) else {
        return SealError::CellChanged {
            column: name(),
            row,
        };
    };
    let mut sealed = Zeroizing::new(Vec::new());
    let _version = decode(&mut sealed);
    let most = MOST_ROWS.min(MOST_SOUGHT / sealed.len().max(1));
    // A row with the same key, of no columns too, is no other place.
    let own = rows.keys.of(at_row);
    let others = (0..rows.keys.len()).filter(|other| rows.keys.of(*other) != own);
    let mut others = others.take(most);
    match others.find(|other| opens(key, *other)) {
        Some(from) => SealError::CellOfRow {
            column: name(),
            row,
            from: from + 1,
        },
        None => SealError::CellOrRowChanged {
            column: name(),
            row,
        },
    }
}
