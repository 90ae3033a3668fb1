//! Rows that can never apply, end soon, or hold a test that nothing can pass.

use std::time::Duration;

use super::row::{Row, principals, resources};
use super::world::World;
use super::{Finding, Lint};
use crate::clock::Timestamp;
use crate::policy::attribute::BuiltIn;
use crate::policy::condition::{Claim, Fuel, is_impossible};
use crate::policy::{Condition, Effect};

/// A row that speaks of nobody, of nothing, or of nothing that can be.
pub(super) fn dead(world: &World<'_>, row: &Row<'_>, fuel: &mut Fuel) -> Option<Finding> {
    let finding = Finding::policy(Lint::Dead, &[row.policy]);
    let mut patterns = principals(row.policy).iter();
    if patterns.all(|pattern| world.is_nobody(pattern)) {
        let reason = format!("nobody is {}", listed(principals(row.policy)));
        return Some(finding.because(reason, "bind it in Role_Bindings, or remove the row"));
    }
    let mut patterns = resources(row.policy).iter();
    if patterns.all(|pattern| world.matches_nothing(pattern)) {
        let kinds = resources(row.policy).iter();
        let kinds = kinds.filter_map(|pattern| Some(pattern.kind()?.to_string()));
        let mut kinds: Vec<String> = kinds.collect();
        kinds.dedup();
        let (kinds, patterns) = (kinds.join(" or "), listed(resources(row.policy)));
        let reason = format!("no {kinds} of the tables is {patterns}");
        return Some(finding.because(reason, "correct the pattern, or remove the row"));
    }
    let reason = impossible(row, fuel)?;
    Some(finding.because(reason, "correct the condition, or remove the row"))
}

fn listed<T: ToString>(patterns: &[T]) -> String {
    let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    patterns.join(" or ")
}

/// Why the condition of a row can never have a value with which the row applies.
fn impossible(row: &Row<'_>, fuel: &mut Fuel) -> Option<String> {
    if !is_impossible(&row.applies(), fuel) {
        return None;
    }
    let effect = row.policy.effect;
    let never = match effect {
        Effect::Allow => "its condition can never be true",
        Effect::Deny => "its condition is always false, so it denies nothing",
        Effect::Restrict => "its condition is always false, so it restricts nothing",
    };
    let [_, whole] = row.applies();
    let place = if is_impossible(&[Claim::applies(&row.policy.when, effect)], fuel) {
        ""
    } else if is_impossible(&[whole], fuel) {
        " in the time of its window"
    } else {
        " where its patterns match"
    };
    let tests = impossible_tests(row, fuel);
    let because = match tests.first() {
        Some((test, _)) => format!(": {test} never is"),
        None => String::new(),
    };
    Some(format!("{never}{place}{because}"))
}

/// A row that decides, with a test that nothing can pass.
pub(super) fn never_true(row: &Row<'_>, fuel: &mut Fuel) -> Option<Finding> {
    let tests = impossible_tests(row, fuel);
    let (_, fix) = *tests.first()?;
    let named: Vec<&str> = tests.iter().map(|(test, _)| test.as_str()).collect();
    let reason = format!("{} is never true here", named.join(" and "));
    Some(Finding::policy(Lint::NeverTrue, &[row.policy]).because(reason, fix))
}

/// The tests that are never true where the row's patterns match, as text, and what to do.
fn impossible_tests(row: &Row<'_>, fuel: &mut Fuel) -> Vec<(String, &'static str)> {
    let scope = Claim::is_not_false(&row.scope);
    let tests = row.policy.when.alone().into_iter();
    // A deny of `context.proven == false` is for who proves nothing, to whom the test is unknown.
    let tests = tests.filter(|test| row.policy.effect == Effect::Allow || !is_of_proof(test));
    let never = tests.filter(|test| is_impossible(&[scope, Claim::is_true(test)], fuel));
    let mut found: Vec<_> = never.map(|test| (shown(&test), fix(&test))).collect();
    found.dedup();
    found
}

fn is_of_proof(test: &Condition) -> bool {
    let of = test.attributes();
    of.iter()
        .any(|attribute| attribute.built_in == Some(BuiltIn::Proven))
}

/// A test as text, without what a secret is compared with.
fn shown(test: &Condition) -> String {
    match test
        .attributes()
        .into_iter()
        .find(|attribute| attribute.is_secret())
    {
        Some(secret) => format!("a test of `{secret}`"),
        None => format!("`{test}`"),
    }
}

fn fix(test: &Condition) -> &'static str {
    let built_in = test.attributes().first().and_then(|first| first.built_in);
    if built_in == Some(BuiltIn::ResourcePath) {
        "write the path as the row's resource does: Unity Catalog's names are bare and in lowercase"
    } else if matches!(built_in, Some(BuiltIn::PrincipalId | BuiltIn::Author)) {
        "write `user:NAME` or `sp:NAME`, of somebody whom the row names"
    } else {
        "correct the test, or remove it"
    }
}

/// How long before its end a row is worth a word.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// A row whose time is over, or nearly: by its window, or by what its condition says of the time.
pub(super) fn ending(row: &Row<'_>, now: Timestamp, fuel: &mut Fuel) -> Option<Finding> {
    let end = end(row, now.after(SOON), fuel)?;
    if end <= now {
        let finding = Finding::policy(Lint::Dead, &[row.policy]);
        return Some(finding.because(format!("it ended at {end}"), "renew it, or remove the row"));
    }
    let finding = Finding::policy(Lint::Expiring, &[row.policy]);
    Some(finding.because(
        format!("it ends at {end}"),
        "renew it in time, if it is still needed",
    ))
}

/// The first moment, up to the last one that counts, from which the row never applies. It is one with which the row compares
/// the time, or the one after.
fn end(row: &Row<'_>, last: Timestamp, fuel: &mut Fuel) -> Option<Timestamp> {
    let moments = row.whole.moments().into_iter();
    let moments = moments.flat_map(|at| [at, at.after(Duration::from_millis(1))]);
    let [scope, applies] = row.applies();
    moments.filter(|at| *at <= last).find(|at| {
        let from_then = Condition::of_window(Some(*at), None);
        is_impossible(&[scope, applies, Claim::is_true(&from_then)], fuel)
    })
}
