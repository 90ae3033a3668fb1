//! What a decision would be under the tables that are tried in shadow.
//!
//! In: a decision as it was made. Out: a count in the trial. Never: another answer, an error, or a record in the audit log.

use std::sync::{Arc, Weak};

use super::Session;
use super::resolved::Resolved;
use crate::metadata::Snapshot;
use crate::policy::{self, Decision, Ruling};
use crate::runtime::shadow::Trial;

/// The caller in the words of the snapshot of one trial.
pub(super) struct Shadowed {
    /// Held so that no other snapshot lies at its place, and not kept alive.
    snapshot: Weak<Snapshot>,
    resolved: Arc<Resolved>,
}

impl Session {
    /// Decides the same request on the snapshot of the trial and counts both.
    pub(super) fn compare(&self, decision: &Decision, trial: &Trial) {
        // A reload may have come between: what was decided on other tables says nothing about this trial.
        if !trial.is_against(decision.snapshot()) {
            return;
        }
        let would = self.resolve_for(trial).map(|resolved| {
            let asked = decision.request();
            let (resource, context) = (asked.resource.clone(), asked.context.clone());
            let request = resolved.request(asked.action, resource, context);
            let request = match asked.now {
                Some(now) => request.at(now),
                None => request,
            };
            let (snapshot, id) = (trial.snapshot(), decision.id());
            let would = policy::decide_as(snapshot, &resolved.projection, request, id);
            Ruling::of(&would)
        });
        trial.count(decision, would, || self.name());
    }

    /// None where the tables in shadow would end this session: they revoke its token, or name its caller twice.
    fn resolve_for(&self, trial: &Trial) -> Option<Arc<Resolved>> {
        let (snapshot, clock) = (trial.snapshot(), &*self.shared.clock);
        let membership = self.membership.as_deref();
        if let Some(known) = &*self.shadowed.load()
            && known.snapshot.as_ptr() == Arc::as_ptr(snapshot)
            && known.resolved.is_of(snapshot, membership, clock)
        {
            return Some(Arc::clone(&known.resolved));
        }
        let resolved = Resolved::new(&self.caller, membership, snapshot, clock).ok()?;
        let resolved = Arc::new(resolved);
        self.shadowed.store(Some(Arc::new(Shadowed {
            snapshot: Arc::downgrade(snapshot),
            resolved: Arc::clone(&resolved),
        })));
        Some(resolved)
    }
}
