//! Whether one row says everything that another says.

use std::collections::BTreeSet;

use crate::id::PrincipalId;
use crate::metadata::{AccessPolicy, Snapshot};
use crate::policy::condition::Condition;
use crate::policy::{Effect, Mode, PrincipalPattern};
use crate::text::fold;

/// Whether `one` applies wherever `other` does, and shows or hides at least as much.
pub(super) fn covers(snapshot: &Snapshot, one: &AccessPolicy, other: &AccessPolicy) -> bool {
    let within = |resource| one.resources.iter().any(|wide| wide.covers(resource));
    let meant = |principal| {
        let mut wide = one.principals.iter();
        wide.any(|wide| covers_principal(snapshot, wide, principal))
    };
    let mut actions = other.actions.iter().flat_map(|narrow| narrow.actions());
    other.resources.iter().all(within)
        && actions.all(|action| one.speaks_of_action(action))
        && other.principals.iter().all(meant)
        && (one.when == Condition::default() || one.when == other.when)
        && covers_columns(one, other)
        && covers_time(one, other)
}

/// A row that does not decide covers none that does, and a row covers what applies within its own window.
fn covers_time(one: &AccessPolicy, other: &AccessPolicy) -> bool {
    let begins = match (one.valid_from, other.valid_from) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(one), Some(other)) => one <= other,
    };
    let ends = match (one.valid_to, other.valid_to) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(one), Some(other)) => one >= other,
    };
    begins && ends && one.mode == Mode::Enforce
}

fn covers_principal(snapshot: &Snapshot, one: &PrincipalPattern, other: &PrincipalPattern) -> bool {
    match (one, other) {
        (PrincipalPattern::Any, _) => true,
        (_, PrincipalPattern::Any) => false,
        (PrincipalPattern::One(one), PrincipalPattern::One(other)) => one == other,
        // A person may be in the group, or not: the tables do not know.
        (PrincipalPattern::One(_), PrincipalPattern::Role(_)) => false,
        (PrincipalPattern::Role(one), PrincipalPattern::Role(other)) if one == other => true,
        (PrincipalPattern::Role(_), _) => {
            let others = holders(snapshot, other);
            !others.is_empty() && others.is_subset(&holders(snapshot, one))
        }
    }
}

/// The principals of the tables that a row's principal is bound to.
pub(super) fn holders(snapshot: &Snapshot, pattern: &PrincipalPattern) -> BTreeSet<PrincipalId> {
    match pattern {
        PrincipalPattern::Any => BTreeSet::new(),
        PrincipalPattern::One(id) => BTreeSet::from([id.clone()]),
        PrincipalPattern::Role(role) => {
            let bindings = snapshot.tables().role_bindings.iter();
            bindings
                .filter(|row| row.role == *role)
                .map(|row| row.principal.clone())
                .collect()
        }
    }
}

/// A deny of columns hides less than a deny of all; an allow with masks shows less than one without.
fn covers_columns(one: &AccessPolicy, other: &AccessPolicy) -> bool {
    let within = |few: &[String], many: &[String]| {
        let is_in = |column: &String| many.iter().any(|own| fold(own) == fold(column));
        few.iter().all(is_in)
    };
    let columns = match (&one.columns, &other.columns) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(many), Some(few)) => within(few, many),
    };
    let masks = one.masks.is_empty() || one.masks == other.masks || one.effect == Effect::Deny;
    columns && masks
}
