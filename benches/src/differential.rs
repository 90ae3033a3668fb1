//! zt beside Cedar on random policies and requests: the same kind, for the same reasons, every time.
//!
//! In: a number of decisions. Out: how many of each kind, or the first difference, made as small as it gets. Cedar's
//! authoriser is proved against its specification in Lean, so it is the one witness that shares no code with zt.

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;
use zt_core::metadata::Snapshot;
use zt_core::policy::{self, DecisionId, DecisionKind, oracle};

use crate::Outcome;
use crate::peers::cedar::{self, Cedar, Denies, Said};
use crate::peers::draw::{Aim, Asker, Spice, tenant};
use crate::peers::model::{Ask, Tenant};

/// Decisions of each comparison for `--differential`.
pub const FULL: usize = 200_000;
/// The same for `--quick`, in a few seconds.
pub const QUICK: usize = 100_000;

/// Requests to one tenant.
const ASKS: usize = 250;
/// The least share of each kind, in percent; fewer would leave a kind untested.
const LEAST: usize = 20;

/// Compares so many decisions; answers with a sentence.
///
/// # Errors
/// The first difference; or a kind that came up too rarely for the comparison to mean much; or a comparison that finds
/// nothing even where there is something.
pub fn run(decisions: usize) -> Outcome<String> {
    let mut tally = Tally::default();
    if let Some(found) = first_difference(Denies::Stand, decisions, &mut tally)? {
        return Err(found.into());
    }
    if first_difference(Denies::Fall, decisions, &mut Tally::default())?.is_none() {
        return Err("denies that fall with a missing fact went unnoticed".into());
    }
    let agreed = tally.agreed()?;
    Ok(format!("With scopes of all forms: {agreed}"))
}

const KINDS: [DecisionKind; 3] = [
    DecisionKind::Allow,
    DecisionKind::ExplicitDeny,
    DecisionKind::DefaultDeny,
];

/// What was compared.
#[derive(Default)]
pub struct Tally {
    pub tenants: usize,
    kinds: BTreeMap<&'static str, usize>,
}

impl Tally {
    /// One more decision of this kind, on which all agree.
    pub fn count(&mut self, kind: DecisionKind) {
        *self.kinds.entry(kind.as_str()).or_default() += 1;
    }

    /// How many, and what they were.
    ///
    /// # Errors
    /// A kind that came up too rarely for the comparison to mean much.
    pub fn agreed(&self) -> Outcome<String> {
        let compared = self.kinds.values().sum::<usize>();
        let mut shares = Vec::new();
        for kind in KINDS {
            let count = self.kinds.get(kind.as_str()).copied().unwrap_or_default();
            if count * 100 < compared * LEAST {
                let why = format!("only {count} of {compared} decisions are {kind}");
                return Err(why.into());
            }
            shares.push(format!("{count} {kind}"));
        }
        Ok(format!(
            "zt, its oracle and Cedar agree on {compared} decisions and their reasons, on {} tenants: {}.",
            self.tenants,
            shares.join(", ")
        ))
    }
}

/// Draws tenants and requests until so many decisions were compared, or one differs.
fn first_difference(
    denies: Denies,
    decisions: usize,
    tally: &mut Tally,
) -> Outcome<Option<String>> {
    let mut rng = Rng::with_seed(42);
    for _ in 0..decisions.div_ceil(ASKS) {
        // Small tenants most of all: their rows meet more often.
        let size = [4, 8, 16, 30, 60, 120][rng.usize(..6)];
        let tenant = tenant(&mut rng, size, Spice::Odd);
        tally.tenants += 1;
        let (snapshot, cedar) = (tenant.snapshot()?, Cedar::load(&tenant, denies)?);
        let asker = Asker::new(&tenant, Spice::Odd);
        for _ in 0..ASKS {
            let aim = match rng.u8(..100) {
                0..50 => Aim::Allow,
                50..75 => Aim::Deny,
                _ => Aim::Nowhere,
            };
            let ask = asker.ask(&mut rng, aim);
            let (ours, theirs) = both(&tenant, &snapshot, &cedar, &ask)?;
            if ours != theirs {
                return difference(&tenant, &ask, denies).map(Some);
            }
            tally.count(ours.kind);
        }
    }
    Ok(None)
}

/// Both answers.
fn both(
    tenant: &Tenant,
    snapshot: &Arc<Snapshot>,
    cedar: &Cedar,
    ask: &Ask,
) -> Outcome<(Said, Said)> {
    let (request, id) = (tenant.request(ask)?, DecisionId::new(0, 0));
    let slow = oracle::decide(snapshot, request.clone(), id);
    let decision = policy::decide(snapshot, request, id);
    if slow.kind() != decision.kind() || !slow.policies().eq(decision.policies()) {
        let why = format!(
            "zt says {decision}, its oracle {slow}, to {:?}",
            decision.request()
        );
        return Err(why.into());
    }
    let ours = Said {
        kind: decision.kind(),
        policies: decision.policies().map(ToString::to_string).collect(),
    };
    Ok((ours, cedar.decide(&cedar::request(tenant, ask)?)?))
}

/// The difference with as few policies as show one.
fn difference(tenant: &Tenant, ask: &Ask, denies: Denies) -> Outcome<String> {
    let both = |tenant: &Tenant| {
        let (snapshot, cedar) = (tenant.snapshot()?, Cedar::load(tenant, denies)?);
        both(tenant, &snapshot, &cedar, ask)
    };
    let mut least = tenant.clone();
    let mut at = 0;
    while at < least.policies.len() {
        let mut fewer = least.clone();
        fewer.policies.remove(at);
        let (ours, theirs) = both(&fewer)?;
        if ours == theirs {
            at += 1;
        } else {
            least = fewer;
        }
    }
    let (ours, theirs) = both(&least)?;
    let caller = least.callers.get(ask.caller);
    Ok(format!(
        "zt and Cedar differ\nrequest: {ask:#?}\ncaller: {caller:#?}\nroles: {:?}\nzt: {ours:?}\nCedar: {theirs:?}\n\
         policies: {:#?}\nas Cedar text:\n{}",
        least.bindings,
        least.policies,
        cedar::text(&least, denies)
    ))
}
