//! `Memberships`: who is in which group beside what Entra's tokens say: nested groups, and memberships that count on some
//! resources or for some time.

use super::extents::read_extent;
use crate::id::{PrincipalId, PrincipalKind};
use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};
use crate::policy::Extent;

/// One member of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Membership {
    /// Who is in the group: a user, a service principal or another group.
    pub member: PrincipalId,
    /// The group.
    pub group: PrincipalId,
    /// Where and when it counts (`scope`, `valid_from`, `valid_to`).
    pub extent: Extent,
}

impl Row for Membership {
    const TABLE: &'static str = "Memberships";
    const KEY: &'static [&'static str] = &["member", "group"];
    const COLUMNS: &'static [Column] = &[
        Column::text("member"),
        Column::text("group"),
        Column::texts("scope"),
        Column::text("valid_from"),
        Column::text("valid_to"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let member = cells.required("member", &[]);
        let group: Option<PrincipalId> = cells.required("group", &[]);
        let extent = read_extent(cells);
        let group = group?;
        if group.kind() != PrincipalKind::Group {
            cells.problem("group", group.as_str(), "expected `group:NAME`");
            return None;
        }
        Some(Self {
            member: member?,
            group,
            extent: extent?,
        })
    }
}
