//! `Access_Policies`: who may do what, on what, when. Deny by default; a deny row beats every allow row.

use crate::batch::is_plain;
use crate::id::PolicyId;
use crate::metadata::reader::{Row, RowReader};
use crate::metadata::{Cell, Column, Problem};
use crate::policy::{
    Action, ActionPattern, Atom, Condition, Effect, Mask, Masks, PrincipalPattern, ResourceKind,
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
    /// When it applies (`when`).
    pub when: Condition,
    /// The reason in words, safe to show to a refused caller.
    pub why: Option<String>,
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
        })
    }
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
                .any(|own| own.to_lowercase() == column.to_lowercase())
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
    let mut atoms = Vec::with_capacity(facts.len());
    for (name, value) in facts {
        match (name.as_str(), value) {
            ("job" | "stage", value) => match small(value) {
                Some(number) if name == "job" => atoms.push(Atom::Job(number)),
                Some(number) => atoms.push(Atom::Stage(number)),
                None => wrong_fact(cells, name, value, "a whole number from 0 to 4294967295"),
            },
            ("not_author", Cell::Bool(true)) => atoms.push(Atom::NotAuthor),
            ("not_author", other) => wrong_fact(cells, name, other, "true; leave it out otherwise"),
            (unknown, _) => {
                let problem = Problem::new("not a fact that `when` knows").text(unknown);
                cells.push("when", problem.nearest(&["job", "stage", "not_author"]));
            }
        }
    }
    Some(Condition::all(atoms))
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
