//! Principals: the readable name that rows use, and the Entra object id that tokens carry.

use super::NamedCells;
use crate::id::{Guid, PrincipalId};
use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};

/// One user, group or service principal.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Principal {
    /// The readable id: `user:maya`.
    pub id: PrincipalId,
    /// The Entra object id.
    pub oid: Guid,
    /// The Entra tenant that the object id belongs to; none for the home tenant.
    pub tenant: Option<Guid>,
    /// Values of attributes of the namespace `principal` with provenance `store`, by name.
    pub attributes: NamedCells,
}

impl Row for Principal {
    const TABLE: &'static str = "Principals";
    const KEY: &'static [&'static str] = &["id"];
    const COLUMNS: &'static [Column] = &[
        Column::text("id"),
        Column::text("oid"),
        Column::text("tenant"),
        Column::map("attributes"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let (id, oid) = (cells.required("id", &[]), cells.required("oid", &[]));
        let tenant = match cells.cell("tenant") {
            None => Some(None),
            Some(_) => cells.required("tenant", &[]).map(Some),
        };
        let attributes = NamedCells::read(cells);
        Some(Self {
            id: id?,
            oid: oid?,
            tenant: tenant?,
            attributes: attributes?,
        })
    }
}
