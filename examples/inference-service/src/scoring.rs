//! From a session and a body to scores: decide, read the secret, score, seal, apply what a permit asks for.
//!
//! Two rights are asked of the caller: `model.infer` on the model, and `table.read` on the output's table, whose rows the answer
//! holds: its columns, masks, rows and obligations are done by the permit. Without the second one there are sealed cells and
//! nothing in plain beside them. The service reads the bureau's key and seals by its own rights.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use zt_core::batch::{Batch, Column};
use zt_core::{Error, Permit, Session};

use crate::http::set;
use crate::problem::Problem;
use crate::rows::{Asked, answer, to_json};
use crate::service::Service;

/// What a caller was let in with.
#[derive(Debug)]
pub(crate) struct Admitted {
    session: Session,
    model: String,
    permit: Permit,
}

impl Service {
    /// Whether a caller may score with a model. Nothing of the body is needed to know that.
    ///
    /// # Errors
    /// zt refuses; nothing is served under this name.
    pub(crate) async fn admit(
        self: &Arc<Self>,
        session: Session,
        model: String,
    ) -> Result<Admitted, Problem> {
        let resource = format!("model:{model}");
        let permit = require(session.clone(), "model.infer", resource).await?;
        // After the decision: who may not use a model does not learn whether it is there.
        match self.models.get(&model) {
            Some(_) => Ok(Admitted {
                session,
                model,
                permit,
            }),
            None => Err(Problem::NotServed),
        }
    }

    /// Scores what was asked, and seals it where the caller or the policy wants it.
    ///
    /// # Errors
    /// A body that is no request; the service may not read or seal now; an obligation that is not met.
    pub(crate) async fn score(&self, admitted: &Admitted, body: &[u8]) -> Result<Value, Problem> {
        let mut asked = Asked::parse(body, self.options.limits.most_rows).map_err(Problem::Bad)?;
        let own = self
            .own
            .session()
            .await
            .map_err(|why| self.own_problem(why))?;
        self.ask_the_bureau(&own, &mut asked).await?;
        let model = self.models.get(&admitted.model).ok_or(Problem::NotServed)?;
        let batch = asked.batch()?;
        let scores = model.score(&batch)?;
        let scored = answer(batch, &scores, &self.clock.now().to_string())?;
        let rows = u64::try_from(scored.rows()).unwrap_or(u64::MAX);
        let (shown, is_sealed) = self.show(&own, admitted, scored, asked.seal).await?;
        self.counters.scored.fetch_add(rows, Ordering::Relaxed);
        let mut body = json!({
            "model": admitted.model,
            "decision": admitted.permit.decision().id().to_string(),
            "sealed": is_sealed,
        });
        if is_sealed {
            self.counters.sealed.fetch_add(rows, Ordering::Relaxed);
            set(&mut body, "output", self.options.output.as_str());
            set(&mut body, "csv", shown.to_csv());
        } else {
            set(&mut body, "rows", to_json(&shown));
        }
        Ok(body)
    }

    /// What the caller sees of the scores, and whether it is sealed.
    async fn show(
        &self,
        own: &Session,
        admitted: &Admitted,
        scored: Batch,
        is_wished: bool,
    ) -> Result<(Batch, bool), Problem> {
        let table = self.output_table()?;
        let view = match require(admitted.session.clone(), "table.read", table).await {
            Ok(view) => view,
            Err(Problem::Refused(refusal)) if is_wished && refusal.is_denied() => {
                let sealed = self.seal(own, &scored).await?;
                return Ok((self.without_plain(&scored, &sealed)?, true));
            }
            Err(problem) => return Err(problem),
        };
        if !is_wished && view.obligations().encrypt.is_empty() {
            return Ok((view.apply(&scored)?, false));
        }
        let sealed = self.seal(own, &scored).await?;
        Ok((view.apply(&sealed)?, true))
    }

    /// The columns that sealing changed, and those that say which row a cell belongs to, which the caller sent.
    fn without_plain(&self, scored: &Batch, sealed: &Batch) -> Result<Batch, Problem> {
        let is_sealed = |name: &&str| {
            let (before, after) = (scored.column(name), sealed.column(name));
            before.map(Column::cells) != after.map(Column::cells)
        };
        if !sealed.names().any(|name| is_sealed(&name)) {
            let output = &self.options.output;
            return Err(Problem::Defect(format!("nothing of `{output}` is sealed")));
        }
        let key = self.row_key();
        let kept = sealed
            .names()
            .filter(|name| is_sealed(name) || key.iter().any(|own| own == name));
        Ok(sealed
            .select(&kept.collect::<Vec<_>>())
            .map_err(Error::from)?)
    }

    fn row_key(&self) -> Vec<String> {
        let snapshot = self.zt.snapshot();
        let tables = snapshot.tables();
        let mut outputs = tables.output_storage.iter();
        let rule = outputs.find(|row| row.name == self.options.output);
        let rule = rule.and_then(|row| row.encryption.as_ref());
        let mut rules = tables.encryption_rules.iter();
        let found = rules.find(|row| rule.is_some_and(|rule| *rule == row.id));
        found.map(|row| row.row_key.clone()).unwrap_or_default()
    }

    /// The table whose rows the answers are, as the tables in force say.
    fn output_table(&self) -> Result<String, Problem> {
        let snapshot = self.zt.snapshot();
        let output = &self.options.output;
        let mut rows = snapshot.tables().output_storage.iter();
        let row = rows.find(|row| row.name == *output);
        let row =
            row.ok_or_else(|| Problem::Defect(format!("no row of Output_Storage has `{output}`")))?;
        Ok(format!("table:{}", row.table))
    }

    /// Fills in what applications left out and the bureau knows. The key is read under the service's own rights, and goes
    /// nowhere but to the bureau.
    async fn ask_the_bureau(&self, own: &Session, asked: &mut Asked) -> Result<(), Problem> {
        let key = own
            .secret(&self.options.secret)
            .await
            .map_err(|why| self.own_problem(why))?;
        for application in &mut asked.applications {
            if application.debt_to_income_ratio.is_none() {
                application.debt_to_income_ratio = self.bureau.ratio(&key, application.id);
            }
        }
        Ok(())
    }

    fn own_problem(&self, why: Error) -> Problem {
        self.own.heed(&why);
        Problem::Own(why)
    }

    async fn seal(&self, own: &Session, scored: &Batch) -> Result<Batch, Problem> {
        let sealer = own
            .sealer(&self.options.output)
            .await
            .map_err(|why| self.own_problem(why))?;
        sealer.seal(scored).map_err(|why| self.own_problem(why))
    }
}

/// A refusal is on the disk before it is answered: that must not hold up the executor.
async fn require(
    session: Session,
    action: &'static str,
    resource: String,
) -> Result<Permit, Problem> {
    let decide = move || session.require(action, &resource);
    let decided = tokio::task::spawn_blocking(decide).await;
    let decided = decided.map_err(|why| Problem::Defect(format!("a decision was lost: {why}")))?;
    Ok(decided?)
}
