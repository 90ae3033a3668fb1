//! Decides whether a caller may act on a resource. Deny is the default.
//!
//! In: a [`Request`] (caller, groups, action, resource, context) and a snapshot. Out: a [`Decision`] with the rows that
//! decided; [`explain`] computes the rest off the hot path. Never: any I/O, any state.
//!
//! The semantics (order-free, deny wins, three-valued) are those of NIST SP 800-162's deny-overrides with Kleene logic on
//! missing facts: **an unknown never satisfies an allow and never disarms a deny.**
//!
//! - any applying deny without `columns` → [`DecisionKind::ExplicitDeny`]
//! - else any applying allow → [`DecisionKind::Allow`]; its columns are the union over the applying allows, less those
//!   that an applying deny names. When nothing is left, the decision is an explicit deny.
//! - else → [`DecisionKind::DefaultDeny`]
//!
//! A policy applies when its principal, action and resource match and its condition holds (for a deny: is not false).

mod action;
mod condition;
mod decision;
mod diff;
mod explain;
mod holder;
mod list;
mod mask;
mod oracle;
mod principal;
mod replay;
mod request;
mod resource;
mod ruling;
mod universe;

pub use action::{Action, ActionPattern, NotAnAction};
pub use condition::{Atom, Condition, Truth};
pub use decision::{Columns, Decision, DecisionId, DecisionKind};
pub use diff::{Cut, Diff, DiffOptions, Flip, Universe, diff};
pub use explain::{Explanation, NearMiss, Unmet, explain};
pub use holder::{GroupsOf, Holder};
pub use list::{ListPage, ListQuery, Listed, list};
pub(crate) use mask::show;
pub use mask::{Mask, Masks};
pub use oracle::decide;
pub use principal::{NotAPrincipalPattern, PrincipalPattern};
pub use replay::{LeftOut, Replay, ReplayFlip, Replayed};
pub use request::{Context, Request};
pub use resource::{NotAResource, Resource, ResourceKind, ResourcePattern};
pub use ruling::Ruling;
pub use universe::Named;

/// What a row of Access_Policies does when it applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "`restrict` will change how every match reads; it must stop the build"
)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever else grants.
    #[default]
    Deny,
}

impl Effect {
    /// As the tables write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}
