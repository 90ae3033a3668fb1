//! Tables as TOML: a row is one `[[Table_Name]]`. Every syntax error of a file is reported, with its line.

use std::borrow::Cow;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::metadata::{Cell, Lines, Place, Problem, RawRow, RawTables, Report};

type Entry<'a, 'i> = (&'a Spanned<Cow<'i, str>>, &'a Spanned<DeValue<'i>>);

/// Reads the tables of one file into `raw`. A file with a syntax error adds nothing.
pub(super) fn parse(text: &str, file: &Arc<str>, raw: &mut RawTables, report: &mut Report) {
    let lines = Lines::of(Arc::clone(file), text);
    let place = |offset: usize| lines.place(offset);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map(|span| place(span.start));
        report.push(Problem::new(format!("not TOML: {}", error.message())).at(at));
    }
    if !errors.is_empty() {
        return;
    }
    for (name, value) in in_order(document.get_ref()) {
        let rows = value
            .get_ref()
            .as_array()
            .map_or_else(|| vec![value], |rows| rows.iter().collect());
        for row in rows {
            let at = place(row.span().start);
            if let DeValue::Table(cells) = row.get_ref() {
                let row = read_row(cells, at, report);
                raw.push(name.get_ref(), row);
            } else {
                report.push(not_a_row(name.get_ref(), row.get_ref(), at));
            }
        }
    }
}

/// The entries as the file has them; the parser sorts them by name.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<Entry<'a, 'i>> {
    let mut entries: Vec<Entry<'a, 'i>> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

fn not_a_row(name: &str, value: &DeValue<'_>, place: Place) -> Problem {
    let reason = format!("expected rows, `[[{name}]]`, not {}", value.type_str());
    Problem::new(reason).text(name).at(Some(place))
}

fn read_row(cells: &DeTable<'_>, place: Place, report: &mut Report) -> RawRow {
    let mut row = Vec::with_capacity(cells.len());
    for (name, value) in in_order(cells) {
        match read_cell(value.get_ref()) {
            Ok(cell) => row.push((name.get_ref().to_string(), cell)),
            Err(why) => {
                let problem = Problem::new(why)
                    .text(name.get_ref())
                    .at(Some(place.clone()));
                report.push(problem);
            }
        }
    }
    RawRow::new(Some(place), row)
}

fn read_cell(value: &DeValue<'_>) -> Result<Cell, String> {
    Ok(match value {
        DeValue::String(text) => Cell::Text(text.to_string()),
        DeValue::Integer(number) => Cell::Integer(
            i64::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| "the number is too large")?,
        ),
        DeValue::Float(number) => Cell::Float(number.as_str().parse().map_err(|_| "not a number")?),
        DeValue::Boolean(value) => Cell::Bool(*value),
        // A moment keeps its text; the tables that have one read it as RFC 3339.
        DeValue::Datetime(moment) => Cell::Text(moment.to_string()),
        DeValue::Array(values) => Cell::List(
            values
                .iter()
                .map(|value| read_cell(value.get_ref()))
                .collect::<Result<_, _>>()?,
        ),
        DeValue::Table(cells) => Cell::Map(
            in_order(cells)
                .into_iter()
                .map(|(name, value)| Ok((name.get_ref().to_string(), read_cell(value.get_ref())?)))
                .collect::<Result<_, String>>()?,
        ),
    })
}
