//! Compiles the conditions of rows, once the attributes that they may test are known.
//!
//! In: rows whose `condition` is text. Out: the same rows with `when` extended by it, and every mistake with its place.

use super::tables::Places;
use super::{Problem, Report, Tables};
use crate::policy::{AttributeSet, Condition, Mistake};

const TABLE: &str = "Access_Policies";

/// Compiles `condition` of every policy.
pub(super) fn compile(
    tables: &mut Tables,
    attributes: &AttributeSet,
    places: &Places,
    report: &mut Report,
) {
    for row in &mut tables.access_policies {
        let Some(source) = &row.condition else {
            continue;
        };
        match Condition::parse(source, attributes) {
            Ok(condition) => row.when = std::mem::take(&mut row.when).and(condition),
            Err(mistakes) => {
                for mistake in mistakes {
                    let key = row.id.as_str();
                    let place = places.get(&(TABLE, key.to_owned())).cloned().flatten();
                    let problem = problem(mistake).at(place).row(TABLE, key);
                    report.push(problem.column("condition"));
                }
            }
        }
    }
}

fn problem(mistake: Mistake) -> Problem {
    let reason = format!("character {}: {}", mistake.position, mistake.reason);
    let mut problem = Problem::new(reason);
    if !mistake.token.is_empty() {
        problem = problem.text(&mistake.token);
    }
    problem.nearest = mistake.nearest;
    problem
}
