//! `Jobs`: what runs, as whom, how urgent.

use super::words::words;
use crate::id::PrincipalId;
use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// Its number.
    pub job_id: u32,
    /// Its name.
    pub name: String,
    /// The workload identity of its stages, unless a stage names its own.
    pub run_as: PrincipalId,
    /// How urgent it is.
    pub priority: Priority,
    /// The row of Cluster_Profiles.
    pub cluster: Option<String>,
}

/// How urgent a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Priority {
    /// First: on-demand nodes, first in every budget.
    Critical,
    /// Neither.
    Normal,
    /// Last: spot nodes, yields every budget.
    Batch,
}

words!(Priority {
    Critical = "critical",
    Normal = "normal",
    Batch = "batch",
});

impl Row for Job {
    const TABLE: &'static str = "Jobs";
    const KEY: &'static [&'static str] = &["job_id"];
    const COLUMNS: &'static [Column] = &[
        Column::number("job_id"),
        Column::text("name"),
        Column::text("run_as"),
        Column::text("priority"),
        Column::text("cluster"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let job_id = cells.required_number("job_id");
        let name = cells.required_text("name");
        let run_as = cells.required("run_as", &[]);
        let priority = cells
            .one_of("priority", Priority::WORDS)
            .unwrap_or(Priority::Normal);
        let cluster = cells.optional_text("cluster");
        Some(Self {
            job_id: job_id?,
            name: name?,
            run_as: run_as?,
            priority,
            cluster,
        })
    }
}
