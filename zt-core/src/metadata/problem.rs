//! What is wrong with the tables, all of it at once.

use serde::Serialize;
use std::fmt;

use super::Place;
use crate::error::{Code, Error};
use crate::text::{nearest, shown};

/// One problem of one cell, row or file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// Where the row begins.
    pub place: Option<Place>,
    /// The table.
    pub table: Option<String>,
    /// The row's key, cut at 80 characters, or `#3` for the third row when it has none.
    pub row: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// The offending text, cut at 80 characters.
    pub text: Option<String>,
    /// What is wrong and what is expected.
    pub reason: String,
    /// The nearest valid value, if one is near.
    pub nearest: Option<String>,
}

impl Problem {
    /// A problem of which only the reason is known yet.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// In this place.
    #[must_use]
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// In this table and row.
    #[must_use]
    pub fn row(mut self, table: &str, row: &str) -> Self {
        self.table = Some(table.to_owned());
        self.row = Some(cut(row));
        self
    }

    /// In this column.
    #[must_use]
    pub fn column(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self
    }

    /// Because of this text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(cut(text));
        self
    }

    /// Of this table: what stands in the wrong place of Secret_References may be the secret itself, so its text is not
    /// repeated. After [`nearest`](Self::nearest), which reads it.
    #[must_use]
    pub(super) fn veiled(mut self, table: &str) -> Self {
        if table == "Secret_References" {
            self.text = self
                .text
                .map(|text| format!("[{} characters]", text.chars().count()));
        }
        self
    }

    /// Looks for the nearest of the valid values.
    #[must_use]
    pub fn nearest(mut self, valid: &[&str]) -> Self {
        self.nearest = self.text.as_deref().and_then(|text| nearest(text, valid));
        self
    }
}

/// At most 80 characters, and a sign that there were more.
fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if let Some(table) = &self.table {
            f.write_str(&shown(table))?;
            if let Some(row) = &self.row {
                write!(f, " {}", shown(row))?;
            }
            if let Some(column) = &self.column {
                write!(f, " column {}", shown(column))?;
            }
            f.write_str(": ")?;
        }
        if let Some(text) = &self.text {
            write!(f, "`{}`: ", shown(text))?;
        }
        f.write_str(&self.reason)?;
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean `{}`?", shown(nearest))?;
        }
        Ok(())
    }
}

/// All problems of a set of tables.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    problems: Vec<Problem>,
}

impl Report {
    /// No problem yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            problems: Vec::new(),
        }
    }

    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// All problems, in the order in which they were found.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if at == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}

impl From<Report> for Error {
    fn from(report: Report) -> Self {
        let count = report.problems.len();
        let first = report
            .problems
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        let message = match count {
            1 => format!("the metadata tables have a problem: {first}"),
            _ => format!("the metadata tables have {count} problems, the first: {first}"),
        };
        Self::new(Code::InvalidMetadata, message)
            .with_help("`zt lint` lists all of them")
            .with_report(report)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_problem_says_where_what_and_what_was_meant() {
        let problem = Problem::new("not an action")
            .at(Some(Place::new(Arc::from("tables.toml"), 12)))
            .row("Access_Policies", "AP-07")
            .column("action")
            .text("secret.gett")
            .nearest(&["secret.get", "table.read"]);
        assert_eq!(
            problem.to_string(),
            "tables.toml:12: Access_Policies AP-07 column action: `secret.gett`: not an action; \
             did you mean `secret.get`?"
        );
    }

    #[test]
    fn a_far_word_is_not_suggested() {
        let problem = Problem::new("unknown")
            .text("zebra")
            .nearest(&["allow", "deny"]);
        assert_eq!(problem.nearest, None);
    }

    #[test]
    fn control_characters_of_the_input_are_escaped() {
        let problem = Problem::new("unknown").text("\u{1b}[31mred");
        assert_eq!(problem.to_string(), "`\\u{1b}[31mred`: unknown");
    }
}
