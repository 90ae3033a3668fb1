//! Near misses: allow rows that speak of nearly a request, found through the index.
//!
//! In: a request that was refused. Out: at most [`MOST`] rows, the nearest first. On tables where more rows are near than
//! can be looked at in a moment, those whose principal the caller holds are looked at first, and the answer says that
//! there are more.

use std::collections::BTreeSet;

use super::{NOW, NearMiss, Unmet};
use crate::metadata::{AccessPolicy, Snapshot};
use crate::policy::oracle::Asking;
use crate::policy::{Projection, Request, Truth};

/// At most so many near misses are listed, the nearest first.
const MOST: usize = 8;
/// At most so many rows on the resource are looked at, and as many on other resources.
const MOST_LOOKED_AT: usize = 24;

/// The near misses, and whether there may be more.
pub(super) fn near_misses(asking: &Asking<'_>) -> (Vec<NearMiss>, bool) {
    let (snapshot, request) = (asking.snapshot, asking.request);
    let (rows, mut is_cut) = candidates(snapshot, request);
    // How far a row is at least: cheap, and mostly right.
    let mut near: Vec<((usize, bool), usize, &AccessPolicy)> = rows
        .iter()
        .filter_map(|place| {
            let row = snapshot.policy(*place)?;
            Some((distance(row, asking)?, *place, row))
        })
        .collect();
    near.sort_by_key(|(distance, place, _)| (*distance, *place));
    is_cut |= near.len() > MOST;
    near.truncate(MOST);
    let mut misses: Vec<NearMiss> = near
        .iter()
        .map(|(_, _, row)| NearMiss {
            policy: row.id.to_string(),
            unmet: unmet(row, asking),
        })
        .collect();
    misses.sort_by_key(|miss| miss.unmet.len());
    (misses, is_cut)
}

/// The places of rows that may be near, each once.
fn candidates(snapshot: &Snapshot, request: &Request) -> (BTreeSet<usize>, bool) {
    let projection = Projection::of(snapshot, request);
    let mut rows = BTreeSet::new();
    let on_it = projection.allows_on(snapshot, request, MOST_LOOKED_AT, &mut rows);
    let elsewhere = projection.allows_elsewhere(snapshot, request, MOST_LOOKED_AT, &mut rows);
    (rows, on_it || elsewhere)
}

/// The least number of things that a row misses; none for a row that is not near: it speaks of other actions, or of other
/// resources and misses something else too. Of rows as near as each other those on the resource come first.
fn distance(row: &AccessPolicy, asking: &Asking<'_>) -> Option<(usize, bool)> {
    let request = asking.request;
    if !row.speaks_of_action(request.action) {
        return None;
    }
    let is_held = asking.held.matches_any(&row.principals) == Truth::True;
    let holds = row.when.evaluate(&asking.facts) == Truth::True;
    let is_now = row.window().holds(request.now) == Truth::True;
    let is_active = asking.activation(row) == Truth::True;
    let missing = [is_held, holds, is_now, is_active];
    let missing = missing.iter().filter(|met| !**met).count();
    if row.speaks_of_resource(&request.resource) {
        return Some((missing, false));
    }
    let kind = Some(request.resource.kind());
    let is_same_kind = row.resources.iter().any(|pattern| pattern.kind() == kind);
    (missing == 0 && is_same_kind).then_some((1, true))
}

/// Everything that the row needs and does not find.
fn unmet(row: &AccessPolicy, asking: &Asking<'_>) -> Vec<Unmet> {
    let request = asking.request;
    let mut unmet = Vec::new();
    if asking.held.matches_any(&row.principals) != Truth::True {
        unmet.push(Unmet::Principal {
            needs: either(&row.principals),
        });
    }
    if asking.activation(row) != Truth::True {
        unmet.push(Unmet::Activation {
            needs: row.kind.as_str().to_owned(),
        });
    }
    unmet.extend(row.when.unmet(&asking.facts));
    if row.window().holds(request.now) != Truth::True {
        let from = row.valid_from.map(|from| format!("from {from} on"));
        let to = row.valid_to.map(|to| format!("before {to}"));
        let needs: Vec<String> = from.into_iter().chain(to).collect();
        unmet.push(Unmet::Fact {
            fact: NOW.to_owned(),
            needs: needs.join(" and "),
            is: request.now.map(|now| now.to_string()),
        });
    }
    if !row.speaks_of_resource(&request.resource) {
        unmet.push(Unmet::Resource {
            needs: either(&row.resources),
            is: request.resource.to_string(),
        });
    }
    unmet
}

/// `role:analyst or group:auditors`.
fn either(words: &[impl ToString]) -> String {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    words.join(" or ")
}
