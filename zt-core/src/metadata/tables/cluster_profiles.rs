//! `Cluster_Profiles`: the compute that jobs may use.

use serde::Serialize;

use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};

/// One Databricks cluster shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ClusterProfile {
    /// Its name.
    pub name: String,
    /// The Azure VM size.
    pub node_type: String,
    /// The fewest workers.
    pub min_workers: u32,
    /// The most workers.
    pub max_workers: u32,
    /// Databricks' `data_security_mode`.
    pub access: Option<String>,
    /// Databricks' `azure_attributes.availability`.
    pub availability: Option<String>,
    /// The compute policy.
    pub policy_id: Option<String>,
}

/// The current names; `SINGLE_USER` and `USER_ISOLATION` are legacy aliases (Databricks SDK, `DataSecurityMode`).
const ACCESS: &[(&str, ())] = &[
    ("DATA_SECURITY_MODE_AUTO", ()),
    ("DATA_SECURITY_MODE_STANDARD", ()),
    ("DATA_SECURITY_MODE_DEDICATED", ()),
];
const AVAILABILITY: &[(&str, ())] = &[
    ("ON_DEMAND_AZURE", ()),
    ("SPOT_AZURE", ()),
    ("SPOT_WITH_FALLBACK_AZURE", ()),
];

impl Row for ClusterProfile {
    const TABLE: &'static str = "Cluster_Profiles";
    const KEY: &'static [&'static str] = &["name"];
    const COLUMNS: &'static [Column] = &[
        Column::text("name"),
        Column::text("node_type"),
        Column::number("min_workers"),
        Column::number("max_workers"),
        Column::text("access"),
        Column::text("availability"),
        Column::text("policy_id"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let name = cells.required_text("name");
        let node_type = cells.required_text("node_type");
        let min = cells.required_number("min_workers");
        let max = cells.required_number("max_workers");
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            cells.problem(
                "min_workers",
                &min.to_string(),
                format!("more than max_workers, {max}"),
            );
        }
        let access = cells
            .one_of("access", ACCESS)
            .and_then(|()| cells.optional_text("access"));
        let availability = cells
            .one_of("availability", AVAILABILITY)
            .and_then(|()| cells.optional_text("availability"));
        Some(Self {
            name: name?,
            node_type: node_type?,
            min_workers: min?,
            max_workers: max?,
            access,
            availability,
            policy_id: cells.optional_text("policy_id"),
        })
    }
}
