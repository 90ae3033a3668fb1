//! What a diff asks: an action on a resource, under the facts and at the moments that can matter to it.

use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::id::PrincipalId;
use crate::metadata::Snapshot;
use crate::policy::universe::{self, Claims, Tested};
use crate::policy::{Action, Context, Holder, Named};

/// An action on a resource that rows speak of, and what these rows test.
pub(super) struct Question {
    pub(super) action: Action,
    pub(super) resource: Named,
    pub(super) tested: Tested,
}

impl Question {
    /// The contexts that matter to it.
    pub(super) fn contexts(
        &self,
        claims: &Claims,
        snapshots: &[&Snapshot],
        holder: &Holder,
    ) -> Vec<Context> {
        if !self.tested.facts {
            return vec![Context::new()];
        }
        let contexts = claims.contexts(&self.tested);
        if !self.tested.author {
            return contexts;
        }
        let mut all = Vec::new();
        for author in self.authors(snapshots, holder) {
            let named = contexts.iter().cloned().map(|context| match &author {
                Some(author) => context.with_author(author.clone()),
                None => context,
            });
            all.extend(named);
        }
        all
    }

    /// Whom it is asked with as the author of a change.
    pub(super) fn authors(
        &self,
        snapshots: &[&Snapshot],
        holder: &Holder,
    ) -> Vec<Option<PrincipalId>> {
        if self.tested.author {
            universe::authors(snapshots, holder.id(), &self.tested.authors)
        } else {
            vec![None]
        }
    }

    /// The moments beside that of the load at which it is asked: each with which a row that speaks of it compares the time,
    /// and the milliseconds around it. Between two of them no row changes but by the time of day.
    pub(super) fn moments(&self) -> BTreeSet<Timestamp> {
        let around = |at: &Timestamp| {
            [-1, 0, 1].map(|ms| Timestamp::from_millis(at.as_millis().saturating_add(ms)))
        };
        self.tested.moments.iter().flat_map(around).collect()
    }
}
