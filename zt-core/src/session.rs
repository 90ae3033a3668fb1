//! One verified caller's hands: every effect starts here.
//!
//! In: names of actions, resources and secrets. Out: decisions, permits, secrets. Each call decides anew on the snapshot
//! in force and stands in the audit log before its answer; when the log cannot be written, the answer is an error.

#[cfg(feature = "arrow")]
mod arrow;
mod authzen;
mod check;
mod claims;
mod grant;
mod list;
mod merge;
mod obligations;
mod permit;
mod plan;
mod proof;
mod question;
mod record;
mod refusal;
mod report;
mod resolved;
mod seal;
mod secret;
mod seen;
mod shadowed;
mod soon;
mod standing;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use arc_swap::ArcSwapOption;

pub use grant::GrantRequest;
pub use merge::Merged;
pub use permit::Permit;
use proof::Proof;
pub use question::{claim, fact, parse, parse_action};
pub(crate) use record::record_about;
use resolved::Resolved;
use secret::Reads;
pub use secret::SecretHandle;
use seen::Seen;
use shadowed::Shadowed;
pub use soon::{Soon, Waiting};

use crate::audit::{self, Entry};
use crate::error::Result;
use crate::identity::{Caller, Groups, Membership};
use crate::metadata::Snapshot;
use crate::numbered::Numbered;
use crate::policy::{self, Action, Context, Decision, Explanation, Resource};
use crate::runtime::shared::Shared;

/// What one authenticated caller may do. Cheap to clone; safe across threads. Ends when the caller's token does.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
    caller: Caller,
    /// What a directory says of the caller's groups, where the token does not.
    membership: Option<Arc<Membership>>,
    context: Context,
    resolved: Arc<Numbered<Arc<Resolved>>>,
    /// The caller in the words of the tables that are tried in shadow.
    shadowed: Arc<ArcSwapOption<Shadowed>>,
    seen: Arc<Seen>,
    /// What it was told of secrets a moment ago.
    reads: Arc<Reads>,
    /// Under which keys the caller was found proven last.
    proven_under: Arc<AtomicU64>,
    /// The token's end on the monotonic tick: a wall clock set back does not revive it.
    ends: Option<Duration>,
    /// The grant that proves job and stage.
    proof: Option<Arc<Proof>>,
}

impl Session {
    /// A session of a verified caller. Where a token has no room for the caller's groups and there is a directory to ask, they
    /// are asked for first; without an answer they stay unknown.
    pub(crate) async fn open(shared: Arc<Shared>, caller: Caller) -> Result<Self> {
        let membership = match (&shared.groups, caller.groups()) {
            // No claim can mean no group, or an application that does not ask for the claim.
            (Some(directory), Groups::Overage | Groups::NotInToken) => {
                let about = shared.snapshots.current().groups_of(caller.home());
                Some(directory.of(caller.member(), &about).await)
            }
            (Some(_) | None, _) => None,
        };
        Self::new(shared, caller, membership)
    }

    fn new(
        shared: Arc<Shared>,
        caller: Caller,
        membership: Option<Arc<Membership>>,
    ) -> Result<Self> {
        let snapshot = shared.snapshots.current();
        let clock = &*shared.clock;
        let resolved = Resolved::new(&caller, membership.as_deref(), &snapshot, clock)?;
        let left = caller.expires_at().map(|end| {
            let end = end.after(shared.profile.skew());
            let left_ms = end
                .as_millis()
                .saturating_sub(shared.clock.now().as_millis());
            Duration::from_millis(u64::try_from(left_ms).unwrap_or(0))
        });
        Ok(Self {
            ends: left.map(|left| shared.clock.elapsed().saturating_add(left)),
            shared,
            caller,
            membership,
            context: Context::new(),
            proven_under: Arc::default(),
            resolved: Arc::new(Numbered::new(Arc::new(resolved))),
            shadowed: Arc::default(),
            seen: Arc::new(Seen::default()),
            reads: Arc::default(),
            proof: None,
        })
    }

    /// Why the caller's groups are not known, where a directory was asked for them.
    pub(crate) fn unknown_groups(&self) -> Option<String> {
        self.membership
            .as_ref()
            .and_then(|membership| membership.error())
    }

    /// The verified caller.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The caller's readable id, or `oid:…` when no row of Principals names it.
    #[must_use]
    pub fn name(&self) -> String {
        self.resolved
            .load()
            .id
            .as_ref()
            .map_or_else(|| self.caller.to_string(), ToString::to_string)
    }

    /// The facts that this session claims.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Whether the caller may do this now, under the claimed job and stage.
    ///
    /// # Errors
    /// `Invalid` for an unknown action, a malformed resource or an action that does not take it; `Unauthenticated` after
    /// the token's end; `Unavailable` when the audit log cannot be written. A deny is a decision, not an error.
    pub fn check(&self, action: &str, resource: &str) -> Result<Decision> {
        self.check_in(action, resource, self.context.clone())
    }

    /// The same under a context of its own, such as the author of a change.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_in(&self, action: &str, resource: &str, context: Context) -> Result<Decision> {
        let (action, resource) = parse(action, resource)?;
        let decision = self.decide(action, resource, context)?;
        self.record(&decision)?;
        Ok(decision)
    }

    /// A permit for this, or the refusal as an error.
    ///
    /// # Errors
    /// `Denied` with the decision; else as [`check`](Self::check).
    pub fn require(&self, action: &str, resource: &str) -> Result<Permit> {
        self.require_in(action, resource, self.context.clone())
    }

    /// The same under a context of its own, such as the author of a change.
    ///
    /// # Errors
    /// As [`require`](Self::require).
    pub fn require_in(&self, action: &str, resource: &str, context: Context) -> Result<Permit> {
        let decision = self.check_in(action, resource, context)?;
        self.permitted(decision)
    }

    /// What a recorded decision permits.
    fn permitted(&self, decision: Decision) -> Result<Permit> {
        if decision.is_allowed() {
            Ok(Permit::new(decision))
        } else {
            Err(self.denied(&decision))
        }
    }

    /// A decision in full, with its near misses, of this caller or another.
    ///
    /// # Errors
    /// `Denied` unless this caller may `policy.explain` the decision's resource: near misses tell an attacker what to
    /// claim. Else as [`check`](Self::check).
    pub fn explain(&self, decision: &Decision) -> Result<Explanation> {
        let resource = decision.request().resource.clone();
        let right = self.decide(Action::PolicyExplain, resource, self.context.clone())?;
        self.record(&right)?;
        if right.is_allowed() {
            Ok(policy::explain(decision))
        } else {
            Err(self.denied(&right))
        }
    }

    /// The newest `count` records of the audit log, oldest first; near misses only where this caller may
    /// `policy.explain` the resource.
    ///
    /// # Errors
    /// `Denied` unless this caller may `audit.read` `audit:log`; `Integrity` for a log that cannot be read.
    pub fn audit_tail(&self, count: usize) -> Result<Vec<Entry>> {
        let _permit = self.require("audit.read", "audit:log")?;
        self.shared.audit.flush()?;
        let mut entries = audit::tail(&self.shared.audit_folder, count, |_| true)?;
        for entry in entries
            .iter_mut()
            .filter(|entry| !entry.near_misses.is_empty())
        {
            let may_see = match entry.resource.parse() {
                Ok(resource) => self
                    .decide(Action::PolicyExplain, resource, self.context.clone())?
                    .is_allowed(),
                Err(_) => false,
            };
            if !may_see {
                entry.near_misses.clear();
            }
        }
        Ok(entries)
    }

    fn decide(&self, action: Action, resource: Resource, context: Context) -> Result<Decision> {
        self.decide_on(&self.shared.snapshots.current(), action, resource, context)
    }

    fn decide_on(
        &self,
        snapshot: &Arc<Snapshot>,
        action: Action,
        resource: Resource,
        context: Context,
    ) -> Result<Decision> {
        self.shared.refuse_closed()?;
        self.refuse_expired()?;
        self.refuse_stale(action, &resource)?;
        let resolved = self.resolve(snapshot)?;
        let context = self.proving(context);
        let request = resolved
            .request(action, resource, context)
            .at(self.shared.clock.now());
        let id = self.shared.next_decision();
        let decision = policy::decide_as(snapshot, &resolved.projection, request, id);
        if let Some(trial) = &*self.shared.shadows.in_trial() {
            self.compare(&decision, trial);
        }
        Ok(decision)
    }

    fn resolve(&self, snapshot: &Snapshot) -> Result<Arc<Resolved>> {
        let resolved = self.resolved.load_full();
        let membership = self.membership.as_ref();
        if let (Some(membership), Some(directory)) = (membership, &self.shared.groups) {
            directory.ask_if_due(membership, &snapshot.groups_of(self.caller.home()));
        }
        let clock = &*self.shared.clock;
        if resolved.is_of(snapshot, membership.map(Arc::as_ref), clock) {
            return Ok(resolved);
        }
        let membership = membership.map(Arc::as_ref);
        let resolved = match Resolved::new(&self.caller, membership, snapshot, clock) {
            Ok(resolved) => Arc::new(resolved),
            Err(error) => {
                self.record_ended(error.message())?;
                return Err(error);
            }
        };
        self.resolved.store(Arc::clone(&resolved));
        Ok(resolved)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("caller", &self.name())
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}
