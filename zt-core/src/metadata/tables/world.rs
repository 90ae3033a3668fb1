//! `world`: what the tables belong to. At most one row.

use crate::id::Guid;
use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};

/// The tenant and environment that the tables are about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct World {
    /// The Entra tenant.
    pub tenant: Guid,
    /// The organisation's domain.
    pub domain: Option<String>,
    /// `prod`, `test` or what the team calls it.
    pub environment: Option<String>,
}

impl Row for World {
    const TABLE: &'static str = "world";
    const KEY: &'static [&'static str] = &[];
    const COLUMNS: &'static [Column] = &[
        Column::text("tenant"),
        Column::text("domain"),
        Column::text("environment"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let tenant = cells.required("tenant", &[]);
        let domain = cells.optional_text("domain");
        let environment = cells.optional_text("environment");
        Some(Self {
            tenant: tenant?,
            domain,
            environment,
        })
    }
}
