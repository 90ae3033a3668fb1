//! What a row says about columns: which it grants or hides, and which it shows masked.

use crate::batch::is_plain;
use crate::metadata::reader::RowReader;
use crate::metadata::{Cell, Problem};
use crate::policy::{ActionPattern, Effect, Mask, Masks, ResourceKind, ResourcePattern};

/// Columns only mean something where every action and resource of the row has them: a row about columns that also
/// released a secret would release all of it.
pub(super) fn read_columns(
    cells: &mut RowReader<'_>,
    effect: Option<Effect>,
    actions: Option<&[ActionPattern]>,
    resources: Option<&[ResourcePattern]>,
) -> Option<Vec<String>> {
    let columns = cells.texts("columns")?;
    if columns.is_empty() || columns.iter().any(|column| column.trim().is_empty()) {
        let reason = "name at least one column, or leave `columns` out to mean all of them";
        cells.problem("columns", &format!("{columns:?}"), reason);
    }
    for column in columns.iter().filter(|column| !is_plain(column)) {
        cells.problem("columns", column, "no column has a blank at its edge");
    }
    if effect == Some(Effect::Restrict) {
        let reason = "a restriction hides no columns: mask them, or write a row that denies them";
        cells.push("columns", Problem::new(reason));
    }
    refuse_without_columns(cells, "columns", actions?, resources?);
    Some(columns)
}

/// Reports each action and resource that has no columns, or rows.
pub(in crate::metadata) fn refuse_without_columns(
    cells: &mut RowReader<'_>,
    column: &str,
    actions: &[ActionPattern],
    resources: &[ResourcePattern],
) {
    for resource in resources {
        let Some(kind) = resource.kind().filter(|kind| kind.has_columns()) else {
            let reason = "only tables, views and outputs have columns";
            cells.problem(column, resource.as_str(), reason);
            continue;
        };
        for pattern in actions {
            let mut taken = pattern.actions().filter(|action| action.takes(kind));
            if let Some(other) = taken.find(|action| !action.has_columns()) {
                let reason = format!("`{other}` has no columns");
                cells.problem(column, &pattern.to_string(), reason);
            }
        }
    }
}

/// A mask is an obligation of an allow, on a column that the row shows, or what a restriction asks of every allow.
pub(super) fn read_masks(
    cells: &mut RowReader<'_>,
    columns: Option<&[String]>,
    effect: Option<Effect>,
    resources: Option<&[ResourcePattern]>,
) -> Option<Masks> {
    let mut masks = Masks::default();
    let named = match cells.cell("masks") {
        None => return Some(masks),
        Some(Cell::Map(named)) => named,
        Some(other) => {
            let reason = "expected a table such as { salary_range = \"redact\" }";
            cells.problem("masks", &other.to_string(), reason);
            return None;
        }
    };
    if effect == Some(Effect::Deny) {
        cells.problem("masks", "deny", "a deny shows nothing that could be masked");
    }
    let has_columns =
        |pattern: &&ResourcePattern| pattern.kind().is_some_and(ResourceKind::has_columns);
    let patterns = resources.unwrap_or_default().iter();
    for pattern in patterns.filter(|pattern| !has_columns(pattern)) {
        let reason = "only tables, views and outputs have columns";
        cells.problem("masks", pattern.as_str(), reason);
    }
    for (column, word) in named {
        if !is_plain(column) {
            let reason = "no column has a blank at its edge or an invisible character";
            cells.problem("masks", column, reason);
        }
        if let Some(columns) = columns
            && !columns
                .iter()
                .any(|own| crate::text::fold(own) == crate::text::fold(column))
        {
            let valid: Vec<&str> = columns.iter().map(String::as_str).collect();
            let problem = Problem::new("not one of the row's columns").text(column);
            cells.push("masks", problem.nearest(&valid));
        }
        let word = word.to_string();
        match Mask::WORDS.iter().find(|(name, _)| *name == word) {
            Some((_, mask)) => masks.cover(column, *mask),
            None => {
                let words: Vec<&str> = Mask::WORDS.iter().map(|(word, _)| *word).collect();
                let problem = Problem::new("not a mask: `last_4`, `redact` or `null`").text(&word);
                cells.push("masks", problem.nearest(&words));
            }
        }
    }
    Some(masks)
}
