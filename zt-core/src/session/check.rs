//! Checks of what is asked again and again, and of many resources at once.

use super::question::{parse_resource, refuse_other_kind};
use super::seen::Sight;
use super::{Permit, Session, parse, parse_action};
use crate::error::Result;
use crate::policy::{Action, Decision, Located, Resource};

impl Session {
    /// A resource, looked up once: for what is asked again and again with [`check_at`](Self::check_at). It stays right when
    /// the tables change.
    ///
    /// # Errors
    /// `Invalid` for a malformed resource.
    pub fn locate(&self, resource: &str) -> Result<Located> {
        let parsed = parse_resource(resource)?;
        Ok(Located::new(&self.shared.snapshots.current(), parsed))
    }

    /// [`check`](Self::check) without text to read: the action and the resource are at hand.
    ///
    /// ```no_run
    /// # use zt_core::{Result, Session, policy::Action};
    /// fn serve(maya: &Session) -> Result<bool> {
    ///     let model = maya.locate("model:car_loan_scorer")?; // once
    ///     Ok(maya.check_at(Action::ModelInfer, &model)?.is_allowed()) // for each request
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_at(&self, action: Action, resource: &Located) -> Result<Decision> {
        let resource = resource.resource();
        refuse_other_kind(action, resource)?;
        let decision = self.decide(action, resource.clone(), self.context.clone())?;
        self.record(&decision)?;
        Ok(decision)
    }

    /// The permit as it is now, for work that took its time between the question and the showing: the same is decided anew.
    /// Where the answer is the same, the permit stays and nothing is recorded; another one is recorded and counts.
    ///
    /// ```no_run
    /// # use zt_core::{Result, Session, batch::Batch};
    /// fn show(elin: &Session, read: impl FnOnce() -> Batch) -> Result<Batch> {
    ///     let permit = elin.require("table.read", "table:gold.loan_scores")?;
    ///     let rows = read(); // an hour of it
    ///     elin.renew(permit)?.apply(&rows)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`require`](Self::require).
    pub fn renew(&self, permit: Permit) -> Result<Permit> {
        let before = permit.decision();
        let request = before.request();
        let (action, context) = (request.action, request.context.clone());
        let decision = self.decide(action, request.resource.clone(), context)?;
        if decision.request().caller == request.caller
            && Sight::decision(&decision) == Sight::decision(before)
            && decision.row_filter() == before.row_filter()
        {
            return Ok(permit);
        }
        self.record(&decision)?;
        self.permitted(decision)
    }

    /// Whether the caller may do this to each of these resources, in their order: all decided on one snapshot, each with
    /// an audit record of its own, as if [`check`](Self::check) were called for each.
    ///
    /// ```no_run
    /// # fn of(session: &zt_core::Session) -> zt_core::Result<()> {
    /// let tables = ["table:raw.loan_applications", "table:gold.loan_scores"];
    /// let decisions = session.check_many("table.read", &tables)?;
    /// let readable = tables.iter().zip(&decisions).filter(|(_, found)| found.is_allowed());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`check`](Self::check); an error about one resource is the answer for all. When a resource is malformed, nothing
    /// has been decided or recorded; after any other error some of the decisions may stand in the log that nobody was
    /// told.
    pub fn check_many(&self, action: &str, resources: &[&str]) -> Result<Vec<Decision>> {
        parse_action(action)?;
        let parsed = resources.iter().map(|resource| parse(action, resource));
        let parsed: Vec<(Action, Resource)> = parsed.collect::<Result<_>>()?;
        let snapshot = self.shared.snapshots.current();
        let decide = |(action, resource)| {
            let decision = self.decide_on(&snapshot, action, resource, self.context.clone())?;
            self.record(&decision)?;
            Ok(decision)
        };
        parsed.into_iter().map(decide).collect()
    }
}
