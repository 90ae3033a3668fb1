//! A row of Access_Policies as lints look at it: its patterns, and its condition with all that is known where it applies.
//!
//! In: a policy. Out: a [`Row`].

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::id::{PrincipalId, PrincipalKind};
use crate::metadata::AccessPolicy;
use crate::policy::attribute::BuiltIn;
use crate::policy::condition::{Claim, Fuel, is_impossible};
use crate::policy::{
    Action, ActionPattern, Condition, PolicyKind, PrincipalPattern, Resource, ResourceKind,
    ResourcePattern,
};

/// Who the row speaks of.
pub(super) fn principals(policy: &AccessPolicy) -> &[PrincipalPattern] {
    &policy.principals
}

/// What it speaks of.
pub(super) fn actions(policy: &AccessPolicy) -> &[ActionPattern] {
    &policy.actions
}

/// On what.
pub(super) fn resources(policy: &AccessPolicy) -> &[ResourcePattern] {
    &policy.resources
}

/// A row that takes part in decisions, or is tried in shadow mode.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) policy: &'a AccessPolicy,
    /// Its condition and its window.
    pub(super) whole: Condition,
    /// What its patterns say of the facts: never false where it applies.
    pub(super) scope: Condition,
    /// A bit for each attribute that `whole` tests, and for each that `whole` or `scope` does.
    own_facts: u64,
    all_facts: u64,
    /// `whole` is never false, so it leaves out nobody whose facts are known.
    pub(super) is_always: bool,
}

impl<'a> Row<'a> {
    pub(super) fn new(policy: &'a AccessPolicy, fuel: &mut Fuel) -> Self {
        let window = Condition::of_window(policy.valid_from, policy.valid_to);
        let whole = policy.when.clone().and(window);
        let scope = scope(policy);
        let own_facts = facts(&whole);
        Self {
            policy,
            own_facts,
            all_facts: own_facts | facts(&scope),
            is_always: is_impossible(&[Claim::is_false(&whole)], fuel),
            whole,
            scope,
        }
    }

    /// The row applies.
    pub(super) fn applies(&self) -> [Claim<'_>; 2] {
        let applies = Claim::applies(&self.whole, self.policy.effect);
        [Claim::is_not_false(&self.scope), applies]
    }

    /// Whether it asks for nothing.
    pub(super) fn is_plain(&self) -> bool {
        self.whole == Condition::default()
    }

    /// Whether it applies without being activated.
    pub(super) fn is_standing(&self) -> bool {
        self.policy.kind == PolicyKind::Standing
    }

    /// Whether the conditions may have a fact in common: without one, neither says anything of the other.
    pub(super) fn shares_facts(&self, other: &Self) -> bool {
        self.own_facts & other.all_facts != 0
    }
}

/// A bit for each attribute; two can have the same.
fn facts(condition: &Condition) -> u64 {
    condition
        .attributes()
        .into_iter()
        .fold(0, |bits, attribute| {
            let mut hasher = DefaultHasher::new();
            (attribute.namespace.as_str(), &attribute.name).hash(&mut hasher);
            bits | 1_u64.rotate_left(u32::try_from(hasher.finish() % 64).unwrap_or_default())
        })
}

/// The facts that follow from the patterns of a row: its callers where it names each, its actions, the kinds and the path
/// of its resources.
fn scope(policy: &AccessPolicy) -> Condition {
    let parts = [
        callers(principals(policy)),
        asked(actions(policy)),
        kinds(resources(policy)),
        path(resources(policy)),
    ];
    let parts = parts.into_iter().flatten();
    parts.fold(Condition::default(), Condition::and)
}

fn callers(patterns: &[PrincipalPattern]) -> Option<Condition> {
    let named = |pattern: &'_ PrincipalPattern| match pattern {
        PrincipalPattern::One(id) if id.kind() != PrincipalKind::Group => Some(id.clone()),
        PrincipalPattern::One(_) | PrincipalPattern::Role(_) | PrincipalPattern::Any => None,
    };
    let ids: Option<Vec<_>> = patterns.iter().map(named).collect();
    let ids = ids?;
    let kinds: BTreeSet<&str> = ids
        .iter()
        .map(|id| id.kind().prefix().trim_end_matches(':'))
        .collect();
    let ids = Condition::of_words(BuiltIn::PrincipalId, ids.iter().map(PrincipalId::as_str));
    Some(ids.and(Condition::of_words(BuiltIn::PrincipalKind, kinds)))
}

fn asked(patterns: &[ActionPattern]) -> Option<Condition> {
    if patterns.contains(&ActionPattern::Any) {
        return None;
    }
    let all = patterns.iter().flat_map(|pattern| pattern.actions());
    let words: BTreeSet<&str> = all.map(Action::as_str).collect();
    Some(Condition::of_words(BuiltIn::ActionName, words))
}

fn kinds(patterns: &[ResourcePattern]) -> Option<Condition> {
    let kinds: Option<BTreeSet<&str>> = patterns
        .iter()
        .map(|pattern| pattern.kind().map(ResourceKind::as_str))
        .collect();
    Some(Condition::of_words(BuiltIn::ResourceKind, kinds?))
}

/// The whole paths, or how the only one begins.
fn path(patterns: &[ResourcePattern]) -> Option<Condition> {
    let exact: Option<Vec<_>> = patterns.iter().map(ResourcePattern::exact).collect();
    if let Some(exact) = exact {
        let paths = exact.iter().map(Resource::path);
        return Some(Condition::of_words(BuiltIn::ResourcePath, paths));
    }
    let [only] = patterns else { return None };
    let (_, path) = only.as_str().split_once(':')?;
    let (beginning, _) = path.split_once('*')?;
    // `gold.**` is `gold` too.
    let beginning = match only.parts() {
        Some((kind, _, true)) => beginning.trim_end_matches(kind.separator()),
        Some((_, _, false)) | None => beginning,
    };
    let is_some = !beginning.is_empty();
    is_some.then(|| Condition::of_beginning(BuiltIn::ResourcePath, beginning))
}
