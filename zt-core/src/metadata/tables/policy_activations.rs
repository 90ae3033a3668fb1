//! `Policy_Activations`: for whom and how long a row of Access_Policies that is not standing applies, and why.

use super::extents::read_window;
use crate::clock::Timestamp;
use crate::id::{PolicyId, PrincipalId};
use crate::metadata::reader::{Row, RowReader};
use crate::metadata::{Column, Problem};
use crate::policy::Window;

/// One activation of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyActivation {
    /// The row of Access_Policies, of kind `jit` or `break_glass`.
    pub policy: PolicyId,
    /// For whom: a user, a service principal, or the members of a group. The row must speak of the caller too.
    pub principal: PrincipalId,
    /// From when on (`from`).
    pub from: Timestamp,
    /// Until before when (`to`).
    pub to: Timestamp,
    /// Why, in words.
    pub reason: String,
    /// The ticket under which it was asked for.
    pub ticket: Option<String>,
    /// Who approved it.
    pub approver: Option<PrincipalId>,
    /// Its key as the row writes it: a moment can be written in several ways.
    pub(crate) key: String,
}

impl PolicyActivation {
    /// When it counts.
    #[must_use]
    pub const fn window(&self) -> Window {
        Window::new(Some(self.from), Some(self.to))
    }
}

impl Row for PolicyActivation {
    const TABLE: &'static str = "Policy_Activations";
    const KEY: &'static [&'static str] = &["policy", "principal", "from"];
    const COLUMNS: &'static [Column] = &[
        Column::text("policy"),
        Column::text("principal"),
        Column::text("from"),
        Column::text("to"),
        Column::text("reason"),
        Column::text("ticket"),
        Column::text("approver"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let policy = cells.required_text("policy");
        let principal = cells.required("principal", &[]);
        for column in ["from", "to"] {
            if cells.cell(column).is_none() {
                cells.push(
                    column,
                    Problem::new("missing: an activation ends by itself"),
                );
            }
        }
        let window = read_window(cells, ("from", "to"));
        let reason = cells.required_text("reason");
        let ticket = cells.optional_text("ticket");
        let approver = match cells.cell("approver") {
            None => Some(None),
            Some(_) => cells.required("approver", &[]).map(Some),
        };
        Some(Self {
            policy: PolicyId::new(&policy?),
            principal: principal?,
            from: window.from?,
            to: window.to?,
            reason: reason?,
            ticket,
            approver: approver?,
            key: cells.key().to_owned(),
        })
    }
}
