//! A run plan as a tree for a terminal of about a hundred columns.

use std::fmt;

use super::gap::list;
use super::{Basis, Endpoint, PlannedOutput, PlannedSecret, Right, RunPlan, StagePlan};
use crate::metadata::{ClusterProfile, SecretKind};
use crate::policy::{Columns, DecisionKind};

/// The tree's first column, `secrets` and `endpoints` among them.
const LABEL: usize = 10;
/// What is decided and where it leads stands in the next column.
const NAME: usize = 46;

impl fmt::Display for RunPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "job {} {} is {}", self.job, self.name, self.outcome())?;
        writeln!(f, "  {:LABEL$}{}", "priority", self.priority)?;
        writeln!(f, "  {:LABEL$}{}", "run as", self.run_as)?;
        if let Some(cluster) = &self.cluster {
            writeln!(f, "  {:LABEL$}{}", "cluster", cluster_line(cluster))?;
        }
        let Self { snapshot, .. } = self;
        write!(
            f,
            "  {:LABEL$}version {}, sha-256 {}",
            "tables", snapshot.version, snapshot.hash
        )?;
        for stage in &self.stages {
            write!(f, "\n\n{stage}")?;
        }
        if self.missing.is_empty() {
            return Ok(());
        }
        f.write_str("\n\nmissing")?;
        for (at, gap) in (1..).zip(&self.missing) {
            write!(f, "\n{at:>3}. {gap}")?;
        }
        Ok(())
    }
}

fn cluster_line(cluster: &ClusterProfile) -> String {
    let ClusterProfile {
        min_workers,
        max_workers,
        ..
    } = cluster;
    let workers = match (min_workers, max_workers) {
        (1, 1) => "1 worker".to_owned(),
        (min, max) if min == max => format!("{min} workers"),
        (min, max) => format!("{min} to {max} workers"),
    };
    let mut line = format!("{}: {}, {workers}", cluster.name, cluster.node_type);
    if let Some(availability) = &cluster.availability {
        line.push_str(&format!(", {availability}"));
    }
    let policy = cluster
        .policy_id
        .as_ref()
        .map(|id| format!("compute policy {id}"));
    let access: Vec<String> = cluster.access.iter().cloned().chain(policy).collect();
    if !access.is_empty() {
        line.push_str(&format!("\n  {:LABEL$}{}", "", list(&access)));
    }
    line
}

impl fmt::Display for StagePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stage {} {}", self.number, self.kind)?;
        for (at, after) in self.after.iter().enumerate() {
            let before = if at == 0 { ", after" } else { " and" };
            write!(f, "{before} {} {}", after.stage, after.condition)?;
        }
        write!(f, "\n  {:LABEL$}{}", "run as", self.runs_as)?;
        if let Some(runtime) = &self.runtime {
            write!(
                f,
                "\n  {:LABEL$}{} ({})",
                "runtime", runtime.name, runtime.kind
            )?;
        }
        if let Some(cluster) = &self.cluster {
            write!(f, "\n  {:LABEL$}{cluster}", "cluster")?;
        }
        if let Some(script) = &self.script {
            write!(f, "\n  {:LABEL$}{script}", "script")?;
        }
        if let Some(model) = &self.model {
            write!(f, "\n  {:LABEL$}{model}", "model")?;
        }
        entries(f, "needs", self.needs.iter().map(need_entry))?;
        entries(f, "secrets", self.secrets.iter().map(secret_entry))?;
        entries(f, "endpoints", self.endpoints.iter().map(endpoint_entry))?;
        entries(f, "output", self.output.iter().map(output_entry))
    }
}

fn need_entry(right: &Right) -> Vec<String> {
    let mut details = Vec::new();
    match &right.columns {
        _ if right.basis.decision != DecisionKind::Allow => {}
        Columns::All => {}
        Columns::Only(only) => details.push(format!("columns {}", only.join(", "))),
        Columns::AllBut(hidden) => {
            let hidden: Vec<&String> = hidden.iter().collect();
            details.push(format!("all columns but {}", list(&hidden)));
        }
    }
    if !right.masks.is_empty() {
        let masks = right.masks.iter();
        let masks: Vec<String> = masks
            .map(|(column, mask)| format!("{column} {mask}"))
            .collect();
        details.push(format!("masked: {}", masks.join(", ")));
    }
    let what = format!("{:<12}{}", right.action.as_str(), right.resource);
    entry(&what, &basis_text(&right.basis), details)
}

fn secret_entry(secret: &PlannedSecret) -> Vec<String> {
    let mut detail = format!("{} in {}", secret.name, secret.vault);
    if let Some(version) = &secret.version {
        detail.push_str(&format!(", version {version}"));
    }
    detail.push_str(&format!(", ttl {} s", secret.ttl_s));
    if let Some(days) = secret.rotate_days {
        detail.push_str(&format!(", rotate {days} days"));
    }
    let reference = secret.reference.as_str();
    let name = match secret.kind {
        SecretKind::Secret => reference.to_owned(),
        SecretKind::Key => format!("{reference} (key)"),
    };
    entry(&name, &basis_text(&secret.basis), vec![detail])
}

fn output_entry(output: &PlannedOutput) -> Vec<String> {
    let mut details = vec![output.location.clone()];
    if let Some(rule) = &output.encryption {
        let columns = rule.columns.join(", ");
        details.push(format!("{} seals {columns} under {}", rule.rule, rule.key));
    }
    let said = format!("{} {}", output.format, output.table);
    entry(&output.name, &said, details)
}

fn endpoint_entry(endpoint: &Endpoint) -> Vec<String> {
    let because = list(&endpoint.because);
    let Some(route) = &endpoint.route else {
        return entry(
            &endpoint.host,
            "no row of Network_Rules",
            vec![format!("for {because}")],
        );
    };
    let mut path = route.mode.to_string();
    if let Some(private) = &route.private_endpoint {
        path.push_str(&format!(", {private}"));
    }
    let said = format!("{} {path}", route.rule);
    let detail = format!("port {} for {because}", list(&route.ports));
    entry(&endpoint.host, &said, vec![detail])
}

fn basis_text(basis: &Basis) -> String {
    let mut text = basis.decision.to_string();
    if !basis.policies.is_empty() {
        text.push_str(&format!(" by {}", list(&basis.policies)));
    }
    if let Some(why) = &basis.why {
        text.push_str(&format!(": {why}"));
    }
    text
}

/// A name with what is said of it behind, then more lines below.
fn entry(name: &str, said: &str, details: Vec<String>) -> Vec<String> {
    let first = format!("{name:<NAME$}  {said}");
    let details = details.into_iter().map(|detail| format!("  {detail}"));
    std::iter::once(first).chain(details).collect()
}

/// The label in front of the first line, and nothing in front of the others.
fn entries(
    f: &mut fmt::Formatter<'_>,
    label: &str,
    entries: impl Iterator<Item = Vec<String>>,
) -> fmt::Result {
    for (at, line) in entries.flatten().enumerate() {
        let label = if at == 0 { label } else { "" };
        write!(f, "\n  {label:LABEL$}{line}")?;
    }
    Ok(())
}
