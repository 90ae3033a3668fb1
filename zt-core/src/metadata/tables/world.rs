//! `world`: what the tables belong to. At most one row.

use crate::id::Guid;
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
    const COLUMNS: &'static [&'static str] = &["tenant", "domain", "environment"];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        Some(Self {
            tenant: cells.required("tenant", &[])?,
            domain: cells.optional_text("domain"),
            environment: cells.optional_text("environment"),
        })
    }
}
