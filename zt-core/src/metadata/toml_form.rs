//! Tables as canonical TOML 1.0: one form for one content, so that two exports differ only where the rows do.
//!
//! In: the rows of tables. Out: text; no file is touched. Tables and columns stand in the order of the schema, rows in their
//! own. Reading it gives the same cells, hence the same content hash.

use super::csv_form::{in_order, unfit};
use super::{Cell, ColumnType, Problem, RawTables, Report, Tables, schema};

impl RawTables {
    /// Writes all tables that have rows as one TOML file.
    ///
    /// # Errors
    /// Every table and column that does not exist, and every cell that does not fit its column.
    pub fn to_toml(&self) -> Result<String, Report> {
        let mut report = Report::new();
        for table in &self.tables {
            if !Tables::NAMES.contains(&table.name.as_str()) {
                let problem = Problem::new("not a metadata table").text(&table.name);
                report.push(problem.nearest(Tables::NAMES));
            }
        }
        let mut toml = String::new();
        for schema in schema() {
            let tables = self.tables.iter().filter(|table| table.name == schema.name);
            let rows = tables.flat_map(|table| &table.rows);
            for (at, row) in rows.enumerate() {
                if !toml.is_empty() {
                    toml.push('\n');
                }
                // A table that has one row at most is written as one.
                let is_single = schema.key.is_empty() && at == 0;
                let (open, close) = if is_single { ("[", "]") } else { ("[[", "]]") };
                toml.push_str(&format!("{open}{}{close}\n", schema.name));
                for (column, cell) in in_order(schema, row, at, &mut report) {
                    let Some(cell) = cell else { continue };
                    if !fits(column.kind, cell) {
                        report.push(unfit(schema, row, at).column(column.name));
                    }
                    toml.push_str(&format!("{} = {}\n", column.name, value(cell)));
                }
            }
        }
        if report.is_empty() {
            Ok(toml)
        } else {
            Err(report)
        }
    }
}

fn fits(kind: ColumnType, cell: &Cell) -> bool {
    is_finite(cell) && has_kind(kind, cell)
}

/// Whether every number inside has a form that is read back as the same.
fn is_finite(cell: &Cell) -> bool {
    match cell {
        Cell::Float(number) => number.is_finite(),
        Cell::List(cells) => cells.iter().all(is_finite),
        Cell::Map(cells) => cells.iter().all(|(_, cell)| is_finite(cell)),
        Cell::Text(_) | Cell::Integer(_) | Cell::Bool(_) => true,
    }
}

fn has_kind(kind: ColumnType, cell: &Cell) -> bool {
    match (kind, cell) {
        (ColumnType::Text, Cell::Text(text)) => !text.is_empty(),
        (ColumnType::Float | ColumnType::Mixed, Cell::Float(_))
        | (ColumnType::Number | ColumnType::Float | ColumnType::Mixed, Cell::Integer(_))
        | (ColumnType::Map, Cell::Map(_))
        | (ColumnType::Texts | ColumnType::Mixed, Cell::Text(_) | Cell::List(_)) => true,
        (
            ColumnType::Text
            | ColumnType::Number
            | ColumnType::Float
            | ColumnType::Texts
            | ColumnType::Map
            | ColumnType::Mixed,
            Cell::Text(_)
            | Cell::Integer(_)
            | Cell::Float(_)
            | Cell::Bool(_)
            | Cell::List(_)
            | Cell::Map(_),
        ) => false,
    }
}

fn value(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => quoted(text),
        Cell::Integer(number) => number.to_string(),
        // Always with a point or an exponent, which is what makes it a float.
        Cell::Float(number) => format!("{number:?}"),
        Cell::Bool(value) => value.to_string(),
        Cell::List(cells) => {
            let cells: Vec<String> = cells.iter().map(value).collect();
            format!("[{}]", cells.join(", "))
        }
        Cell::Map(cells) if cells.is_empty() => "{}".to_owned(),
        Cell::Map(cells) => {
            let pairs = cells.iter();
            let pairs = pairs.map(|(name, cell)| format!("{} = {}", key(name), value(cell)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

fn key(name: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A basic string (TOML 1.0, "String"): quotes, backslashes and control characters are escaped, nothing else.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::RawRow;

    fn tables(name: &str, cells: Vec<(&str, Cell)>) -> RawTables {
        let cells = cells
            .into_iter()
            .map(|(name, cell)| (name.to_owned(), cell));
        let mut tables = RawTables::new("test".to_owned());
        tables.push(name, RawRow::new(None, cells.collect()));
        tables
    }

    #[test]
    fn rows_stand_in_the_order_of_the_schema() {
        let mut raw = tables(
            "Access_Policies",
            vec![
                (
                    "when",
                    Cell::Map(vec![
                        ("stage".to_owned(), Cell::Integer(2)),
                        ("a b".to_owned(), Cell::Bool(true)),
                    ]),
                ),
                ("columns", Cell::List(vec![Cell::Text("a".to_owned())])),
                ("id", Cell::Text("say \"\\\u{7}\u{e9}\"".to_owned())),
            ],
        );
        raw.push("world", RawRow::default());
        assert_eq!(
            raw.to_toml().unwrap(),
            "[world]\n\n[[Access_Policies]]\nid = \"say \\\"\\\\\\u0007\u{e9}\\\"\"\n\
             columns = [\"a\"]\nwhen = { stage = 2, \"a b\" = true }\n"
        );
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let wrong = tables("Jobs", vec![("job_id", Cell::Text("1".to_owned()))]);
        assert!(wrong.to_toml().is_err());
        assert!(
            tables("Jobs", vec![("pay", Cell::Integer(1))])
                .to_toml()
                .is_err()
        );
        assert!(tables("Job", vec![]).to_toml().is_err());
        let inside = Cell::List(vec![Cell::Float(f64::NAN)]);
        let inside = tables("Network_Rules", vec![("ports", inside)]);
        assert!(inside.to_toml().is_err());
        let infinite = Cell::Float(f64::INFINITY);
        assert!(
            tables("Alert_Rules", vec![("threshold", infinite)])
                .to_toml()
                .is_err()
        );
    }
}
