//! What an allow shows, as the parts of a query: the engine that holds the rows shows no more of them.

use super::{CellRule, View};
use crate::policy::mask::Mask;
use crate::policy::row_filter::{Dialect, NotInDialect, Rows, column_name};

/// The parts of a query that shows what a decision shows: `SELECT {columns} FROM … WHERE {filter}`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection {
    /// The visible columns, each as an expression with its name.
    pub columns: Vec<String>,
    /// The search condition.
    pub filter: String,
}

impl View {
    /// The parts of a query on a table with these columns. A masked cell is `[redacted]`, or `****` where the mask would
    /// show its end: an engine does not say whether a column is text, and of a number nothing may be shown.
    pub(crate) fn select(
        &self,
        dialect: Dialect,
        columns: &[&str],
    ) -> Result<Selection, NotInDialect> {
        let visible = self.columns.visible(columns).into_iter();
        let columns = visible.map(|column| {
            let name = column_name(dialect, column);
            let cell = match self.seen.rule_of(column) {
                Some(rule) => rule.cell(dialect, &name)?,
                None => match self.masks.of(column) {
                    Some(mask) => masked(dialect, &name, mask),
                    None => return Ok(name),
                },
            };
            Ok(format!("{cell} AS {name}"))
        });
        Ok(Selection {
            columns: columns.collect::<Result<_, NotInDialect>>()?,
            filter: self.seen.rows.to_sql(dialect)?,
        })
    }
}

impl CellRule {
    fn cell(&self, dialect: Dialect, name: &str) -> Result<String, NotInDialect> {
        let mut branches = String::new();
        let mut branch = |rows: &Rows, cell: &str| {
            if *rows != Rows::None {
                let rows = rows.to_sql(dialect)?;
                branches.push_str(&format!(" WHEN {rows} THEN {cell}"));
            }
            Ok(())
        };
        let shown = |rows: &Rows| self.shown.clone().and(rows.clone());
        let clear = match self.restricted {
            Some(mask) => masked(dialect, name, mask),
            None => name.to_owned(),
        };
        branch(&shown(&self.clear), &clear)?;
        for (mask, rows) in &self.masks {
            let mask = self.restricted.map_or(*mask, |least| least.max(*mask));
            branch(&shown(rows), &masked(dialect, name, mask))?;
        }
        if branches.is_empty() {
            return Ok("NULL".to_owned());
        }
        Ok(format!("CASE{branches} END"))
    }
}

fn masked(dialect: Dialect, name: &str, mask: Mask) -> String {
    let prefix = match dialect {
        Dialect::TransactSql => "N",
        Dialect::Spark | Dialect::DataFusion => "",
    };
    match mask {
        Mask::Null => "NULL".to_owned(),
        Mask::Redact => format!("CASE WHEN {name} IS NOT NULL THEN {prefix}'[redacted]' END"),
        Mask::Last4 => format!("CASE WHEN {name} IS NOT NULL THEN {prefix}'****' END"),
    }
}
