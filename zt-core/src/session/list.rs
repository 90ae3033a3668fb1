//! What the caller may, and, for those who may see it, what others may.

use std::sync::Arc;

use super::Session;
use crate::audit::{Durability, Kind, Outcome, Record};
use crate::error::{Code, Error, Result};
use crate::metadata::Snapshot;
use crate::policy::{
    self, Action, Context, GroupsOf, Holder, ListPage, ListQuery, Resource, ResourceKind,
};

/// How a listing of one's own rights stands in the log; it is no action that a policy could refuse.
const LISTED: &str = "policy.list";

impl Session {
    /// What this caller may under the facts that this session claims, a page at a time. Needs no right: each cell could be
    /// learned by [`check`](Self::check). One effect in the audit log stands for the page.
    ///
    /// A query for more, such as what another job or stage would allow or what is denied, tells what to claim. It must
    /// name its resource, and the caller needs `policy.explain` on it. Facts of the query count for such a query alone.
    ///
    /// ```no_run
    /// # use zt_core::{Result, Session, policy::{Action, ListQuery}};
    /// fn readable(session: &Session) -> Result<()> {
    ///     for cell in session.list(&ListQuery::new().of_action(Action::TableRead))?.cells {
    ///         println!("{} {}", cell.resource, cell.ruling()); // table:gold.loan_scores allow by AP-03
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// `Denied` for a query for more without the right, `Invalid` without a resource; else as [`check`](Self::check).
    pub fn list(&self, query: &ListQuery) -> Result<ListPage> {
        let is_own = |context: &Context| *context == Context::new() || *context == self.context;
        if query.is_revealing() || !is_own(query.context()) {
            return self.list_explained(query, |session, snapshot| {
                Ok(vec![session.holder(snapshot)?])
            });
        }
        let action = query.action().unwrap_or(Action::PolicyExplain);
        let resource = query.resource().cloned();
        let resource = resource.map_or_else(policies_table, Ok)?;
        self.shared.refuse_closed()?;
        self.refuse_expired()?;
        self.refuse_stale(action, &resource)?;
        let snapshot = self.shared.snapshots.current();
        let query = query.clone().under(self.context.clone());
        let page = policy::list(&snapshot, &[self.holder(&snapshot)?], &query);
        let asked = query.resource().map_or("*", Resource::as_str);
        let now = self.shared.clock.now();
        let record = Record::new(Kind::Effect, now, LISTED, asked, Outcome::Ok);
        let record = self.identify(told(record, &query, &page));
        let record = record.with_snapshot(snapshot.version(), snapshot.hash().to_string());
        self.shared.audit.append(record, Durability::Ordered)?;
        Ok(page)
    }

    /// What everybody may on the resource of the query, a page at a time: each user and service principal, any member of
    /// each group, and anyone (`*`). The runtime does not know who is in which group, so users and service principals
    /// stand with what they hold themselves, and denies on groups count against them. One effect in the audit log
    /// stands for the page.
    ///
    /// # Errors
    /// `Invalid` for a query without a resource, `Denied` unless this caller may `policy.explain` it; else as
    /// [`check`](Self::check).
    pub fn list_everybody(&self, query: &ListQuery) -> Result<ListPage> {
        self.list_explained(query, |_, snapshot| {
            let all = Holder::all(snapshot, &GroupsOf::new());
            let now = self.shared.clock.now();
            let all = all.into_iter().map(|holder| holder.at(now));
            let unsure = |holder: Holder| match holder.id() {
                Some(_) => holder.with_incomplete_groups(),
                None => holder,
            };
            Ok(all.map(unsure).collect())
        })
    }

    fn list_explained(
        &self,
        query: &ListQuery,
        holders: impl FnOnce(&Self, &Snapshot) -> Result<Vec<Holder>>,
    ) -> Result<ListPage> {
        let Some(resource) = query.resource() else {
            let message = "this list tells what others may or what to claim: it needs a resource";
            return Err(Error::new(Code::InvalidArgument, message)
                .with_help("name one with `on_resource`; `policy.explain` is asked for it"));
        };
        let right = self.decide(
            Action::PolicyExplain,
            resource.clone(),
            self.context.clone(),
        )?;
        if !right.is_allowed() {
            self.record(&right)?;
            return Err(self.denied(&right));
        }
        let snapshot = right.snapshot();
        let page = policy::list(snapshot, &holders(self, snapshot)?, query);
        self.record_effect(&right, Durability::Ordered, |record| {
            told(record, query, &page)
        })?;
        Ok(page)
    }

    /// This caller, with the groups of its token and what else it says.
    fn holder(&self, snapshot: &Snapshot) -> Result<Holder> {
        let resolved = self.resolve(snapshot)?;
        let groups = Arc::clone(&resolved.groups);
        let holder = match &resolved.id {
            Some(id) => Holder::caller(id.clone(), groups),
            None => Holder::unknown(groups),
        };
        let holder = holder
            .with_proven(Arc::clone(&resolved.proven))
            .at(self.shared.clock.now());
        Ok(if resolved.groups_are_complete {
            holder
        } else {
            holder.with_incomplete_groups()
        })
    }
}

fn told(record: Record, query: &ListQuery, page: &ListPage) -> Record {
    let action = query.action().map_or("*", Action::as_str);
    record
        .with_detail("listed", action)
        .with_detail("cells", page.cells.len().to_string())
}

/// What a list without a resource is about, for the record of a refusal.
pub(super) fn policies_table() -> Result<Resource> {
    let text = format!("{}:Access_Policies", ResourceKind::Metadata);
    text.parse().map_err(|why: policy::NotAResource| {
        Error::new(
            Code::Internal,
            "the metadata tables have a name that is no resource",
        )
        .with_source(why)
    })
}
