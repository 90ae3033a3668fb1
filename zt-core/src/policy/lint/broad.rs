//! Allows of everybody or of everything.

use super::row::{Row, actions, principals, resources};
use super::{Finding, Lint};
use crate::policy::attribute::{BuiltIn, Namespace};
use crate::policy::{Action, ActionPattern, Effect, PrincipalPattern, ResourceKind};

pub(super) fn over_broad(row: &Row<'_>) -> Option<Finding> {
    let speaks_of = match row.policy.effect {
        Effect::Allow => speaks_of(row)?,
        Effect::Deny | Effect::Restrict => return None,
    };
    let asks = if row.is_plain() {
        ""
    } else if row.is_always {
        ", for its condition is never false"
    } else {
        " for which its condition holds"
    };
    let finding = Finding::policy(Lint::OverBroad, &[row.policy]);
    Some(finding.because(
        format!("it allows {speaks_of}{asks}"),
        "name what is needed",
    ))
}

fn speaks_of(row: &Row<'_>) -> Option<&'static str> {
    let (principals, actions) = (principals(row.policy), actions(row.policy));
    let mut patterns = resources(row.policy).iter();
    // Who is not activated for a row does not have it.
    if principals.contains(&PrincipalPattern::Any)
        && row.is_standing()
        && !narrows(row, Namespace::Principal)
    {
        return Some("every verified caller");
    }
    if actions.contains(&ActionPattern::Any) && !narrows(row, Namespace::Action) {
        return Some("every action");
    }
    let explains = ActionPattern::One(Action::PolicyExplain);
    if patterns.any(|pattern| pattern.kind().is_none())
        && actions.iter().any(|action| *action != explains)
        && !narrows(row, Namespace::Resource)
    {
        return Some("every resource");
    }
    let mut patterns = resources(row.policy).iter();
    let reads = actions.iter().any(|one| one.matches(Action::SecretGet));
    let is_open = patterns
        .any(|pattern| pattern.kind() == Some(ResourceKind::Secret) && pattern.exact().is_none());
    if reads && is_open && !narrows(row, Namespace::Resource) {
        return Some("secrets that do not exist yet");
    }
    None
}

/// Whether the condition can tell callers, actions or resources apart. The kind of a caller tells nobody apart.
fn narrows(row: &Row<'_>, namespace: Namespace) -> bool {
    let tells = row.whole.telling_attributes().any(|attribute| {
        attribute.namespace == namespace && attribute.built_in != Some(BuiltIn::PrincipalKind)
    });
    tells && !row.is_always
}
