//! Whether one row says everything that another says.
//!
//! In: two rows. Out: whether, for every request to which `other` applies, `one` applies too and shows or hides at least as
//! much. Yes is sure; no means not known.

use super::row::{Row, actions, principals, resources};
use super::world::World;
use crate::metadata::AccessPolicy;
use crate::policy::condition::{Claim, Fuel, implies};
use crate::policy::{ActionPattern, Effect, Masks, Mode, PrincipalPattern, ResourcePattern};
use crate::text::fold;

/// Whether `one` applies wherever `other` does, and shows or hides at least as much.
pub(super) fn covers(world: &World<'_>, one: &Row<'_>, other: &Row<'_>, fuel: &mut Fuel) -> bool {
    // A row that does not decide, or only while it is activated, covers none that does.
    one.policy.mode == Mode::Enforce
        && one.is_standing()
        && covers_kind(one.policy, other.policy)
        && covers_rows(one.policy, other.policy)
        && covers_scope(world, one.policy, other.policy)
        && covers_condition(one, other, fuel)
}

/// Whether an allow and a deny speak of exactly the same: the same scope, and one condition is true when the other is.
pub(super) fn are_opposites(
    world: &World<'_>,
    one: &Row<'_>,
    other: &Row<'_>,
    fuel: &mut Fuel,
) -> bool {
    let mut is_true_with = |one: &Row<'_>, other: &Row<'_>| {
        let given = [
            Claim::is_not_false(&other.scope),
            Claim::is_true(&other.whole),
        ];
        one.whole == other.whole || implies(&given, Claim::is_true(&one.whole), fuel)
    };
    covers_scope(world, one.policy, other.policy)
        && covers_scope(world, other.policy, one.policy)
        && is_true_with(one, other)
        && is_true_with(other, one)
}

/// Whether every principal, action, resource and column of `other` is one of `one`.
fn covers_scope(world: &World<'_>, one: &AccessPolicy, other: &AccessPolicy) -> bool {
    covers_resources(resources(one), resources(other))
        && covers_actions(actions(one), actions(other))
        && covers_principals(world, principals(one), principals(other))
        && covers_columns(one, other)
}

/// What is done by a row that is activated is recorded otherwise than by a standing one.
fn covers_kind(one: &AccessPolicy, other: &AccessPolicy) -> bool {
    match (one.effect, other.effect) {
        (Effect::Allow, Effect::Allow) => one.kind == other.kind,
        (Effect::Deny, Effect::Allow | Effect::Deny) => true,
        (Effect::Allow, Effect::Deny | Effect::Restrict)
        | (Effect::Deny, Effect::Restrict)
        | (Effect::Restrict, _) => false,
    }
}

/// A row about some rows of data reaches less far than one about all. A deny of the same rows hides what an allow shows, and
/// leaves an allow of nothing.
fn covers_rows(one: &AccessPolicy, other: &AccessPolicy) -> bool {
    let is_same = one.row_condition == other.row_condition && one.rows == other.rows;
    let is_of_all = one.row_condition.is_none() && one.rows.is_none();
    is_of_all || (is_same && one.effect == other.effect)
}

/// The same condition has the same truth; what is true is also not false.
fn covers_condition(one: &Row<'_>, other: &Row<'_>, fuel: &mut Fuel) -> bool {
    // An allow never covers a deny, so that what makes the one apply makes the other apply.
    if one.is_plain() || one.whole == other.whole {
        return true;
    }
    if !one.shares_facts(other) && !one.is_always {
        return false;
    }
    let then = Claim::applies(&one.whole, one.policy.effect);
    implies(&other.applies(), then, fuel)
}

fn covers_resources(one: &[ResourcePattern], other: &[ResourcePattern]) -> bool {
    let is_in = |pattern: &ResourcePattern| one.iter().any(|wide| wide.covers(pattern));
    other.iter().all(is_in)
}

fn covers_actions(one: &[ActionPattern], other: &[ActionPattern]) -> bool {
    let mut asked = other.iter().flat_map(|pattern| pattern.actions());
    // A later version may have more actions: what is any stays wider than all that there are.
    one.contains(&ActionPattern::Any)
        || (!other.contains(&ActionPattern::Any)
            && asked.all(|action| one.iter().any(|pattern| pattern.matches(action))))
}

fn covers_principals(
    world: &World<'_>,
    one: &[PrincipalPattern],
    other: &[PrincipalPattern],
) -> bool {
    let is_in = |pattern: &PrincipalPattern| {
        one.iter()
            .any(|wide| covers_principal(world, wide, pattern))
    };
    other.iter().all(is_in)
}

fn covers_principal(world: &World<'_>, one: &PrincipalPattern, other: &PrincipalPattern) -> bool {
    match (one, other) {
        (PrincipalPattern::Any, _) => true,
        (_, PrincipalPattern::Any) => false,
        (PrincipalPattern::One(one), PrincipalPattern::One(other)) => one == other,
        // A person may be in the group, or not: the tables do not know.
        (PrincipalPattern::One(_), PrincipalPattern::Role(_)) => false,
        (PrincipalPattern::Role(one), PrincipalPattern::Role(other)) if one == other => true,
        (PrincipalPattern::Role(one), PrincipalPattern::Role(other)) => {
            match (world.always(one), world.holders(other)) {
                (Some(one), Some(other)) => other.is_subset(one),
                (_, None) | (None, _) => false,
            }
        }
        (PrincipalPattern::Role(one), PrincipalPattern::One(other)) => world
            .always(one)
            .is_some_and(|holders| holders.contains(other)),
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
    columns && covers_masks(&one.masks, other)
}

/// Whether nothing changes about masks when `other` is gone. Where both mask a column the stricter mask counts, so `other`
/// must not be the stricter one.
fn covers_masks(one: &Masks, other: &AccessPolicy) -> bool {
    if other.effect == Effect::Allow {
        let shows = |column: &str| {
            let named = |columns: &Vec<String>| columns.iter().any(|own| fold(own) == column);
            other.columns.as_ref().is_none_or(named)
        };
        let mut masked = one.iter().filter(|(column, _)| shows(column));
        return masked.all(|(column, mask)| {
            let own = other.masks.of(column);
            own.is_some_and(|own| own <= mask)
        });
    }
    true
}
