//! Which integration runtime a stage runs on.
//!
//! It must reach every host of the stage. Among those that do: Managed before SelfHosted, then the fewest rows of
//! Network_Rules reached, then the name. A row that names a runtime is reached by that one alone, and a self-hosted
//! runtime without nodes reaches nothing.

use std::collections::BTreeSet;

use super::{Candidate, ChosenRuntime, Endpoint, Unreached};
use crate::metadata::{IntegrationRuntime, NetworkRule, RuntimeKind, Tables};

/// So many of the runtimes that come nearest are named.
const NEAREST: usize = 3;

/// The runtime that reaches every endpoint that has a row, or the nearest candidates. An endpoint without a row is a gap of
/// its own, which no runtime could close.
///
/// A stage without endpoints needs nothing to be reached, so tables without any runtime are enough for it.
pub(super) fn choose(
    tables: &Tables,
    endpoints: &[Endpoint],
) -> Result<Option<ChosenRuntime>, Vec<Candidate>> {
    let rules: Vec<&NetworkRule> = tables
        .network_rules
        .iter()
        .filter(|rule| endpoints.iter().any(|endpoint| endpoint.host == rule.host))
        .collect();
    let mut ranked: Vec<(Candidate, usize)> = tables
        .integration_runtimes
        .iter()
        .map(|runtime| candidate(runtime, &rules))
        .collect();
    ranked.sort_by(|(one, one_rows), (other, other_rows)| {
        let rank = |candidate: &Candidate, rows: usize| {
            let is_self_hosted = candidate.runtime.kind == RuntimeKind::SelfHosted;
            let lacks = (candidate.unreached.len(), candidate.has_no_nodes);
            (lacks, is_self_hosted, rows)
        };
        rank(one, *one_rows)
            .cmp(&rank(other, *other_rows))
            .then_with(|| one.runtime.name.cmp(&other.runtime.name))
    });
    match ranked.first() {
        Some((first, _)) if first.unreached.is_empty() && !first.has_no_nodes => {
            Ok(Some(first.runtime.clone()))
        }
        None if rules.is_empty() => Ok(None),
        Some(_) | None => Err(ranked
            .into_iter()
            .map(|(candidate, _)| candidate)
            .take(NEAREST)
            .collect()),
    }
}

/// What a runtime does not reach, and how many rows it reaches in all.
fn candidate(runtime: &IntegrationRuntime, rules: &[&NetworkRule]) -> (Candidate, usize) {
    let reaches: BTreeSet<&str> = runtime.reaches.iter().map(String::as_str).collect();
    let unreached = rules.iter().filter_map(|rule| {
        let other = rule.runtime.as_ref().filter(|name| **name != runtime.name);
        let is_reached = reaches.contains(rule.id.as_str()) && other.is_none();
        (!is_reached).then(|| Unreached {
            host: rule.host.clone(),
            rule: rule.id.clone(),
            reserved_for: other.cloned(),
        })
    });
    let candidate = Candidate {
        runtime: ChosenRuntime {
            name: runtime.name.clone(),
            kind: runtime.kind,
        },
        unreached: unreached.collect(),
        has_no_nodes: runtime.kind == RuntimeKind::SelfHosted && runtime.nodes == Some(0),
    };
    (candidate, reaches.len())
}
