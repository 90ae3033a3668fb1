//! `Stages`: the steps of a job, what each needs and reaches.

use std::fmt;
use std::str::FromStr;

use super::network_rules::check_host;
use crate::id::{PrincipalId, SecretRef};
use crate::metadata::reader::{Row, RowReader};
use crate::metadata::{Column, Problem};
use crate::policy::{Action, Resource};

/// One stage of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stage {
    /// The job.
    pub job_id: u32,
    /// The stage's number in its job.
    pub id: u32,
    /// `ETL`, `Inference`, `Storage` or what the team calls it.
    pub kind: String,
    /// Where data comes from.
    pub source: Option<String>,
    /// Where data goes.
    pub destination: Option<String>,
    /// The object copied.
    pub object: Option<String>,
    /// The script run.
    pub script: Option<String>,
    /// The form of the output.
    pub output: Option<String>,
    /// The table written.
    pub table: Option<String>,
    /// The row of ML_Models.
    pub model: Option<String>,
    /// The workload identity, if not the job's.
    pub run_as: Option<PrincipalId>,
    /// The row of Output_Storage.
    pub output_storage: Option<String>,
    /// The rights that the stage's identity must have.
    pub needs: Vec<Need>,
    /// The Secret_References that it reads.
    pub secrets: Vec<SecretRef>,
    /// The hosts that it connects to.
    pub hosts: Vec<String>,
}

/// A right that a stage needs: `table.read table:raw.loan_applications`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Need {
    /// The action.
    pub action: Action,
    /// The resource.
    pub resource: Resource,
}

impl FromStr for Need {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (action, resource) = text
            .split_once(' ')
            .ok_or("expected an action and a resource, separated by a space")?;
        let need = Self {
            action: action
                .parse()
                .map_err(|why| format!("`{action}` is {why}"))?,
            resource: resource
                .parse()
                .map_err(|why| format!("`{resource}`: {why}"))?,
        };
        if !need.action.takes(need.resource.kind()) {
            return Err(format!(
                "`{action}` does not take a {}",
                need.resource.kind()
            ));
        }
        Ok(need)
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action, self.resource)
    }
}

impl Row for Stage {
    const TABLE: &'static str = "Stages";
    const KEY: &'static [&'static str] = &["job_id", "id"];
    const COLUMNS: &'static [Column] = &[
        Column::number("job_id"),
        Column::number("id"),
        Column::text("type"),
        Column::text("source"),
        Column::text("destination"),
        Column::text("object"),
        Column::text("script"),
        Column::text("output"),
        Column::text("table"),
        Column::text("model"),
        Column::text("run_as"),
        Column::text("output_storage"),
        Column::texts("needs"),
        Column::texts("secrets"),
        Column::texts("hosts"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let (job_id, id) = (cells.required_number("job_id"), cells.required_number("id"));
        let kind = cells.required_text("type");
        let hosts = cells.texts("hosts").unwrap_or_default();
        let hosts = hosts
            .into_iter()
            .filter_map(|host| check_host(cells, "hosts", host))
            .collect();
        Some(Self {
            source: cells.optional_text("source"),
            destination: cells.optional_text("destination"),
            object: cells.optional_text("object"),
            script: cells.optional_text("script"),
            output: cells.optional_text("output"),
            table: cells.optional_text("table"),
            model: cells.optional_text("model"),
            run_as: cells.parse("run_as"),
            output_storage: cells.optional_text("output_storage"),
            needs: read_needs(cells),
            secrets: read_secrets(cells),
            hosts,
            job_id: job_id?,
            id: id?,
            kind: kind?,
        })
    }
}

fn read_needs(cells: &mut RowReader<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    for text in cells.texts("needs").unwrap_or_default() {
        match text.parse::<Need>() {
            Ok(need) => needs.push(need),
            Err(why) => cells.push("needs", Problem::new(why).text(&text)),
        }
    }
    needs
}

fn read_secrets(cells: &mut RowReader<'_>) -> Vec<SecretRef> {
    cells
        .texts("secrets")
        .unwrap_or_default()
        .iter()
        .map(|name| SecretRef::new(name))
        .collect()
}
