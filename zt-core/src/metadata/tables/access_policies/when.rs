//! `when`: sugar for tests of job, stage, their proof, and author.

use crate::metadata::reader::RowReader;
use crate::metadata::{Cell, Problem};
use crate::policy::Condition;

pub(super) fn read_when(cells: &mut RowReader<'_>) -> Option<Condition> {
    let facts = match cells.cell("when") {
        None => return Some(Condition::default()),
        Some(Cell::Map(facts)) => facts,
        Some(other) => {
            let reason = format!(
                "expected a table such as {{ job = 201 }}, not {}",
                other.kind()
            );
            cells.problem("when", &other.to_string(), reason);
            return None;
        }
    };
    let mut when = Condition::default();
    for (name, value) in facts {
        let part = match (name.as_str(), value) {
            ("job", value) => small(value).map(Condition::of_job),
            ("stage", value) => small(value).map(Condition::of_stage),
            ("not_author", Cell::Bool(true)) => Some(Condition::of_four_eyes()),
            ("proven", Cell::Bool(true)) => Some(Condition::of_proof()),
            ("not_author" | "proven", _) => None,
            (unknown, _) => {
                let problem = Problem::new("not a fact that `when` knows").text(unknown);
                cells.push(
                    "when",
                    problem.nearest(&["job", "stage", "proven", "not_author"]),
                );
                continue;
            }
        };
        match part {
            Some(part) => when = when.and(part),
            None if name == "not_author" || name == "proven" => {
                wrong_fact(cells, name, value, "true; leave it out otherwise");
            }
            None => wrong_fact(cells, name, value, "a whole number from 0 to 4294967295"),
        }
    }
    Some(when)
}

fn small(cell: &Cell) -> Option<u32> {
    match cell {
        Cell::Integer(number) => u32::try_from(*number).ok(),
        Cell::Text(_) | Cell::Float(_) | Cell::Bool(_) | Cell::List(_) | Cell::Map(_) => None,
    }
}

fn wrong_fact(cells: &mut RowReader<'_>, fact: &str, value: &Cell, expected: &str) {
    cells.problem(
        "when",
        &value.to_string(),
        format!("`{fact}` must be {expected}"),
    );
}
