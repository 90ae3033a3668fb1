//! How well a model or a job does: reported by whoever may, evaluated by Alert_Rules, recorded, then told.
//!
//! In: values, or rows of data with a model's predictions. Out: an [`Evaluation`]. The audit log has the state of every
//! rule before an alert leaves; it never has a row.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Session;
use super::question::parse;
use crate::audit::Durability;
use crate::batch::Batch;
use crate::error::{Code, Error, Result};
use crate::metadata::{AlertRule, MlModel, Snapshot};
use crate::monitor::{self, Evaluated, Evaluation, Metrics};
use crate::policy::{Action, Columns, Decision, Resource, ResourceKind};
use crate::text::{nearest, shown};

/// Fewer than a record holds, with room for the caller's own.
const RULES_A_RECORD: usize = 24;

impl Session {
    /// Evaluates the Alert_Rules of a model or a job on values that the caller measured over one window. The target is a
    /// resource, `model:car_loan_scorer` or `job:201`; a bare name is a model's. Fired alerts are in the audit log, then in
    /// the sink, before this returns.
    ///
    /// ```
    /// # use zt_core::{Result, Session, monitor::Metrics};
    /// # async fn example(job: &Session) -> Result<()> {
    /// let window = Metrics::new(5000).with("accuracy", 0.9146);
    /// for alert in job.log_metrics("car_loan_scorer", &window).await?.alerts() {
    ///     println!("{} fired: {} is {} {}", alert.rule, alert.value, alert.fires.as_str(), alert.threshold);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Denied` without `metric.report`; `NotFound` for a model or job that no row has; `Invalid` for a value that is not
    /// what it is called; `Unavailable` when the audit log cannot be written, or, with [`Code::AlertsUnavailable`], the
    /// sink: then the alerts stand in the audit log. Else as [`check`](Self::check).
    pub async fn log_metrics(&self, target: &str, metrics: &Metrics) -> Result<Evaluation> {
        let resource = watched(target)?;
        let decision = self.may_report(&resource)?;
        let evaluated =
            rules_of(&decision).and_then(|(_, rules)| monitor::evaluate_metrics(&rules, metrics));
        self.finish(&decision, evaluated).await
    }

    /// Computes the metrics that a model's Alert_Rules ask for from rows with its predictions and labels, in each rule's
    /// windows of `window_rows`, in the order of the rows, and evaluates the rules. Rules on values that only a report can
    /// give are left out. Computes on the calling thread; the reference data are read once for each version of the tables.
    ///
    /// # Errors
    /// As [`log_metrics`](Self::log_metrics); `Invalid` for a column that a rule needs and the batch lacks, or a cell that
    /// is no number; reference data that are missing are `NotFound`, and changed or malformed ones `Invalid`.
    pub async fn log_batch(&self, model: &str, batch: &Batch) -> Result<Evaluation> {
        let resource = watched(model)?;
        if resource.kind() != ResourceKind::Model {
            let message = format!("`{resource}` is not a model: only a model has rows to look at");
            return Err(Error::new(Code::InvalidArgument, message)
                .with_help("report a job's values with `log_metrics`"));
        }
        loop {
            let before = self.may_report(&resource)?;
            let version = before.snapshot().version();
            let reference = match rules_of(&before) {
                Ok((Some(model), rules)) => {
                    let columns = monitor::drift_columns(&rules);
                    self.shared.references.of(model, &columns, version).await
                }
                Ok((None, _)) => Ok(Arc::default()),
                Err(error) => Err(error),
            };
            // Reading takes time: what was withdrawn meanwhile is refused, and rules that changed are asked anew.
            let decision = self.may_report(&resource)?;
            if decision.snapshot().version() != version {
                continue;
            }
            let evaluated = reference.and_then(|reference| match rules_of(&decision)? {
                (Some(model), rules) => monitor::evaluate_batch(model, &rules, batch, &reference),
                (None, _) => Ok(Vec::new()),
            });
            return self.finish(&decision, evaluated).await;
        }
    }

    /// Decides on the snapshot in force; a refusal stands in the log.
    fn may_report(&self, resource: &Resource) -> Result<Decision> {
        let context = self.context.clone();
        let decision = self.decide(Action::MetricReport, resource.clone(), context)?;
        // A row about columns says nothing about a report: validation refuses it, and so does this.
        if !decision.is_allowed() || *decision.columns() != Columns::All {
            let error = self.denied(&decision);
            self.record_refusal(&decision, &error)?;
            return Err(error);
        }
        Ok(decision)
    }

    /// First the audit log, then the sink.
    async fn finish(
        &self,
        decision: &Decision,
        evaluated: Result<Vec<(&AlertRule, Evaluated)>>,
    ) -> Result<Evaluation> {
        let done = evaluated.map(|evaluated| {
            let at = self.shared.clock.now();
            Evaluation::new(at, decision.snapshot().version(), evaluated)
        });
        let evaluation = match done {
            Ok(evaluation) => evaluation,
            Err(error) => {
                self.record_failed_effect(decision, &error)?;
                return Err(error);
            }
        };
        self.record_states(decision, evaluation.states())?;
        if evaluation.alerts().is_empty() {
            return Ok(evaluation);
        }
        if let Err(why) = self.shared.alerts.deliver(evaluation.alerts()).await {
            let error = Error::from(why);
            self.record_failed_effect(decision, &error)?;
            return Err(error);
        }
        Ok(evaluation)
    }

    /// A record for each window, with the state of each rule that looked at it. On disk before an alert leaves.
    fn record_states(&self, decision: &Decision, states: &[Evaluated]) -> Result<()> {
        let mut windows: BTreeMap<Option<(u64, u64)>, Vec<&Evaluated>> = BTreeMap::new();
        for state in states {
            let rows = state.window.map(|window| (window.first_row, window.rows));
            windows.entry(rows).or_default().push(state);
        }
        if windows.is_empty() {
            return self.record_effect(decision, Durability::Ordered, |record| {
                record.with_detail("rules", "none")
            });
        }
        let fired = states.iter().any(|state| state.state.is_fired());
        let chunks: Vec<_> = windows
            .iter()
            .flat_map(|(rows, states)| states.chunks(RULES_A_RECORD).map(move |part| (rows, part)))
            .collect();
        // The log keeps its order: with the last record all before it are on disk, by one sync.
        let last = chunks.len().saturating_sub(1);
        for (number, (rows, states)) in chunks.into_iter().enumerate() {
            let durability = if fired && number == last {
                Durability::Durable
            } else {
                Durability::Ordered
            };
            self.record_effect(decision, durability, |mut record| {
                if let Some((first, rows)) = rows {
                    record = record.with_detail("rows", span(*first, *rows));
                }
                states.iter().fold(record, |record, state| {
                    record.with_detail(&state.rule, state.state.to_string())
                })
            })?;
        }
        Ok(())
    }
}

/// `5001-10000`, from 1 as errors count them; `none` for an empty window.
fn span(first: u64, rows: u64) -> String {
    if rows == 0 {
        return "none".to_owned();
    }
    format!("{}-{}", first + 1, first + rows)
}

/// What is reported about; a bare name is a model's.
fn watched(target: &str) -> Result<Resource> {
    let text = if target.contains(':') {
        target.to_owned()
    } else {
        format!("model:{target}")
    };
    Ok(parse(Action::MetricReport.as_str(), &text)?.1)
}

/// The rules that watch what the decision is about, and the model's row if it is a model.
fn rules_of(decision: &Decision) -> Result<(Option<&MlModel>, Vec<&AlertRule>)> {
    let (snapshot, resource) = (decision.snapshot(), &decision.request().resource);
    let rules = snapshot.tables().alert_rules.iter();
    if resource.kind() == ResourceKind::Model {
        let model = model(snapshot, resource.path())?;
        let of_model = rules.filter(|rule| rule.model.as_ref() == Some(&model.name));
        return Ok((Some(model), of_model.collect()));
    }
    // The decision was about this text: `0201` must not be job 201, whose deny does not speak of it.
    let is_called = |job: u32| job.to_string() == resource.path();
    let mut jobs = snapshot.tables().jobs.iter().map(|row| row.job_id);
    let Some(job) = jobs.find(|job| is_called(*job)) else {
        let message = format!("no row of Jobs is called `{}`", shown(resource.path()));
        return Err(Error::new(Code::NotFound, message));
    };
    let of_job = rules.filter(|rule| rule.pipeline == Some(job));
    Ok((None, of_job.collect()))
}

fn model<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a MlModel> {
    let models = &snapshot.tables().ml_models;
    models.iter().find(|row| row.name == name).ok_or_else(|| {
        let names: Vec<&str> = models.iter().map(|row| row.name.as_str()).collect();
        let near = nearest(name, &names)
            .map(|near| format!("; did you mean `{}`?", shown(&near)))
            .unwrap_or_default();
        let message = format!("no row of ML_Models is called `{}`{near}", shown(name));
        Error::new(Code::NotFound, message)
    })
}
