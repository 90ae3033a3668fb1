//! `Integration_Runtimes`: where copies run and which destinations they reach.

use super::words::words;
use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};

/// One integration runtime of Azure Data Factory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntegrationRuntime {
    /// Its name.
    pub name: String,
    /// Who runs it.
    pub kind: RuntimeKind,
    /// The managed virtual network.
    pub vnet: Option<String>,
    /// The number of self-hosted nodes.
    pub nodes: Option<u32>,
    /// The ids of the Network_Rules that it reaches.
    pub reaches: Vec<String>,
}

/// Who runs an integration runtime, in Azure's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeKind {
    /// Azure.
    Managed,
    /// The team, on its own machines.
    SelfHosted,
}

words!(RuntimeKind {
    Managed = "Managed",
    SelfHosted = "SelfHosted",
});

impl Row for IntegrationRuntime {
    const TABLE: &'static str = "Integration_Runtimes";
    const KEY: &'static [&'static str] = &["name"];
    const COLUMNS: &'static [Column] = &[
        Column::text("name"),
        Column::text("kind"),
        Column::text("vnet"),
        Column::number("nodes"),
        Column::texts("reaches"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let name = cells.required_text("name");
        let kind = cells.required_one_of("kind", RuntimeKind::WORDS);
        Some(Self {
            vnet: cells.optional_text("vnet"),
            nodes: cells.number("nodes"),
            reaches: cells.texts("reaches").unwrap_or_default(),
            name: name?,
            kind: kind?,
        })
    }
}
