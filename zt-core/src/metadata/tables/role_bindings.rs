//! `Role_Bindings`: who holds which role.

use super::extents::read_extent;
use crate::id::{PrincipalId, RoleName};
use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};
use crate::policy::Extent;

/// One holder of one role.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleBinding {
    /// The role, without the prefix `role:`.
    pub role: RoleName,
    /// Who holds it.
    pub principal: PrincipalId,
    /// Where and when it counts (`scope`, `valid_from`, `valid_to`).
    pub extent: Extent,
}

impl Row for RoleBinding {
    const TABLE: &'static str = "Role_Bindings";
    const KEY: &'static [&'static str] = &["role", "principal"];
    const COLUMNS: &'static [Column] = &[
        Column::text("role"),
        Column::text("principal"),
        Column::texts("scope"),
        Column::text("valid_from"),
        Column::text("valid_to"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let (role, principal) = (
            cells.required_text("role"),
            cells.required("principal", &[]),
        );
        let extent = read_extent(cells);
        let role = role?;
        if role.contains(':') || role.chars().any(char::is_whitespace) {
            cells.problem(
                "role",
                &role,
                "a role is a name without spaces and without `role:`",
            );
            return None;
        }
        Some(Self {
            role: RoleName::new(&role),
            principal: principal?,
            extent: extent?,
        })
    }
}
