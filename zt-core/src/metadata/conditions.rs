//! Compiles the conditions of rows, once the attributes that they may test are known.
//!
//! In: rows whose `condition` is text. Out: the same rows with `when` extended by it, and every mistake with its place.

use rustc_hash::FxHashMap;

use super::tables::Places;
use super::{Problem, Report, Tables};
use crate::id::PolicyId;
use crate::policy::{AttributeSet, Condition, Mistake};

const TABLE: &str = "Access_Policies";

/// Compiles `condition` and `rows` of every policy. One text is compiled once, however many rows have it.
pub(super) fn compile(
    tables: &mut Tables,
    attributes: &AttributeSet,
    places: &Places,
    report: &mut Report,
) {
    let mut compiler = Compiler {
        attributes,
        places,
        report,
        known: FxHashMap::default(),
    };
    for row in &mut tables.access_policies {
        if let Some(source) = &row.condition
            && let Some(condition) = compiler.compile(&row.id, ("condition", source))
        {
            row.when = std::mem::take(&mut row.when).and(condition);
        }
        if let Some(source) = &row.rows {
            row.row_condition = compiler.compile(&row.id, ("rows", source));
        }
    }
}

struct Compiler<'a> {
    attributes: &'a AttributeSet,
    places: &'a Places,
    report: &'a mut Report,
    known: FxHashMap<String, Result<Condition, Vec<Mistake>>>,
}

impl Compiler<'_> {
    fn compile(
        &mut self,
        id: &PolicyId,
        (column, source): (&'static str, &String),
    ) -> Option<Condition> {
        if !self.known.contains_key(source) {
            let compiled = Condition::parse(source, self.attributes);
            self.known.insert(source.clone(), compiled);
        }
        let problems: Vec<Problem> = match self.known.get(source)? {
            Ok(condition) => match condition.misplaced(column == "rows") {
                None => return Some(condition.clone()),
                Some(why) => vec![Problem::new(why)],
            },
            Err(mistakes) => mistakes.iter().map(problem).collect(),
        };
        let key = id.as_str();
        for problem in problems {
            let problem = problem.at(self.places.of(TABLE, key)).row(TABLE, key);
            self.report.push(problem.column(column));
        }
        None
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
