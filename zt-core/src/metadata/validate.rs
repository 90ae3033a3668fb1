//! Checks across tables: every reference leads somewhere, no id stands twice, no stage waits for itself.

mod alerts;
mod cycles;
mod dependencies;
mod described;
mod known;
mod memberships;
mod policies;

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::tables::Places;
use super::{Problem, Report, RevocationTarget, Tables};
use crate::id::PrincipalKind;
use crate::policy::{Resource, ResourceKind};
use known::Known;

/// Reports everything that is wrong between rows that are each well formed.
pub(super) fn validate(tables: &Tables, places: &Places, report: &mut Report) {
    let known = Known::of(tables, places);
    let mut check = Check {
        known: &known,
        places,
        report,
    };
    one_world(tables, check.report);
    principals(tables, &mut check);
    described::described(tables, &mut check);
    memberships::memberships(tables, &mut check);
    policies::policies(tables, &mut check);
    policies::activations(tables, &mut check);
    jobs(tables, &mut check);
    stages(tables, &mut check);
    dependencies::dependencies(tables, &mut check);
    network(tables, &mut check);
    outputs(tables, &mut check);
    alerts::alerts(tables, &mut check);
}

struct Check<'a> {
    known: &'a Known<'a>,
    places: &'a Places,
    report: &'a mut Report,
}

/// A cell of a row, for messages.
#[derive(Clone, Copy)]
struct At<'a> {
    table: &'static str,
    key: &'a str,
    column: &'static str,
}

impl Check<'_> {
    fn problem(&mut self, at: At<'_>, problem: Problem) {
        let place = self.places.of(at.table, at.key);
        self.report
            .push(problem.at(place).row(at.table, at.key).column(at.column));
    }

    /// Reports `text` unless it is one of the valid names.
    fn refers(&mut self, at: At<'_>, text: &str, target: &str, valid: &FxHashSet<&str>) {
        if !valid.contains(text) {
            let problem = Problem::new(format!("no row of {target} has it")).text(text);
            let valid: Vec<&str> = valid.iter().copied().collect();
            self.problem(at, problem.nearest(&valid));
        }
    }

    fn principal(&mut self, at: At<'_>, id: &str) {
        self.refers(at, id, "Principals", &self.known.principals);
    }

    fn workload(&mut self, at: At<'_>, id: &crate::id::PrincipalId) {
        if id.kind() == PrincipalKind::ServicePrincipal {
            self.principal(at, id.as_str());
        } else {
            let reason = "a workload runs as a service principal, `sp:`";
            self.problem(at, Problem::new(reason).text(id.as_str()));
        }
    }

    fn job(&mut self, at: At<'_>, job: u32) {
        if !self.known.jobs.contains(&job) {
            self.problem(
                at,
                Problem::new("no row of Jobs has it").text(&job.to_string()),
            );
        }
    }

    /// A resource that names a row of ours must name one that exists.
    fn resource(&mut self, at: At<'_>, resource: &Resource) {
        let known = self.known;
        let (target, valid) = match resource.kind() {
            ResourceKind::Secret => ("Secret_References", &known.secrets),
            ResourceKind::Model => ("ML_Models", &known.models),
            ResourceKind::Output => ("Output_Storage", &known.outputs),
            ResourceKind::Metadata => ("the tables' names", &known.tables),
            ResourceKind::Job => match resource.path().parse() {
                Ok(job) => return self.job(at, job),
                Err(_) => ("Jobs", &known.none),
            },
            ResourceKind::Catalog
            | ResourceKind::Schema
            | ResourceKind::Table
            | ResourceKind::View
            | ResourceKind::Volume
            | ResourceKind::Function
            | ResourceKind::Audit => return,
        };
        self.refers(at, resource.path(), target, valid);
    }
}

fn one_world(tables: &Tables, report: &mut Report) {
    if tables.world.len() > 1 {
        report.push(Problem::new("there must be at most one row").row("world", "#2"));
    }
}

fn principals(tables: &Tables, check: &mut Check<'_>) {
    let mut owners = BTreeMap::new();
    let home = tables.world.first().map(|world| world.tenant);
    for row in &tables.principals {
        let tenant = row.tenant.filter(|tenant| Some(*tenant) != home);
        if let Some(first) = owners.insert((tenant, row.oid), row.id.as_str()) {
            let at = At {
                table: "Principals",
                key: row.id.as_str(),
                column: "oid",
            };
            let reason = format!("`{first}` has this object id as well");
            check.problem(at, Problem::new(reason).text(&row.oid.to_string()));
        }
    }
    for row in &tables.revocations {
        let at = At {
            table: "Revocations",
            key: &row.id,
            column: "principal",
        };
        if let RevocationTarget::Principal(id) = &row.target {
            check.principal(at, id.as_str());
        }
    }
    for row in &tables.role_bindings {
        let key = format!("{}/{}", row.role, row.principal);
        let at = At {
            table: "Role_Bindings",
            key: &key,
            column: "principal",
        };
        check.principal(at, row.principal.as_str());
    }
}

fn jobs(tables: &Tables, check: &mut Check<'_>) {
    for row in &tables.jobs {
        let key = row.job_id.to_string();
        let at = |column| At {
            table: "Jobs",
            key: &key,
            column,
        };
        check.workload(at("run_as"), &row.run_as);
        if let Some(cluster) = &row.cluster {
            check.refers(
                at("cluster"),
                cluster,
                "Cluster_Profiles",
                &check.known.clusters,
            );
        }
    }
}

fn stages(tables: &Tables, check: &mut Check<'_>) {
    for row in &tables.stages {
        let key = format!("{}/{}", row.job_id, row.id);
        let at = |column| At {
            table: "Stages",
            key: &key,
            column,
        };
        check.job(at("job_id"), row.job_id);
        if let Some(run_as) = &row.run_as {
            check.workload(at("run_as"), run_as);
        }
        if let Some(model) = &row.model {
            check.refers(at("model"), model, "ML_Models", &check.known.models);
        }
        if let Some(output) = &row.output_storage {
            check.refers(
                at("output_storage"),
                output,
                "Output_Storage",
                &check.known.outputs,
            );
        }
        for need in &row.needs {
            check.resource(at("needs"), &need.resource);
        }
        for secret in &row.secrets {
            check.refers(
                at("secrets"),
                secret.as_str(),
                "Secret_References",
                &check.known.secrets,
            );
        }
        for host in &row.hosts {
            check.refers(
                at("hosts"),
                host,
                "Network_Rules (host)",
                &check.known.hosts,
            );
        }
    }
}

fn network(tables: &Tables, check: &mut Check<'_>) {
    let mut owners = BTreeMap::new();
    for row in &tables.network_rules {
        let at = |column| At {
            table: "Network_Rules",
            key: &row.id,
            column,
        };
        if let Some(first) = owners.insert(row.host.as_str(), row.id.as_str()) {
            let reason = format!("`{first}` is about this host as well");
            check.problem(at("host"), Problem::new(reason).text(&row.host));
        }
        if let Some(runtime) = &row.runtime {
            check.refers(
                at("runtime"),
                runtime,
                "Integration_Runtimes",
                &check.known.runtimes,
            );
        }
    }
    for row in &tables.integration_runtimes {
        let at = At {
            table: "Integration_Runtimes",
            key: &row.name,
            column: "reaches",
        };
        for rule in &row.reaches {
            check.refers(at, rule, "Network_Rules", &check.known.rules);
        }
    }
}

fn outputs(tables: &Tables, check: &mut Check<'_>) {
    for row in &tables.feature_engineering {
        let key = format!("{}/{}/{}", row.model, row.column, row.step);
        let at = At {
            table: "Feature_Engineering",
            key: &key,
            column: "model",
        };
        check.refers(at, &row.model, "ML_Models", &check.known.models);
    }
    let mut sealed = BTreeMap::new();
    for row in &tables.output_storage {
        if let Some(rule) = &row.encryption {
            // What is sealed is bound to rule and table: rows of one output would open by a right on the other.
            let bound = (row.table.to_lowercase(), rule.as_str());
            if let Some(first) = sealed.insert(bound, row.name.as_str()) {
                let at = At {
                    table: "Output_Storage",
                    key: &row.name,
                    column: "encryption",
                };
                let reason = format!("`{first}` seals the same table under this rule");
                check.problem(at, Problem::new(reason).text(rule));
            }
            let at = At {
                table: "Output_Storage",
                key: &row.name,
                column: "encryption",
            };
            check.refers(at, rule, "Encryption_Rules", &check.known.encryption);
        }
    }
    for row in &tables.encryption_rules {
        let at = At {
            table: "Encryption_Rules",
            key: &row.id,
            column: "key",
        };
        let known = check.known;
        if known.values.contains(row.key.as_str()) {
            let reason = "is a secret, not a key: its row needs kind = \"key\"";
            check.problem(at, Problem::new(reason).text(row.key.as_str()));
        } else {
            check.refers(
                at,
                row.key.as_str(),
                "Secret_References",
                &check.known.secrets,
            );
        }
    }
}
