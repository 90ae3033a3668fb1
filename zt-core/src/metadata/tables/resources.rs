//! `Resources`: what the owner of the tables says about resources: their attributes.

use super::NamedCells;
use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};
use crate::policy::ResourcePattern;

/// What is said of one resource, or of all below one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ResourceRow {
    /// One resource, or a subtree (`table:raw.**`). Of several rows the nearest to a resource that has an attribute says it.
    pub resource: ResourcePattern,
    /// The same as the row spells it, which is its key.
    pub(in crate::metadata) spelt: String,
    /// Values of attributes of the namespace `resource` with provenance `store`, by name.
    pub attributes: NamedCells,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What it is, in words.
    pub description: Option<String>,
}

impl Row for ResourceRow {
    const TABLE: &'static str = "Resources";
    const KEY: &'static [&'static str] = &["resource"];
    const COLUMNS: &'static [Column] = &[
        Column::text("resource"),
        Column::map("attributes"),
        Column::text("owner"),
        Column::text("description"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let resource: Option<ResourcePattern> = cells.required("resource", &[]);
        let attributes = NamedCells::read(cells);
        let (owner, description) = (
            cells.optional_text("owner"),
            cells.optional_text("description"),
        );
        let resource = resource?;
        // It was read above, so there is a text.
        let spelt = cells.text("resource")?.to_owned();
        if resource.subtree_root().is_none() {
            let reason = "expected one resource or a subtree such as `table:raw.**`, without `*`";
            cells.problem("resource", resource.as_str(), reason);
            return None;
        }
        Some(Self {
            resource,
            spelt,
            attributes: attributes?,
            owner,
            description,
        })
    }
}
