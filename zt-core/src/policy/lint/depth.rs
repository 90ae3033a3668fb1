//! `table:gold.x` and `table:main.gold.x`: requests in one depth miss rows in the other.

use std::collections::HashMap;

use super::row::{Row, resources};
use super::{Finding, Lint};
use crate::metadata::AccessPolicy;
use crate::policy::{ResourceKind, ResourcePattern};

pub(super) fn mixed_depth(rows: &[Row<'_>]) -> Vec<Finding> {
    // The first row that names a longer path, by what the path ends with.
    let mut longer: HashMap<(ResourceKind, &str), (&AccessPolicy, &ResourcePattern)> =
        HashMap::new();
    let patterns = || {
        rows.iter().flat_map(|row| {
            let patterns = resources(row.policy).iter();
            patterns.filter_map(|pattern| Some((row.policy, pattern, path(pattern)?)))
        })
    };
    for (policy, pattern, (kind, path)) in patterns() {
        for end in ends(path) {
            longer.entry((kind, end)).or_insert((policy, pattern));
        }
    }
    let found = patterns().filter_map(|(policy, pattern, place)| {
        let (long, longer) = longer.get(&place)?;
        let rows: &[&AccessPolicy] = if policy.id == long.id {
            &[policy]
        } else {
            &[policy, long]
        };
        let finding = Finding::policy(Lint::MixedDepth, rows);
        let reason = format!("{pattern} and {longer} are two resources");
        Some(finding.because(reason, "write all names in one depth"))
    });
    found.collect()
}

/// The path of a table or view. A subtree of all depths misses none.
fn path(pattern: &ResourcePattern) -> Option<(ResourceKind, &str)> {
    let separates_by_dots = |kind: &ResourceKind| kind.has_columns() && kind.separator() == '.';
    let kind = pattern.kind().filter(separates_by_dots)?;
    let (_, path) = pattern.as_str().split_once(':')?;
    (path != "**").then_some((kind, path))
}

/// What stands behind each point, at most [`MOST_ENDS`] of them.
fn ends(path: &str) -> impl Iterator<Item = &str> {
    let behind = path
        .match_indices('.')
        .filter_map(|(at, _)| path.get(at.saturating_add(1)..));
    behind.take(MOST_ENDS)
}

/// A table of Unity Catalog has three names.
const MOST_ENDS: usize = 8;
