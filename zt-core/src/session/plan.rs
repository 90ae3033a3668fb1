//! What a run of a job needs and lacks, for callers who may see it.

use std::sync::Arc;

use super::Session;
use super::question::parse;
use crate::audit::Durability;
use crate::error::{Error, Result};
use crate::plan::{self, RunPlan};
use crate::policy::{self, Decision, Request};

impl Session {
    /// Everything that one run of a job needs, or every reason why it may not run: before any cluster starts, from the
    /// tables alone. The caller needs `job.plan` on `job:N`. One effect in the audit log stands for the plan; the
    /// decisions inside it are forecasts and stand for nothing.
    ///
    /// Rights are decided for the identity of each stage, claiming its job and stage. The tables do not know in which
    /// groups of Entra a workload is, so each is taken to be in none; only where a stage runs as this session's caller
    /// are the groups and the other claims of the caller's token counted.
    ///
    /// ```no_run
    /// # fn example(session: &zt_core::Session) -> zt_core::Result<()> {
    /// let plan = session.plan(201)?;
    /// if !plan.is_runnable() {
    ///     println!("{plan}"); // … missing 1. stage 1: `sp:…` may not `secret.get` on `secret:…`: no policy allows it
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Denied` unless the caller may plan the job; then `NotFound` when no row of Jobs has the number. Else as
    /// [`check`](Self::check). What the job lacks is in the plan and no error.
    pub fn plan(&self, job: u32) -> Result<RunPlan> {
        let (action, resource) = parse("job.plan", &format!("job:{job}"))?;
        let right = self.decide(action, resource, self.context.clone())?;
        if !right.is_allowed() {
            self.record(&right)?;
            return Err(self.denied(&right));
        }
        match plan::resolve(right.snapshot(), job, |request| {
            self.forecast(&right, request)
        }) {
            Ok(plan) => {
                self.record_effect(&right, Durability::Ordered, |record| {
                    let runnable = if plan.is_runnable() { "yes" } else { "no" };
                    record
                        .with_detail("runnable", runnable)
                        .with_detail("missing", plan.missing.len().to_string())
                })?;
                Ok(plan)
            }
            Err(unknown) => {
                let error = Error::from(unknown);
                self.record_failed_effect(&right, &error)?;
                Err(error)
            }
        }
    }

    /// Decides for the identity of a stage on the snapshot that granted the plan, with the groups that are known of it.
    fn forecast(&self, right: &Decision, request: Request) -> Decision {
        let own = right.request();
        let is_own = own.caller.is_some() && own.caller == request.caller;
        let request = if is_own {
            request.with_proven(Arc::clone(&own.proven))
        } else {
            request
        };
        let request = match (is_own, own.groups_are_complete) {
            (false, _) => request,
            (true, true) => request.with_groups(Arc::clone(&own.groups)),
            (true, false) => request
                .with_groups(Arc::clone(&own.groups))
                .with_incomplete_groups(),
        };
        let request = Request {
            now: own.now,
            ..request
        };
        policy::decide(right.snapshot(), request, self.shared.next_decision())
    }
}
