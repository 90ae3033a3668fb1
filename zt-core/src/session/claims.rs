//! What a process claims of its own: job, stage, author, further facts. A guard rail, recorded as asserted, never proof.

use std::sync::Arc;

use super::{Session, fact};
use crate::error::Result;
use crate::id::PrincipalId;
use crate::policy::{Context, Value};

impl Session {
    /// The same caller, claiming to work on a stage of a job. Claimed, not proven: a guard rail, recorded as asserted.
    #[must_use]
    pub fn claiming(&self, job: u32, stage: u32) -> Self {
        let context = self.context.clone().with_job(job).with_stage(stage);
        self.in_context(context)
    }

    /// The same caller, saying who proposed the change that is to be approved. Claimed, as job and stage are.
    #[must_use]
    pub fn claiming_author(&self, author: PrincipalId) -> Self {
        self.in_context(self.context.clone().with_author(author))
    }

    /// The same caller, stating a further fact, `context.NAME`. Claimed, as job and stage are; see [`Context::with`](crate::policy::Context::with).
    #[must_use]
    pub fn claiming_fact(&self, name: &str, value: Value) -> Self {
        self.in_context(self.context.clone().with(name, value))
    }

    /// The same for a value as people write it: see [`fact`].
    ///
    /// # Errors
    /// As [`fact`].
    pub fn claiming_text(&self, name: &str, text: &str) -> Result<Self> {
        let value = fact(self.shared.snapshots.current().attributes(), name, text)?;
        Ok(self.claiming_fact(name, value))
    }

    /// What was read under one context says nothing about another.
    pub(super) fn in_context(&self, context: Context) -> Self {
        Self {
            context,
            reads: Arc::default(),
            ..self.clone()
        }
    }
}
