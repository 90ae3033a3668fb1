//! `Access_Policies`: who may do what, on what, when. Deny by default; a deny row beats every allow row, and a restriction
//! adds its obligations to every allow that it matches.

mod columns;
mod obligations;
mod when;

use self::columns::{read_columns, read_masks, refuse_without_columns};
pub use self::obligations::Duties;
use self::obligations::read_duties;
use self::when::read_when;
use super::extents::read_window;
use crate::clock::Timestamp;
use crate::id::PolicyId;
use crate::metadata::reader::{Row, RowReader};
use crate::metadata::{Column, Problem};
use crate::policy::{
    Action, ActionPattern, Condition, Effect, Masks, Mode, PolicyKind, PrincipalPattern, Resource,
    ResourceKind, ResourcePattern, Window,
};

/// One policy. It speaks of a request when one of its principals, one of its actions and one of its resources does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessPolicy {
    /// Its stable id, shown in explanations and the audit log.
    pub id: PolicyId,
    /// Who it speaks of (`principal`); at least one.
    pub principals: Vec<PrincipalPattern>,
    /// What it speaks of (`action`); at least one.
    pub actions: Vec<ActionPattern>,
    /// On what (`resource`); at least one.
    pub resources: Vec<ResourcePattern>,
    /// Whether it grants, refuses or restricts.
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
    /// Which rows it is about, as it is written.
    pub rows: Option<String>,
    /// Which rows it is about, once the snapshot is compiled; none means all.
    pub row_condition: Option<Condition>,
    /// What it asks of every allow that it matches.
    pub obligations: Duties,
    /// Whether it applies always or while it is activated.
    pub kind: PolicyKind,
    /// Whom to ask about it, safe to show to a refused caller.
    pub owner: Option<String>,
    /// The reason in words, for holders of `policy.explain`.
    pub reason_admin: Option<String>,
    /// Words of the team's own, for its tools.
    pub tags: Vec<String>,
}

impl AccessPolicy {
    /// Whether it speaks of this action.
    #[must_use]
    pub fn speaks_of_action(&self, action: Action) -> bool {
        self.actions.iter().any(|pattern| pattern.matches(action))
    }

    /// Whether it speaks of this resource.
    #[must_use]
    pub fn speaks_of_resource(&self, resource: &Resource) -> bool {
        self.resources
            .iter()
            .any(|pattern| pattern.matches(resource))
    }

    /// When it applies, as far as its own window says.
    #[must_use]
    pub const fn window(&self) -> Window {
        Window::new(self.valid_from, self.valid_to)
    }

    /// Whether it is about whole resources: neither columns nor rows.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.columns.is_none() && self.row_condition.is_none()
    }
}

impl Row for AccessPolicy {
    const TABLE: &'static str = "Access_Policies";
    const KEY: &'static [&'static str] = &["id"];
    const COLUMNS: &'static [Column] = &[
        Column::text("id"),
        Column::texts("principal"),
        Column::texts("action"),
        Column::texts("resource"),
        Column::text("effect"),
        Column::texts("columns"),
        Column::map("masks"),
        Column::map("when"),
        Column::text("why"),
        Column::text("condition"),
        Column::text("valid_from"),
        Column::text("valid_to"),
        Column::text("mode"),
        Column::text("rows"),
        Column::map("obligations"),
        Column::text("kind"),
        Column::text("owner"),
        Column::text("reason_admin"),
        Column::texts("tags"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let id = cells.required_text("id");
        let principals = cells.required_list("principal", &[]);
        let names: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
        let actions: Option<Vec<ActionPattern>> = cells.required_list("action", &names);
        let resources: Option<Vec<ResourcePattern>> = cells.required_list("resource", &[]);
        let effect = cells.required_one_of("effect", Effect::WORDS);
        let columns = read_columns(cells, effect, actions.as_deref(), resources.as_deref());
        let masks = read_masks(cells, columns.as_deref(), effect, resources.as_deref());
        let obligations = read_duties(cells, effect, actions.as_deref(), resources.as_deref());
        let when = read_when(cells);
        let why = cells.optional_text("why");
        let condition = cells.optional_text("condition");
        let window = read_window(cells, ("valid_from", "valid_to"));
        let mode = match cells.cell("mode") {
            None => Some(Mode::default()),
            Some(_) => cells.one_of("mode", Mode::WORDS),
        };
        let kind = match cells.cell("kind") {
            None => Some(PolicyKind::default()),
            Some(_) => cells.one_of("kind", PolicyKind::WORDS),
        };
        let rows = cells.optional_text("rows");
        if let (Some(_), Some(actions), Some(resources)) = (&rows, &actions, &resources) {
            refuse_without_columns(cells, "rows", actions, resources);
        }
        let (owner, reason_admin) = (
            cells.optional_text("owner"),
            cells.optional_text("reason_admin"),
        );
        let tags = cells.texts("tags").unwrap_or_default();
        let row = Self {
            id: PolicyId::new(&id?),
            principals: principals?,
            actions: actions?,
            resources: resources?,
            effect: effect?,
            columns,
            masks: masks?,
            when: when?,
            why,
            condition,
            valid_from: window.from,
            valid_to: window.to,
            mode: mode?,
            rows,
            row_condition: None,
            obligations: obligations?,
            kind: kind?,
            owner,
            reason_admin,
            tags,
        };
        refuse_pointless(cells, &row);
        refuse_crowds(cells, &row);
        Some(row)
    }
}

/// A row whose actions can never be asked of its resource is a mistake, not a rule; so is a restriction that asks for
/// nothing.
fn refuse_pointless(cells: &mut RowReader<'_>, row: &AccessPolicy) {
    for resource in &row.resources {
        let Some(kind) = resource.kind() else {
            continue;
        };
        let asked = || row.actions.iter().flat_map(|pattern| pattern.actions());
        if asked().any(|action| action.takes(kind)) {
            continue;
        }
        let mut kinds: Vec<&str> = Vec::new();
        for action in asked() {
            kinds.extend(
                action
                    .kinds()
                    .iter()
                    .map(|kind| ResourceKind::as_str(*kind)),
            );
        }
        kinds.dedup();
        let actions: Vec<String> = row.actions.iter().map(ToString::to_string).collect();
        let reason = format!(
            "`{}` takes resources of kind {}, not {kind}",
            actions.join("`, `"),
            kinds.join(" or ")
        );
        cells.problem("resource", resource.as_str(), reason);
    }
    if row.effect == Effect::Restrict
        && row.masks.is_empty()
        && row.rows.is_none()
        && row.obligations.is_empty()
    {
        let reason = "a restriction needs `masks`, `rows` or `obligations`: it asks for nothing";
        cells.problem("effect", "restrict", reason);
    }
}

/// A row stands for each of its principals on each of its resources.
const MOST_PAIRS: usize = 4096;

fn refuse_crowds(cells: &mut RowReader<'_>, row: &AccessPolicy) {
    let pairs = row.principals.len().saturating_mul(row.resources.len());
    if pairs > MOST_PAIRS {
        let reason = format!(
            "{pairs} pairs of a principal and a resource, at most {MOST_PAIRS}: use a role or a pattern"
        );
        cells.push("principal", Problem::new(reason));
    }
}
