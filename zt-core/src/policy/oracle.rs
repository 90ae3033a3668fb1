//! The slow obvious decision: every row is looked at, in the order of the specification.
//!
//! In: a snapshot and a request. Out: the decision. It is the reference that [`decide`](super::decide), which goes
//! through an index, must equal in kind, rows, columns and masks; a dispute about meaning is settled here. So it is kept
//! free of cleverness, and its cost grows with the number of policies.

use std::fmt;
use std::sync::Arc;

use super::decision::is_same_column;
use super::{
    Columns, Condition, Decision, DecisionId, DecisionKind, Effect, Facts, Masks, Mode, Request,
    Truth,
};
use crate::clock::Timestamp;
use crate::id::PolicyId;
use crate::metadata::{AccessPolicy, Held, Snapshot};

/// Decides a request on a snapshot by looking at every row. Pure: the same arguments give the same decision.
pub fn decide(snapshot: &Arc<Snapshot>, request: Request, id: DecisionId) -> Decision {
    let (kind, rows, sees) = outcome(snapshot, &request, |mode| mode == Mode::Enforce);
    Decision::new(id, kind, rows, sees, request, Arc::clone(snapshot))
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
    let held = request.held(snapshot);
    let facts = request.facts(snapshot);
    let mut shadows = snapshot
        .shadow_rows()
        .filter_map(|row| snapshot.policy(row));
    if !shadows.any(|policy| applies(policy, request, &facts, &held)) {
        return None;
    }
    let (kind, rows, _) = outcome(snapshot, request, |mode| mode != Mode::Off);
    Some(Would {
        kind,
        policies: rows
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
    let (held, facts) = (request.held(snapshot), request.facts(snapshot));
    rows.filter(|row| {
        let policy = snapshot.policy(*row);
        policy.is_some_and(|policy| applies(policy, request, &facts, &held))
    })
    .collect()
}

/// Kind, deciding rows, and what may be seen.
pub(super) type Outcome = (DecisionKind, Vec<usize>, (Columns, Masks));

fn outcome(snapshot: &Snapshot, request: &Request, takes_part: fn(Mode) -> bool) -> Outcome {
    let held = request.held(snapshot);
    let facts = request.facts(snapshot);
    let applying = |effect: Effect| -> Vec<(usize, &AccessPolicy)> {
        let policies = snapshot.tables().access_policies.iter().enumerate();
        policies
            .filter(|(_, policy)| {
                takes_part(policy.mode)
                    && policy.effect == effect
                    && applies(policy, request, &facts, &held)
            })
            .collect()
    };
    let denies = applying(Effect::Deny);
    let allows = applying(Effect::Allow);
    conclude(&denies, &allows)
}

/// The outcome of the applying rows, each list in the order of the table.
pub(super) fn conclude(
    denies: &[(usize, &AccessPolicy)],
    allows: &[(usize, &AccessPolicy)],
) -> Outcome {
    let whole_denies: Vec<usize> =
        rows(denies.iter().filter(|(_, policy)| policy.columns.is_none()));
    let columns = visible(allows, denies);
    let hides_all = matches!(&columns, Columns::Only(shown) if shown.is_empty());
    let (kind, rows) = if !whole_denies.is_empty() {
        (DecisionKind::ExplicitDeny, whole_denies)
    } else if allows.is_empty() {
        (DecisionKind::DefaultDeny, Vec::new())
    } else if hides_all {
        (DecisionKind::ExplicitDeny, rows(denies.iter()))
    } else {
        (DecisionKind::Allow, rows(allows.iter()))
    };
    let sees = if kind == DecisionKind::Allow {
        (columns, masks(allows))
    } else {
        (Columns::Only(Vec::new()), Masks::default())
    };
    (kind, rows, sees)
}

/// Whether a row applies: its action and resource match, and its principal and condition hold (a deny: are not false).
fn applies(policy: &AccessPolicy, request: &Request, facts: &Facts<'_>, held: &Held<'_>) -> bool {
    let speaks = || {
        held.matches(&policy.principal)
            .and(condition_of(policy, facts))
    };
    policy.action.matches(request.action)
        && policy.resource.matches(&request.resource)
        && suffices(speaks(), policy.effect)
}

/// Whether a row whose principal and condition have this value applies: an unknown never satisfies an allow and never
/// disarms a deny.
pub(super) fn suffices(truth: Truth, effect: Effect) -> bool {
    match truth {
        Truth::True => true,
        Truth::Unknown => effect == Effect::Deny,
        Truth::False => false,
    }
}

/// Whether [`condition_of`] gives both rows the same value for everybody under all facts, so that the index need only
/// ask one.
pub(super) fn share_condition(one: &AccessPolicy, other: &AccessPolicy) -> bool {
    one.when == other.when && one.valid_from == other.valid_from && one.valid_to == other.valid_to
}

/// Whether [`condition_of`] holds for everybody under all facts, so that the index need not ask.
pub(super) fn is_unconditional(policy: &AccessPolicy) -> bool {
    policy.when == Condition::default() && policy.valid_from.is_none() && policy.valid_to.is_none()
}

/// Whether the circumstances are those of a row: the time is in its window (`valid_from` is in it, `valid_to` is not), and
/// `when` and `condition` hold; all that the index leaves to ask. The mode of the row is not asked.
pub(super) fn condition_of(policy: &AccessPolicy, facts: &Facts<'_>) -> Truth {
    window(policy, facts.now()).and(policy.when.evaluate(facts))
}

/// Whether the time is in the row's window.
pub(super) fn window(policy: &AccessPolicy, now: Option<Timestamp>) -> Truth {
    let has_begun = policy.valid_from.map(|from| now.map(|now| now >= from));
    let is_not_over = policy.valid_to.map(|to| now.map(|now| now < to));
    let side = |side: Option<Option<bool>>| side.map_or(Truth::True, Truth::of);
    side(has_begun).and(side(is_not_over))
}

/// The union of what the allows show, less what the denies name.
fn visible(allows: &[(usize, &AccessPolicy)], denies: &[(usize, &AccessPolicy)]) -> Columns {
    let named = |rows: &[(usize, &AccessPolicy)]| -> Vec<String> {
        rows.iter()
            .filter_map(|(_, policy)| policy.columns.clone())
            .flatten()
            .collect()
    };
    let hidden = named(denies);
    if allows.iter().any(|(_, policy)| policy.columns.is_none()) {
        if hidden.is_empty() {
            return Columns::All;
        }
        return Columns::AllBut(hidden.into_iter().collect());
    }
    let mut only: Vec<String> = Vec::new();
    for column in named(allows) {
        let is_in = |list: &[String]| list.iter().any(|known| is_same_column(known, &column));
        if !is_in(&hidden) && !is_in(&only) {
            only.push(column);
        }
    }
    Columns::Only(only)
}

/// A column is masked unless some allow shows it clear; where all of them mask it, the strictest does.
fn masks(allows: &[(usize, &AccessPolicy)]) -> Masks {
    let shows_clear = |policy: &AccessPolicy, column: &str| {
        let named = |columns: &Vec<String>| columns.iter().any(|own| is_same_column(own, column));
        policy.columns.as_ref().is_none_or(named) && policy.masks.of(column).is_none()
    };
    let mut masks = Masks::default();
    let masked = allows.iter().flat_map(|(_, policy)| policy.masks.iter());
    for (column, mask) in masked {
        if !allows.iter().any(|(_, policy)| shows_clear(policy, column)) {
            masks.cover(column, mask);
        }
    }
    masks
}

fn rows<'a>(policies: impl Iterator<Item = &'a (usize, &'a AccessPolicy)>) -> Vec<usize> {
    policies.map(|(row, _)| *row).collect()
}
