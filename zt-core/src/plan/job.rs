//! A run plan as data: what prints as a tree for people and serializes to JSON for tools.

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::json::{text, texts};
use super::{Endpoint, Gap};
use crate::id::{PolicyId, PrincipalId, SecretRef};
use crate::metadata::{
    ClusterProfile, OutputFormat, Priority, RuntimeKind, SecretKind, StageOutcome,
};
use crate::policy::{Action, Columns, Decision, DecisionKind, Masks, Resource};

/// Everything that one run of a job needs, and everything that it lacks.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[must_use = "a plan says whether the job may run"]
pub struct RunPlan {
    /// The job's number.
    pub job: u32,
    /// Its name.
    pub name: String,
    /// How urgent it is.
    pub priority: Priority,
    /// The identity of its stages, unless a stage names its own.
    pub run_as: PrincipalId,
    /// The compute of the stages that run code.
    pub cluster: Option<ClusterProfile>,
    /// The tables that it was planned on.
    pub snapshot: Stamp,
    /// The stages, each after all that it waits for; ties by number.
    pub stages: Vec<StagePlan>,
    /// Every reason why the job may not run, in the order of the stages.
    pub missing: Vec<Gap>,
}

/// Which tables: version and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stamp {
    /// The version, which counts up with every change that was taken.
    pub version: u64,
    /// The SHA-256 of the content, 64 hexadecimal digits.
    pub hash: String,
}

/// One stage, resolved.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StagePlan {
    /// Its number in the job.
    pub number: u32,
    /// `ETL`, `Inference`, `Storage` or what the team calls it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The identity that it runs as.
    #[serde(serialize_with = "text")]
    pub runs_as: PrincipalId,
    /// What it waits for.
    pub after: Vec<After>,
    /// The script that it runs.
    pub script: Option<String>,
    /// The model that it runs.
    pub model: Option<String>,
    /// The rights that it needs, each decided.
    pub needs: Vec<Right>,
    /// The secrets that it reads, each decided.
    pub secrets: Vec<PlannedSecret>,
    /// Where its output goes.
    pub output: Option<PlannedOutput>,
    /// Every host that it connects to, each once, in order of the name.
    pub endpoints: Vec<Endpoint>,
    /// The integration runtime that reaches all of them; none where no runtime does.
    pub runtime: Option<ChosenRuntime>,
    /// The name of the cluster profile, where the stage runs code: a script or a model.
    pub cluster: Option<String>,
}

/// A stage waits for another one, which must have ended so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct After {
    /// The number of that stage.
    pub stage: u32,
    /// How it must have ended.
    pub condition: StageOutcome,
}

/// How something was decided, and by which rows. No near misses: those need `policy.explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Basis {
    /// How.
    #[serde(serialize_with = "text")]
    pub decision: DecisionKind,
    /// The rows that decided; none for a default deny.
    #[serde(serialize_with = "texts")]
    pub policies: Vec<PolicyId>,
    /// The reason in words that these rows give.
    pub why: Option<String>,
}

impl Basis {
    pub(super) fn of(decision: &Decision) -> Self {
        Self {
            decision: decision.kind(),
            policies: decision.policies().cloned().collect(),
            why: decision.why().map(str::to_owned),
        }
    }
}

/// A right that a stage needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Right {
    /// The action.
    #[serde(serialize_with = "text")]
    pub action: Action,
    /// On what.
    #[serde(serialize_with = "text")]
    pub resource: Resource,
    /// How it was decided.
    #[serde(flatten)]
    pub basis: Basis,
    /// The columns that may be seen. JSON: null for all, else `{"only": […]}` or `{"all_but": […]}`.
    #[serde(serialize_with = "columns")]
    pub columns: Columns,
    /// The visible columns whose cells are masked, and how.
    #[serde(serialize_with = "masks")]
    pub masks: Masks,
}

/// A secret that a stage reads: where it lies, never what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedSecret {
    /// The row of Secret_References.
    #[serde(serialize_with = "text")]
    pub reference: SecretRef,
    /// The host of its vault.
    pub vault: String,
    /// Its name in the vault.
    pub name: String,
    /// A secret to read; a key among them is a gap.
    pub kind: SecretKind,
    /// The pinned version; none means the current one.
    pub version: Option<String>,
    /// How long a value may be served from the cache, in seconds; 0 means never.
    pub ttl_s: u32,
    /// After how many days a new value is due.
    pub rotate_days: Option<u32>,
    /// How `secret.get` on it was decided.
    #[serde(flatten)]
    pub basis: Basis,
}

/// Where a stage's output goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedOutput {
    /// The row of Output_Storage.
    pub name: String,
    /// The table written.
    pub table: String,
    /// Its format.
    pub format: OutputFormat,
    /// Where it lies.
    pub location: String,
    /// How it is sealed; none means plain.
    pub encryption: Option<Sealing>,
}

/// How an output is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sealing {
    /// The row of Encryption_Rules.
    pub rule: String,
    /// The key encryption key: a row of Secret_References.
    #[serde(serialize_with = "text")]
    pub key: SecretRef,
    /// The columns that are sealed.
    pub columns: Vec<String>,
}

/// The integration runtime of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ChosenRuntime {
    /// Its name.
    pub name: String,
    /// Who runs it.
    pub kind: RuntimeKind,
}

impl RunPlan {
    /// Whether nothing is missing.
    #[must_use]
    pub const fn is_runnable(&self) -> bool {
        self.missing.is_empty()
    }

    /// The outcome in one line: `runnable: nothing missing`, `not runnable: job has no stages`, `not runnable: 3 things
    /// are missing`.
    #[must_use]
    pub fn outcome(&self) -> String {
        match self.missing.as_slice() {
            [] => "runnable: nothing missing".to_owned(),
            [gap] => format!("not runnable: {gap}"),
            gaps => format!("not runnable: {} things are missing", gaps.len()),
        }
    }
}

impl Serialize for RunPlan {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut plan = to.serialize_struct("RunPlan", 9)?;
        plan.serialize_field("job", &self.job)?;
        plan.serialize_field("name", &self.name)?;
        plan.serialize_field("runnable", &self.is_runnable())?;
        plan.serialize_field("priority", &self.priority)?;
        plan.serialize_field("run_as", self.run_as.as_str())?;
        plan.serialize_field("cluster", &self.cluster)?;
        plan.serialize_field("snapshot", &self.snapshot)?;
        plan.serialize_field("stages", &self.stages)?;
        plan.serialize_field("missing", &self.missing)?;
        plan.end()
    }
}

fn columns<S: Serializer>(columns: &Columns, to: S) -> Result<S::Ok, S::Error> {
    match columns {
        Columns::All => to.serialize_none(),
        Columns::Only(only) => to.collect_map([("only", only)]),
        Columns::AllBut(hidden) => to.collect_map([("all_but", hidden)]),
    }
}

fn masks<S: Serializer>(masks: &Masks, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(masks.iter().map(|(column, mask)| (column, mask.as_str())))
}
