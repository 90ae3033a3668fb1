//! The cells that say where and when something counts: `scope`, `valid_from`, `valid_to`.

use crate::clock::Timestamp;
use crate::metadata::reader::RowReader;
use crate::policy::{Extent, ResourcePattern, Window};

/// Reads all three. `None` when a pattern is wrong.
pub(super) fn read_extent(cells: &mut RowReader<'_>) -> Option<Extent> {
    let scope = match cells.cell("scope") {
        None => Some(Vec::new()),
        Some(_) => cells.required_list("scope", ResourcePattern::meant),
    };
    let window = read_window(cells, ("valid_from", "valid_to"));
    Some(Extent {
        scope: scope?,
        window,
    })
}

/// Reads a window from two columns; one that holds never is reported.
pub(super) fn read_window(cells: &mut RowReader<'_>, (from, to): (&str, &str)) -> Window {
    let begin: Option<Timestamp> = cells.parse(from);
    let end: Option<Timestamp> = cells.parse(to);
    if let (Some(begin), Some(end)) = (begin, end)
        && end <= begin
    {
        let reason = format!("must be after {from}, {begin}: the row would never apply");
        cells.problem(to, &end.to_string(), reason);
    }
    Window::new(begin, end)
}
