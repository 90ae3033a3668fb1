//! The caller in the words of one snapshot.

use std::sync::Arc;

use crate::clock::Clock;
use crate::error::Result;
use crate::id::PrincipalId;
use crate::identity::{AuthError, Caller, Groups, Membership, Mfa};
use crate::metadata::Snapshot;
use crate::policy::{
    Action, AttributeSet, Context, Projection, Provenance, Request, Resource, Value, ValueType,
};

/// Who the caller is, which groups it is proven to be in and what it holds by that.
pub(super) struct Resolved {
    snapshot: u64,
    /// How many answers of a directory there were, and whether the last may still be told.
    groups_of: Option<(u64, bool)>,
    pub(super) id: Option<PrincipalId>,
    pub(super) groups: Arc<[PrincipalId]>,
    pub(super) groups_are_complete: bool,
    pub(super) projection: Projection,
    /// What the caller's token says of attributes.
    pub(super) proven: Arc<[(String, Value, Provenance)]>,
}

impl Resolved {
    pub(super) fn new(
        caller: &Caller,
        membership: Option<&Membership>,
        snapshot: &Snapshot,
        clock: &dyn Clock,
    ) -> Result<Self> {
        let groups_of = membership.map(|known| (known.answers(), known.is_over(clock)));
        if let Some(row) = snapshot.revocations().refusing(caller) {
            let row = row.to_owned();
            return Err(AuthError::Revoked { row }.into());
        }
        let told = membership.map(|known| known.groups(&snapshot.groups_of(caller.home()), clock));
        let groups = told.as_ref().unwrap_or_else(|| caller.groups());
        let (groups, groups_are_complete) = match groups.principals(caller.home(), snapshot)? {
            Groups::Complete(ids) => (Arc::from(ids), true),
            // Entra leaves the claim out for a caller without groups.
            Groups::NotInToken => (Arc::from([]), true),
            // Nothing is proven: rows on groups and their roles grant nothing, and their denies stand.
            Groups::Overage => (Arc::from([]), false),
        };
        let id = caller.principal(snapshot)?;
        let proven: Arc<[_]> = Arc::from(proven(caller, snapshot.attributes()));
        let mut projection = Projection::new(snapshot, id.clone(), Arc::clone(&groups));
        if !groups_are_complete {
            projection = projection.with_incomplete_groups();
        }
        Ok(Self {
            snapshot: snapshot.version(),
            groups_of,
            id,
            groups,
            groups_are_complete,
            projection: projection.with_proven(Arc::clone(&proven)),
            proven,
        })
    }
}

impl Resolved {
    /// A request of this caller, at no time yet.
    pub(super) fn request(&self, action: Action, resource: Resource, context: Context) -> Request {
        let request = Request::new(self.id.clone(), action, resource)
            .with_groups(Arc::clone(&self.groups))
            .with_context(context)
            .with_proven(Arc::clone(&self.proven));
        if self.groups_are_complete {
            request
        } else {
            request.with_incomplete_groups()
        }
    }

    /// Whether it still holds.
    pub(super) fn is_of(
        &self,
        snapshot: &Snapshot,
        membership: Option<&Membership>,
        clock: &dyn Clock,
    ) -> bool {
        let groups_of = membership.map(|known| (known.answers(), known.is_over(clock)));
        self.snapshot == snapshot.version() && self.groups_of == groups_of
    }
}

/// What a token says of the attributes that these tables know. What does not fit its attribute is unknown.
fn proven(caller: &Caller, attributes: &AttributeSet) -> Vec<(String, Value, Provenance)> {
    let mut known = Vec::new();
    let mut add = |name: String, value: Option<Value>| {
        known.extend(value.map(|value| (name, value, Provenance::Token)));
    };
    let mfa = match caller.auth_strength().mfa {
        Mfa::Yes => Some(true),
        Mfa::No => Some(false),
        Mfa::Unknown => None,
    };
    add("principal.mfa".to_owned(), mfa.map(Value::Bool));
    let contexts = caller.claim("acrs");
    let contexts = contexts.and_then(|claim| claim.value(ValueType::Set));
    add("principal.acrs".to_owned(), contexts);
    let client = caller.client().map(|client| client.id.to_string());
    add("principal.client_id".to_owned(), client.map(Value::Text));
    let tenant = caller.token().map(|_| caller.tenant().to_string());
    add("principal.tenant".to_owned(), tenant.map(Value::Text));
    let declared = attributes.all().filter(|attribute| {
        attribute.provenance == Provenance::Token
            && !AttributeSet::is_built_in(&attribute.to_string())
    });
    for attribute in declared {
        let claim = caller.claim(attribute.claim_name());
        let value = claim.and_then(|claim| claim.value(attribute.kind));
        add(
            attribute.to_string(),
            value.filter(|value| value.fits(attribute)),
        );
    }
    known
}
