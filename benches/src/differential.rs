//! zt beside Cedar on random policies and requests: the same kind, for the same reasons, every time.
//!
//! In: a number of decisions. Out: how many of each kind, or the first difference, made as small as it gets. Cedar's
//! authoriser is proved against its specification in Lean, so it is the one witness that shares no code with zt.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use zt_core::policy::{self, DecisionId, DecisionKind};

use crate::Outcome;
use crate::peers::cedar::{self, Cedar, Said};
use crate::peers::draw::{Aim, Asker, Spice, tenant};
use crate::peers::model::{Ask, Tenant};

/// Decisions for `--differential`.
pub const FULL: usize = 200_000;
/// Decisions for `--quick`.
pub const QUICK: usize = 20_000;

/// Requests to one tenant.
const ASKS: usize = 250;
/// The least share of each kind, in percent; fewer would leave a kind untested.
const LEAST: usize = 20;

/// Compares so many decisions; answers with a sentence.
///
/// # Errors
/// The first difference; or a kind that came up too rarely for the comparison to mean much.
pub fn run(decisions: usize) -> Outcome<String> {
    let mut rng = Rng::with_seed(42);
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut compared, mut tenants) = (0, 0);
    while compared < decisions {
        // Small tenants most of all: their rows meet more often.
        let size = [4, 8, 16, 30, 60, 120][rng.usize(..6)];
        let tenant = tenant(&mut rng, size, Spice::Odd);
        tenants += 1;
        let (snapshot, cedar) = (tenant.snapshot()?, Cedar::load(&tenant)?);
        let asker = Asker::new(&tenant, Spice::Odd);
        for _ in 0..ASKS {
            let aim = match rng.u8(..100) {
                0..50 => Aim::Allow,
                50..75 => Aim::Deny,
                _ => Aim::Nowhere,
            };
            let ask = asker.ask(&mut rng, aim);
            let decision = policy::decide(&snapshot, tenant.request(&ask)?, DecisionId::new(0, 0));
            let ours = Said {
                kind: decision.kind(),
                policies: decision.policies().map(ToString::to_string).collect(),
            };
            let theirs = cedar.decide(&cedar::request(&tenant, &ask)?)?;
            if ours != theirs {
                return Err(difference(&tenant, &ask)?.into());
            }
            *found.entry(ours.kind.as_str()).or_default() += 1;
            compared += 1;
        }
    }
    let kinds = [
        DecisionKind::Allow,
        DecisionKind::ExplicitDeny,
        DecisionKind::DefaultDeny,
    ];
    let mut shares = Vec::new();
    for kind in kinds {
        let count = found.get(kind.as_str()).copied().unwrap_or_default();
        if count * 100 < compared * LEAST {
            let why = format!("only {count} of {compared} decisions are {kind}");
            return Err(why.into());
        }
        shares.push(format!("{count} {kind}"));
    }
    Ok(format!(
        "zt and Cedar agree on {compared} decisions and their reasons, on {tenants} tenants: {}.",
        shares.join(", ")
    ))
}

/// Both answers of a tenant.
fn both(tenant: &Tenant, ask: &Ask) -> Outcome<(Said, Said)> {
    let id = DecisionId::new(0, 0);
    let decision = policy::decide(&tenant.snapshot()?, tenant.request(ask)?, id);
    let policies: BTreeSet<String> = decision.policies().map(ToString::to_string).collect();
    let kind = decision.kind();
    let theirs = Cedar::load(tenant)?.decide(&cedar::request(tenant, ask)?)?;
    Ok((Said { kind, policies }, theirs))
}

/// The difference with as few policies as show one.
fn difference(tenant: &Tenant, ask: &Ask) -> Outcome<String> {
    let mut least = tenant.clone();
    let mut at = 0;
    while at < least.policies.len() {
        let mut fewer = least.clone();
        fewer.policies.remove(at);
        let (ours, theirs) = both(&fewer, ask)?;
        if ours == theirs {
            at += 1;
        } else {
            least = fewer;
        }
    }
    let (ours, theirs) = both(&least, ask)?;
    let caller = least.callers.get(ask.caller);
    Ok(format!(
        "zt and Cedar differ\nrequest: {ask:#?}\ncaller: {caller:#?}\nroles: {:?}\nzt: {ours:?}\nCedar: {theirs:?}\n\
         policies: {:#?}\nas Cedar text:\n{}",
        least.bindings,
        least.policies,
        cedar::text(&least)
    ))
}
