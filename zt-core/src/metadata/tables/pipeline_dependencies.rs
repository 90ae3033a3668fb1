//! `Pipeline_Dependencies`: which stage waits for which.

use super::words::words;
use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};

/// One edge of a job's graph.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipelineDependency {
    /// The job.
    pub job_id: u32,
    /// The stage that waits.
    pub stage: u32,
    /// The stage that it waits for.
    pub after: u32,
    /// How that stage must have ended.
    pub condition: StageOutcome,
}

/// How a stage ended, in Azure Data Factory's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StageOutcome {
    /// Well.
    Succeeded,
    /// Badly.
    Failed,
    /// Well or badly.
    Completed,
    /// It did not run.
    Skipped,
}

words!(StageOutcome {
    Succeeded = "Succeeded",
    Failed = "Failed",
    Completed = "Completed",
    Skipped = "Skipped",
});

impl Row for PipelineDependency {
    const TABLE: &'static str = "Pipeline_Dependencies";
    const KEY: &'static [&'static str] = &["job_id", "stage", "after"];
    const COLUMNS: &'static [Column] = &[
        Column::number("job_id"),
        Column::number("stage"),
        Column::number("after"),
        Column::text("condition"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let job_id = cells.required_number("job_id");
        let (stage, after) = (
            cells.required_number("stage"),
            cells.required_number("after"),
        );
        let condition = cells
            .one_of("condition", StageOutcome::WORDS)
            .unwrap_or(StageOutcome::Succeeded);
        Some(Self {
            job_id: job_id?,
            stage: stage?,
            after: after?,
            condition,
        })
    }
}
