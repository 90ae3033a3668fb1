//! `Access_Policies`: who may do what, on what, when. Deny by default; a deny row beats every allow row.

use crate::batch::is_plain;
use crate::clock::Timestamp;
use crate::id::PolicyId;
use crate::metadata::reader::{Row, RowReader};
use crate::metadata::{Cell, Column, Problem};
use crate::policy::{
    Action, ActionPattern, Condition, Effect, Mask, Masks, Mode, PrincipalPattern, ResourceKind,
    ResourcePattern,
};

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessPolicy {
    /// Its stable id, shown in explanations and the audit log.
    pub id: PolicyId,
    /// Who it speaks of.
    pub principal: PrincipalPattern,
    /// What it speaks of.
    pub action: ActionPattern,
    /// On what.
    pub resource: ResourcePattern,
    /// Whether it grants or refuses.
    pub effect: Effect,
    /// The columns that it grants or hides; none means the whole resource.
    pub columns: Option<Vec<String>>,
    /// The columns that it shows masked.
    pub masks: Masks,
    /// When it applies: `when`, and `condition` once the snapshot is compiled.
    pub when: Condition,
    /// The reason in words, safe to show to a refused caller.
    pub why: Option<String>,
    /// The further condition as it is written.
    pub condition: Option<String>,
    /// The first moment at which it applies.
    pub valid_from: Option<Timestamp>,
    /// The first moment at which it applies no more.
    pub valid_to: Option<Timestamp>,
    /// Whether it decides.
    pub mode: Mode,
}

impl Row for AccessPolicy {
    const TABLE: &'static str = "Access_Policies";
    const KEY: &'static [&'static str] = &["id"];
    const COLUMNS: &'static [Column] = &[
        Column::text("id"),
        Column::text("principal"),
        Column::text("action"),
        Column::text("resource"),
        Column::text("effect"),
        Column::texts("columns"),
        Column::map("masks"),
        Column::map("when"),
        Column::text("why"),
        Column::text("condition"),
        Column::text("valid_from"),
        Column::text("valid_to"),
        Column::text("mode"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let id = cells.required_text("id");
        let principal = cells.required("principal", &[]);
        let actions: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
        let action: Option<ActionPattern> = cells.required("action", &actions);
        let resource: Option<ResourcePattern> = cells.required("resource", &[]);
        let effect = cells.required_one_of(
            "effect",
            &[("allow", Effect::Allow), ("deny", Effect::Deny)],
        );
        let columns = read_columns(cells, action, resource.as_ref());
        let masks = read_masks(cells, columns.as_deref(), effect, resource.as_ref());
        let when = read_when(cells);
        let why = cells.optional_text("why");
        let condition = cells.optional_text("condition");
        let (valid_from, valid_to) = read_window(cells);
        let mode = match cells.cell("mode") {
            None => Some(Mode::default()),
            Some(_) => cells.one_of("mode", Mode::WORDS),
        };
        let (action, resource) = (action?, resource?);
        refuse_pointless(cells, action, &resource);
        Some(Self {
            id: PolicyId::new(&id?),
            principal: principal?,
            action,
            resource,
            effect: effect?,
            columns,
            masks: masks?,
            when: when?,
            why,
            condition,
            valid_from,
            valid_to,
            mode: mode?,
        })
    }
}

fn read_window(cells: &mut RowReader<'_>) -> (Option<Timestamp>, Option<Timestamp>) {
    let from: Option<Timestamp> = cells.parse("valid_from");
    let to: Option<Timestamp> = cells.parse("valid_to");
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        let reason = format!("must be after valid_from, {from}: the row would never apply");
        cells.problem("valid_to", &to.to_string(), reason);
    }
    (from, to)
}

/// A row whose actions can never be asked of its resource is a mistake, not a rule.
fn refuse_pointless(cells: &mut RowReader<'_>, action: ActionPattern, resource: &ResourcePattern) {
    let Some(kind) = resource.kind() else { return };
    if action.actions().any(|action| action.takes(kind)) {
        return;
    }
    let mut kinds: Vec<&str> = Vec::new();
    for action in action.actions() {
        kinds.extend(
            action
                .kinds()
                .iter()
                .map(|kind| ResourceKind::as_str(*kind)),
        );
    }
    kinds.dedup();
    let reason = format!(
        "`{action}` takes resources of kind {}, not {kind}",
        kinds.join(" or ")
    );
    cells.problem("resource", resource.as_str(), reason);
}

/// Columns only mean something where every action and resource of the row has them: a row about columns that also
/// released a secret would release all of it.
fn read_columns(
    cells: &mut RowReader<'_>,
    action: Option<ActionPattern>,
    resource: Option<&ResourcePattern>,
) -> Option<Vec<String>> {
    let columns = cells.texts("columns")?;
    if columns.is_empty() || columns.iter().any(|column| column.trim().is_empty()) {
        let reason = "name at least one column, or leave `columns` out to mean all of them";
        cells.problem("columns", &format!("{columns:?}"), reason);
    }
    for column in columns.iter().filter(|column| !is_plain(column)) {
        cells.problem("columns", column, "no column has a blank at its edge");
    }
    let (action, resource) = (action?, resource?);
    let Some(kind) = resource.kind().filter(|kind| kind.has_columns()) else {
        cells.problem(
            "columns",
            resource.as_str(),
            "only tables, views and outputs have columns",
        );
        return Some(columns);
    };
    let mut taken = action.actions().filter(|action| action.takes(kind));
    if let Some(other) = taken.find(|action| !action.has_columns()) {
        cells.problem(
            "columns",
            &action.to_string(),
            format!("`{other}` has no columns"),
        );
    }
    Some(columns)
}

/// A mask is an obligation of an allow, on a column that the row shows.
fn read_masks(
    cells: &mut RowReader<'_>,
    columns: Option<&[String]>,
    effect: Option<Effect>,
    resource: Option<&ResourcePattern>,
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
        |pattern: &ResourcePattern| pattern.kind().is_some_and(ResourceKind::has_columns);
    if let Some(pattern) = resource.filter(|pattern| !has_columns(pattern)) {
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

fn read_when(cells: &mut RowReader<'_>) -> Option<Condition> {
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
            ("not_author", _) => None,
            (unknown, _) => {
                let problem = Problem::new("not a fact that `when` knows").text(unknown);
                cells.push("when", problem.nearest(&["job", "stage", "not_author"]));
                continue;
            }
        };
        match part {
            Some(part) => when = when.and(part),
            None if name == "not_author" => {
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
