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
//! [`decide`] finds the rows through an index that is built once for a snapshot, so that its cost does not grow with the
//! number of policies; [`oracle`] looks at every row and is the reference. [`Projection::verdict`] is the same decision
//! without its reasons, for loops that must not allocate.
//!
//! A policy applies when its principal, action and resource match, the time is in its window and its condition holds (for a
//! deny: none of these is false). Rows in shadow mode never decide: [`Decision::would`] says what they would have changed.

mod action;
#[cfg(feature = "arrow")]
mod arrow;
mod attribute;
mod circumstances;
mod condition;
mod decision;
mod diff;
mod draft;
mod explain;
mod extent;
mod facts;
mod held;
mod holder;
mod index;
mod lease;
mod lint;
mod list;
mod mask;
mod obligation;
pub mod oracle;
mod outcome;
mod principal;
mod replay;
mod request;
mod resource;
mod row_filter;
mod ruling;
mod universe;
mod value;
mod view;

pub use action::{Action, ActionPattern, NotAnAction};
#[cfg(feature = "arrow")]
pub use arrow::{Answers, NotResources};
pub use attribute::{Attribute, AttributeSet, Namespace, Provenance, Sensitivity};
pub(crate) use condition::SECRET;
pub use condition::{Condition, Mistake, Truth};
pub use decision::{Columns, Decision, DecisionId, DecisionKind};
pub use diff::{Cut, Diff, DiffOptions, Flip, Universe, diff};
pub use explain::{Explanation, NearMiss, Unmet, explain};
pub use extent::{Extent, Window};
pub use facts::Facts;
pub(crate) use held::Ties;
pub use holder::{GroupsOf, Holder};
pub(crate) use index::{Index, decide_as};
pub use index::{Located, Projection, Verdict, decide};
pub use lint::{Finding, Lint, lint};
pub use list::{ListPage, ListQuery, Listed, list};
use mask::show;
pub use mask::{Mask, Masks};
pub use obligation::{AuditLevel, NotAStepUp, Obligations, StepUp};
pub use oracle::Would;
pub use principal::{NotAPrincipalPattern, PrincipalPattern};
pub use replay::{LeftOut, Replay, ReplayFlip, Replayed};
pub use request::{Context, Request};
pub(crate) use request::{Veil, nothing_of};
pub use resource::{NotAResource, Resource, ResourceKind, ResourcePattern};
pub(crate) use row_filter::NotFiltered;
#[cfg(feature = "arrow")]
pub use row_filter::NotMasked;
pub use row_filter::{Dialect, NotInDialect, RowFilter, Rows};
pub use ruling::Ruling;
pub use universe::Named;
pub(crate) use universe::named;
pub(crate) use universe::resources as named_resources;
pub(crate) use value::quoted;
pub use value::{Decimal, NotADecimal, Value, ValueType};
pub use view::Selection;
pub(crate) use view::{NotShown, View};

/// What a row of Access_Policies does when it applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new effect changes how every match reads; it must stop the build"
)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever else grants.
    #[default]
    Deny,
    /// Grants nothing, and adds its obligations to every allow that it matches.
    Restrict,
}

impl Effect {
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("allow", Self::Allow),
        ("deny", Self::Deny),
        ("restrict", Self::Restrict),
    ];

    /// As the tables write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Restrict => "restrict",
        }
    }
}

/// Whether a row of Access_Policies applies always, or while it is activated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new kind must stop the build wherever rows are judged"
)]
pub enum PolicyKind {
    /// Always.
    #[default]
    Standing,
    /// For whom and while a row of Policy_Activations says so, which somebody else approved.
    JustInTime,
    /// The same for emergencies, without an approver: each decision by it is on disk before its answer.
    BreakGlass,
}

impl PolicyKind {
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("standing", Self::Standing),
        ("jit", Self::JustInTime),
        ("break_glass", Self::BreakGlass),
    ];

    /// As the tables write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standing => "standing",
            Self::JustInTime => "jit",
            Self::BreakGlass => "break_glass",
        }
    }
}

/// Whether a row of Access_Policies takes part in decisions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new mode must stop the build wherever rows are chosen"
)]
pub enum Mode {
    /// It decides.
    #[default]
    Enforce,
    /// It is evaluated and recorded, and never decides.
    Shadow,
    /// It is ignored.
    Off,
}

impl Mode {
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("enforce", Self::Enforce),
        ("shadow", Self::Shadow),
        ("off", Self::Off),
    ];
}
