//! `Resources`: what the owner of the tables says about resources: their attributes.

use crate::metadata::reader::{Row, RowReader};
use crate::metadata::{Cell, Column, Problem};
use crate::policy::ResourcePattern;

/// What is said of one resource, or of all below one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ResourceRow {
    /// One resource, or a subtree (`table:raw.**`). Of several rows the nearest to a resource that has an attribute says it.
    pub resource: ResourcePattern,
    /// Values of attributes of the namespace `resource` with provenance `store`, by name.
    pub attributes: Vec<(String, Cell)>,
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
        let attributes = read_attributes(cells);
        let (owner, description) = (
            cells.optional_text("owner"),
            cells.optional_text("description"),
        );
        let resource = resource?;
        if resource.subtree_root().is_none() {
            let reason = "expected one resource or a subtree such as `table:raw.**`, without `*`";
            cells.problem("resource", resource.as_str(), reason);
            return None;
        }
        Some(Self {
            resource,
            attributes: attributes?,
            owner,
            description,
        })
    }
}

/// The cell `attributes`: values by name, not yet checked against Attributes.
pub(super) fn read_attributes(cells: &mut RowReader<'_>) -> Option<Vec<(String, Cell)>> {
    match cells.cell("attributes") {
        None => Some(Vec::new()),
        Some(Cell::Map(named)) => Some(named.clone()),
        Some(other) => {
            let reason = "expected a table such as { classification = \"pii\" }";
            cells.push("attributes", Problem::new(reason).text(&other.to_string()));
            None
        }
    }
}
