//! The slow obvious decision: every row is looked at, in the order of the specification.
//!
//! In: a snapshot and a request. Out: the decision. It is the reference that [`decide`](super::decide), which goes
//! through an index, must equal in kind, rows, columns and masks; a dispute about meaning is settled here. So it is kept
//! free of cleverness, and its cost grows with the number of policies.

use std::fmt;
use std::sync::Arc;

use super::held::Held;
use super::outcome::{Applying, Outcome, conclude};
use super::{
    Condition, Decision, DecisionId, DecisionKind, Effect, Facts, Mode, PolicyKind,
    PrincipalPattern, Request, Truth,
};
use crate::id::PolicyId;
use crate::metadata::{AccessPolicy, PolicyActivation, Snapshot};

/// Decides a request on a snapshot by looking at every row. Pure: the same arguments give the same decision.
pub fn decide(snapshot: &Arc<Snapshot>, request: Request, id: DecisionId) -> Decision {
    let outcome = outcome(snapshot, &request, |mode| mode == Mode::Enforce);
    Decision::new(id, outcome, request, Arc::clone(snapshot))
}

/// What a decision would have been, had the rows in shadow mode been enforced.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Would {
    /// How it would have been decided.
    pub kind: DecisionKind,
    /// The rows that would have decided.
    pub policies: Vec<PolicyId>,
}

/// Prints `explicit_deny by AP-30`.
impl fmt::Display for Would {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        for (at, policy) in self.policies.iter().enumerate() {
            write!(f, "{}{policy}", if at == 0 { " by " } else { ", " })?;
        }
        Ok(())
    }
}

/// The same with the rows in shadow mode enforced; none when no such row applies.
pub(super) fn would(snapshot: &Snapshot, request: &Request) -> Option<Would> {
    let asking = Asking::of(snapshot, request);
    let mut shadows = snapshot
        .shadow_rows()
        .filter_map(|row| snapshot.policy(row));
    if !shadows.any(|policy| asking.is_met_by(policy)) {
        return None;
    }
    let outcome = outcome(snapshot, request, |mode| mode != Mode::Off);
    Some(Would {
        kind: outcome.kind,
        policies: outcome
            .rows
            .iter()
            .map(|row| snapshot.policy_id(*row).clone())
            .collect(),
    })
}

/// The rows in shadow mode that apply; without such rows in the tables nothing is asked.
pub(super) fn shadows(snapshot: &Snapshot, request: &Request) -> Vec<usize> {
    let mut rows = snapshot.shadow_rows().peekable();
    if rows.peek().is_none() {
        return Vec::new();
    }
    let asking = Asking::of(snapshot, request);
    rows.filter(|row| {
        let policy = snapshot.policy(*row);
        policy.is_some_and(|policy| asking.is_met_by(policy))
    })
    .collect()
}

fn outcome(snapshot: &Snapshot, request: &Request, takes_part: fn(Mode) -> bool) -> Outcome {
    let asking = Asking::of(snapshot, request);
    let mut applying = Applying::default();
    let policies = snapshot.tables().access_policies.iter().enumerate();
    for (place, policy) in policies.filter(|(_, policy)| takes_part(policy.mode)) {
        if !asking.is_met_by(policy) {
            continue;
        }
        match policy.effect {
            Effect::Deny => applying.denies.push((place, policy)),
            Effect::Allow => applying.allows.push((place, policy)),
            Effect::Restrict => {
                applying.restricts.push((place, policy));
                if suffices(asking.weakness(policy), Effect::Restrict) {
                    applying.gates.push((place, policy));
                }
            }
        }
    }
    conclude(&applying, &asking.facts)
}

/// What rows are held against.
pub(super) struct Asking<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) request: &'a Request,
    pub(super) held: Held<'a>,
    pub(super) facts: Facts<'a>,
}

impl<'a> Asking<'a> {
    pub(super) fn of(snapshot: &'a Snapshot, request: &'a Request) -> Self {
        Self {
            snapshot,
            request,
            held: request.held(snapshot),
            facts: request.facts(snapshot),
        }
    }

    /// Whether a row applies: its action and resource match, and its principal, its activation and its circumstances do (a
    /// deny, a restriction: are not known not to).
    fn is_met_by(&self, policy: &AccessPolicy) -> bool {
        let speaks = || {
            self.held
                .matches_any(&policy.principals)
                .and(self.activation(policy))
                .and(condition_of(policy, &self.facts))
        };
        policy.speaks_of_action(self.request.action)
            && policy.speaks_of_resource(&self.request.resource)
            && suffices(speaks(), policy.effect)
    }

    /// Whether a row is activated for the caller now; a standing one always is.
    pub(super) fn activation(&self, policy: &AccessPolicy) -> Truth {
        if policy.kind == PolicyKind::Standing {
            return Truth::True;
        }
        let rows = self.snapshot.activations(&policy.id);
        rows.map(|row| self.is_active(row))
            .fold(Truth::False, Truth::or)
    }

    /// The activations by which a row applies, or may.
    pub(super) fn activated_by(
        &self,
        policy: &AccessPolicy,
    ) -> impl Iterator<Item = &'a PolicyActivation> {
        let rows = self.snapshot.activations(&policy.id);
        rows.filter(|row| self.is_active(row) != Truth::False)
    }

    fn is_active(&self, row: &PolicyActivation) -> Truth {
        let principal = PrincipalPattern::One(row.principal.clone());
        let is_now = row.window().holds(self.request.now);
        self.held.matches(&principal).and(is_now)
    }

    /// Whether the caller has not signed in as strongly as a restriction demands.
    fn weakness(&self, policy: &AccessPolicy) -> Truth {
        weakness(policy, &self.facts)
    }
}

/// Whether the caller has not signed in as strongly as a row demands; a row that demands nothing never says so.
pub(super) fn weakness(policy: &AccessPolicy, facts: &Facts<'_>) -> Truth {
    let step_up = policy.obligations.step_up;
    step_up.map_or(Truth::False, |step_up| facts.strength(step_up).not())
}

/// Whether a row whose principal and condition have this value applies: an unknown never satisfies an allow, and never
/// disarms a deny or a restriction.
pub(super) fn suffices(truth: Truth, effect: Effect) -> bool {
    match truth {
        Truth::True => true,
        Truth::Unknown => effect != Effect::Allow,
        Truth::False => false,
    }
}

/// Whether [`condition_of`] gives both rows the same value for everybody under all facts, so that the index need only
/// ask one.
pub(super) fn share_condition(one: &AccessPolicy, other: &AccessPolicy) -> bool {
    let is_standing = |row: &AccessPolicy| row.kind == PolicyKind::Standing;
    one.when == other.when
        && one.window() == other.window()
        && is_standing(one)
        && is_standing(other)
}

/// Whether [`condition_of`] holds for everybody under all facts, and no activation is needed, so that the index need not ask.
pub(super) fn is_unconditional(policy: &AccessPolicy) -> bool {
    policy.when == Condition::default()
        && policy.window().is_always()
        && policy.kind == PolicyKind::Standing
}

/// Whether the circumstances are those of a row: the time is in its window (`valid_from` is in it, `valid_to` is not), and
/// `when` and `condition` hold. Its mode and its activation are not asked.
pub(super) fn condition_of(policy: &AccessPolicy, facts: &Facts<'_>) -> Truth {
    policy
        .window()
        .holds(facts.now())
        .and(policy.when.evaluate(facts))
}
