//! Compiles the conditions of rows, once the attributes that they may test are known.
//!
//! In: rows whose `condition` is text. Out: the same rows with `when` extended by it, and every mistake with its place.

use rustc_hash::FxHashMap;

use super::tables::Places;
use super::{Problem, Report, Tables};
use crate::policy::{AttributeSet, Condition, Mistake};

const TABLE: &str = "Access_Policies";

/// Compiles `condition` of every policy. One text is compiled once, however many rows have it.
pub(super) fn compile(
    tables: &mut Tables,
    attributes: &AttributeSet,
    places: &Places,
    report: &mut Report,
) {
    let mut known: FxHashMap<String, Result<Condition, Vec<Mistake>>> = FxHashMap::default();
    for row in &mut tables.access_policies {
        let Some(source) = &row.condition else {
            continue;
        };
        let compiled = match known.get(source) {
            Some(compiled) => compiled,
            None => known
                .entry(source.clone())
                .or_insert_with(|| Condition::parse(source, attributes)),
        };
        match compiled {
            Ok(condition) => row.when = std::mem::take(&mut row.when).and(condition.clone()),
            Err(mistakes) => {
                for mistake in mistakes {
                    let key = row.id.as_str();
                    let problem = problem(mistake).at(places.of(TABLE, key)).row(TABLE, key);
                    report.push(problem.column("condition"));
                }
            }
        }
    }
}

fn problem(mistake: &Mistake) -> Problem {
    let reason = format!("character {}: {}", mistake.position, mistake.reason);
    let mut problem = Problem::new(reason);
    if !mistake.token.is_empty() {
        problem = problem.text(&mistake.token);
    }
    problem.nearest.clone_from(&mistake.nearest);
    problem
}
