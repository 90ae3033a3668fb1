//! From a job's rows to its plan: what each stage needs, whether it has it, and all that is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::endpoint::endpoints;
use super::order::order;
use super::runtime_choice::choose;
use super::{
    After, Basis, Gap, PlannedOutput, PlannedSecret, Right, RunPlan, Sealing, StagePlan, Stamp,
};
use crate::error::{Code, Error};
use crate::id::{PrincipalId, SecretRef};
use crate::metadata::{
    EncryptionRule, Job, Need, OutputStorage, SecretKind, SecretReference, Snapshot, Stage, Tables,
};
use crate::policy::{Action, Columns, Context, Decision, Request, ResourceKind};

/// So many jobs are named to whoever asks for one that is not there.
const MOST_NAMED: usize = 20;

/// No row of Jobs has the number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`job:{job}`: no row of Jobs has it")]
#[non_exhaustive]
pub struct NoSuchJob {
    /// The number asked for.
    pub job: u32,
    /// The jobs that there are, in order.
    pub known: Vec<u32>,
}

impl From<NoSuchJob> for Error {
    fn from(why: NoSuchJob) -> Self {
        let shown = why.known.iter().take(MOST_NAMED);
        let shown: Vec<String> = shown.map(u32::to_string).collect();
        let help = match why.known.len().saturating_sub(shown.len()) {
            _ if shown.is_empty() => "Jobs has no rows".to_owned(),
            0 => format!("the jobs are {}", shown.join(", ")),
            more => format!("the jobs are {} and {more} more", shown.join(", ")),
        };
        Self::new(Code::NotFound, why.to_string()).with_help(help)
    }
}

/// Plans a run of a job. `decide` answers each right on the same snapshot, and says in which groups the principal is.
///
/// ```
/// # use std::sync::Arc;
/// use zt_core::metadata::Snapshot;
/// use zt_core::plan;
/// use zt_core::policy::{self, DecisionId};
///
/// fn may_run(snapshot: &Arc<Snapshot>, job: u32) -> zt_core::Result<bool> {
///     let decide = |request| policy::decide(snapshot, request, DecisionId::new(0, 0));
///     let plan = plan::resolve(snapshot, job, decide)?;
///     for gap in &plan.missing {
///         println!("{gap}"); // stage 1: `sp:…` may not `secret.get` on `secret:…`: no policy allows it
///     }
///     Ok(plan.is_runnable())
/// }
/// ```
///
/// # Errors
/// When no row of Jobs has the number. What the job lacks is in the plan and no error.
pub fn resolve(
    snapshot: &Arc<Snapshot>,
    job: u32,
    mut decide: impl FnMut(Request) -> Decision,
) -> Result<RunPlan, NoSuchJob> {
    let tables = snapshot.tables();
    let row = tables
        .jobs
        .iter()
        .find(|row| row.job_id == job)
        .ok_or_else(|| {
            let known: BTreeSet<u32> = tables.jobs.iter().map(|row| row.job_id).collect();
            NoSuchJob {
                job,
                known: known.into_iter().collect(),
            }
        })?;
    let mut plan = RunPlan {
        job,
        name: row.name.clone(),
        priority: row.priority,
        run_as: row.run_as.clone(),
        cluster: row.cluster.as_ref().and_then(|name| {
            let mut profiles = tables.cluster_profiles.iter();
            profiles.find(|profile| profile.name == *name).cloned()
        }),
        snapshot: Stamp {
            version: snapshot.version(),
            hash: snapshot.hash().to_string(),
        },
        stages: Vec::new(),
        missing: Vec::new(),
    };
    let stages = in_order(tables, job);
    if stages.is_empty() {
        plan.missing.push(Gap::NoStages { job });
    }
    for stage in stages {
        let mut resolver = Resolver {
            snapshot,
            job: row,
            stage,
            runs_as: stage.run_as.as_ref().unwrap_or(&row.run_as),
            decide: &mut decide,
            missing: &mut plan.missing,
        };
        plan.stages.push(resolver.stage());
    }
    Ok(plan)
}

fn in_order(tables: &Tables, job: u32) -> Vec<&Stage> {
    let rows = tables.stages.iter().filter(|stage| stage.job_id == job);
    let rows: BTreeMap<u32, &Stage> = rows.map(|stage| (stage.id, stage)).collect();
    let numbers: BTreeSet<u32> = rows.keys().copied().collect();
    let waits = tables.pipeline_dependencies.iter();
    let waits: Vec<(u32, u32)> = waits
        .filter(|row| row.job_id == job)
        .map(|row| (row.stage, row.after))
        .collect();
    let numbers = order(&numbers, &waits);
    numbers
        .iter()
        .filter_map(|number| rows.get(number).copied())
        .collect()
}

/// One stage on its way into the plan.
struct Resolver<'a> {
    snapshot: &'a Arc<Snapshot>,
    job: &'a Job,
    stage: &'a Stage,
    runs_as: &'a PrincipalId,
    decide: &'a mut dyn FnMut(Request) -> Decision,
    missing: &'a mut Vec<Gap>,
}

impl<'a> Resolver<'a> {
    fn stage(&mut self) -> StagePlan {
        let stage = self.stage;
        let tables = self.snapshot.tables();
        let needs = self.needs();
        let secrets = self.secrets();
        let keys = self.keys();
        let output = stage
            .output_storage
            .as_ref()
            .and_then(|name| output_of(tables, name));
        let references: Vec<&SecretRef> = secrets.iter().map(|secret| &secret.reference).collect();
        let endpoints = endpoints(self.snapshot, stage, &references, output, &keys);
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.route.is_none()) {
            self.missing.push(Gap::NoNetworkRule {
                stage: stage.id,
                host: endpoint.host.clone(),
                because: endpoint.because.clone(),
            });
        }
        let runtime = choose(tables, &endpoints).unwrap_or_else(|nearest| {
            self.missing.push(Gap::NoRuntime {
                stage: stage.id,
                nearest,
            });
            None
        });
        StagePlan {
            number: stage.id,
            kind: stage.kind.clone(),
            runs_as: self.runs_as.clone(),
            after: self.after(),
            script: stage.script.clone(),
            model: stage.model.clone(),
            needs,
            secrets,
            output: output.map(|output| planned(tables, output)),
            endpoints,
            runtime,
            cluster: self.cluster(),
        }
    }

    /// Decides as the stage will be decided when it runs: its identity, in job and stage as a grant of the
    /// orchestrator proves them.
    fn ask(&mut self, need: &Need) -> Decision {
        let context = Context::new()
            .with_job(self.job.job_id)
            .with_stage(self.stage.id)
            .with_proof(true);
        let caller = Some(self.runs_as.clone());
        let request = Request::new(caller, need.action, need.resource.clone());
        (self.decide)(request.with_context(context))
    }

    fn needs(&mut self) -> Vec<Right> {
        let mut rights = Vec::with_capacity(self.stage.needs.len());
        for need in unique(&self.stage.needs) {
            let decision = self.ask(need);
            let basis = Basis::of(&decision);
            // A refused secret is one gap, named among the secrets.
            let is_elsewhere = need.action == Action::SecretGet;
            let is_had = decision.is_allowed() && self.covers(need, &decision);
            if !is_had && !is_elsewhere {
                self.missing.push(Gap::RightRefused {
                    stage: self.stage.id,
                    runs_as: self.runs_as.clone(),
                    action: need.action,
                    resource: need.resource.clone(),
                    basis: basis.clone(),
                });
            }
            rights.push(Right {
                action: need.action,
                resource: need.resource.clone(),
                basis,
                columns: decision.columns().clone(),
                masks: decision.masks().clone(),
            });
        }
        rights
    }

    /// A right to seal some columns is none to seal the others: a sealer wants all columns of its rule.
    fn covers(&self, need: &Need, decision: &Decision) -> bool {
        if need.action != Action::DataSeal {
            return true;
        }
        let tables = self.snapshot.tables();
        let rule =
            output_of(tables, need.resource.path()).and_then(|output| rule_of(tables, output));
        let mut columns = rule.into_iter().flat_map(|rule| &rule.columns);
        columns.all(|column| decision.columns().contains(column))
    }

    /// What the stage reads: its `secrets`, and each that it needs to `secret.get`.
    fn secrets(&mut self) -> Vec<PlannedSecret> {
        let needs = self.stage.needs.iter();
        let needed = needs.filter(|need| need.action == Action::SecretGet);
        let needed = needed.map(|need| SecretRef::new(need.resource.path()));
        let all: Vec<SecretRef> = self.stage.secrets.iter().cloned().chain(needed).collect();
        let mut secrets = Vec::with_capacity(all.len());
        for reference in unique(&all) {
            let Some(row) = self.snapshot.secret_reference(reference) else {
                continue;
            };
            secrets.extend(self.secret(row));
        }
        secrets
    }

    fn secret(&mut self, row: &SecretReference) -> Option<PlannedSecret> {
        let need = Need {
            action: Action::SecretGet,
            resource: format!("secret:{}", row.id).parse().ok()?,
        };
        let decision = self.ask(&need);
        let basis = Basis::of(&decision);
        if row.kind == SecretKind::Key {
            self.missing.push(Gap::SecretIsKey {
                stage: self.stage.id,
                secret: row.id.clone(),
            });
        // A row about columns says nothing about a secret, as where it is read.
        } else if !decision.is_allowed() || *decision.columns() != Columns::All {
            self.missing.push(Gap::SecretRefused {
                stage: self.stage.id,
                runs_as: self.runs_as.clone(),
                secret: row.id.clone(),
                basis: basis.clone(),
            });
        }
        Some(PlannedSecret {
            reference: row.id.clone(),
            vault: row.vault.host().to_owned(),
            name: row.name.to_string(),
            kind: row.kind,
            version: row.version.map(|version| version.to_string()),
            ttl_s: row.ttl_s,
            rotate_days: row.rotate_days,
            basis,
        })
    }

    /// The keys under which the stage seals or opens, by its own needs.
    fn keys(&mut self) -> Vec<&'a SecretRef> {
        let tables = self.snapshot.tables();
        let mut keys = Vec::new();
        for need in unique(&self.stage.needs) {
            let uses_key = matches!(need.action, Action::DataSeal | Action::DataOpen);
            if !uses_key || need.resource.kind() != ResourceKind::Output {
                continue;
            }
            let Some(output) = output_of(tables, need.resource.path()) else {
                continue;
            };
            match rule_of(tables, output) {
                Some(rule) => keys.push(&rule.key),
                None => self.missing.push(Gap::NoEncryptionRule {
                    stage: self.stage.id,
                    action: need.action,
                    output: output.name.clone(),
                }),
            }
        }
        keys
    }

    fn after(&self) -> Vec<After> {
        let rows = self.snapshot.tables().pipeline_dependencies.iter();
        let mut after: Vec<After> = rows
            .filter(|row| row.job_id == self.job.job_id && row.stage == self.stage.id)
            .map(|row| After {
                stage: row.after,
                condition: row.condition,
            })
            .collect();
        after.sort_by_key(|after| after.stage);
        after
    }

    /// The cluster of a stage that runs code.
    fn cluster(&mut self) -> Option<String> {
        if self.stage.script.is_none() && self.stage.model.is_none() {
            return None;
        }
        if self.job.cluster.is_none() {
            self.missing.push(Gap::NoCluster {
                stage: self.stage.id,
                job: self.job.job_id,
            });
        }
        self.job.cluster.clone()
    }
}

fn output_of<'a>(tables: &'a Tables, name: &str) -> Option<&'a OutputStorage> {
    tables.output_storage.iter().find(|row| row.name == name)
}

fn rule_of<'a>(tables: &'a Tables, output: &OutputStorage) -> Option<&'a EncryptionRule> {
    let rule = output.encryption.as_ref()?;
    tables.encryption_rules.iter().find(|row| row.id == *rule)
}

fn planned(tables: &Tables, output: &OutputStorage) -> PlannedOutput {
    PlannedOutput {
        name: output.name.clone(),
        table: output.table.clone(),
        format: output.format,
        location: output.location.clone(),
        encryption: rule_of(tables, output).map(|rule| Sealing {
            rule: rule.id.clone(),
            key: rule.key.clone(),
            columns: rule.columns.clone(),
        }),
    }
}

/// Each once, in the given order.
fn unique<T: PartialEq>(all: &[T]) -> Vec<&T> {
    let mut unique: Vec<&T> = Vec::with_capacity(all.len());
    for one in all {
        if !unique.contains(&one) {
            unique.push(one);
        }
    }
    unique
}
