//! When two records are repeats of each other.

use std::hash::{Hash, Hasher};

use super::Record;

/// A record as the key under which its repeats are counted: equal but for when it was, its decision, what nearly decided and
/// what of its lists was left out. The rest of it stays with the first.
#[derive(Debug)]
pub(in super::super) struct Repeat(pub(in super::super) Record);

impl PartialEq for Repeat {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&self.0, &other.0);
        (one.kind, one.outcome, one.tenant, one.oid)
            == (other.kind, other.outcome, other.tenant, other.oid)
            && one.caller == other.caller
            && one.action == other.action
            && one.resource == other.resource
            && one.policies == other.policies
            && one.snapshot == other.snapshot
            && one.facts == other.facts
            && one.detail == other.detail
    }
}

impl Eq for Repeat {}

impl Hash for Repeat {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Record {
            kind,
            outcome,
            caller,
            tenant,
            oid,
            action,
            resource,
            policies,
            snapshot,
            facts,
            detail,
            at: _,
            decision: _,
            near_misses: _,
            omitted: _,
        } = &self.0;
        (kind, outcome, caller, tenant, oid).hash(state);
        (action, resource, policies, snapshot, facts, detail).hash(state);
    }
}
