//! Scoring: real loans, the metrics of two windows, and the alerts that must fire.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use zt_core::batch::{Batch, Column};
use zt_core::monitor::{self, Alert, Measurement, NoData};
use zt_examples::model::LoanModel;

use crate::Outcome;
use crate::expected::{Expected, ExpectedWindow};
use crate::people::Sessions;
use crate::story::{Story, aside};

/// The model that the tables speak of.
const MODEL: &str = "car_loan_scorer";
/// How far a metric may be from `expected.json`.
const NEAR: f64 = 1e-6;

/// The sample data: what the model was fitted on, and the loans of two windows, scored.
pub(crate) struct Loans {
    pub(crate) reference: Batch,
    pub(crate) loans: Batch,
}

impl Loans {
    pub(crate) fn read(folder: &Path) -> Outcome<Self> {
        let read = |name: &str| -> Outcome<Batch> {
            Ok(Batch::from_csv(File::open(
                folder.join("data").join(name),
            )?)?)
        };
        Ok(Self {
            reference: read("loans_reference.csv")?,
            loans: read("loans.csv")?,
        })
    }
}

/// The job scores. Its scores are the shipped predictions; a small model of our own is fitted and scored beside.
pub(crate) fn score(story: &mut Story, data: &Loans, sessions: &Sessions) -> Outcome {
    let job = sessions
        .get("sp:sp-score-201")
        .ok_or("the job has signed in")?;
    let began = Instant::now();
    let job = job.claiming(201, 2);
    let _permit = job.require("table.read", "table:raw.loan_applications")?;
    let _permit = job.require("model.infer", &format!("model:{MODEL}"))?;
    let model = LoanModel::fit(&data.reference, "repaid")?;
    let scores = model.score(&data.loans)?;
    story.step(
        "the job may read and infer, and scores the loans",
        began.elapsed(),
    );
    let labels = data.loans.require("repaid")?.numbers()?;
    let right = scores
        .iter()
        .zip(labels.iter())
        .filter(|(score, label)| label.is_some_and(|label| (**score > 0.5) == (label > 0.5)));
    let share = share(right.count(), scores.len());
    story.check(
        share > 0.8,
        format!(
            "{} loans; logistic regression, fitted here, is right for {share:.3}",
            scores.len()
        ),
    );
    aside(
        "from here on the scores are those that the sample ships, so that everybody gets the same numbers",
    );
    Ok(())
}

/// Every number of `expected.json`, computed from the rows.
pub(crate) fn measure(story: &mut Story, expected: &Expected, data: &Loans) -> Outcome {
    let began = Instant::now();
    let mut told = Vec::new();
    let mut first = 0;
    for window in &expected.windows {
        let rows = data.loans.slice(first..first + window.rows);
        first += window.rows;
        told.push(compare(window, &rows, &data.reference)?);
    }
    story.step("the metrics of both windows", began.elapsed());
    let count = told.iter().map(|(_, count)| count).sum::<usize>();
    let all = told.iter().all(|(differences, _)| differences.is_empty());
    for line in told.into_iter().flat_map(|(differences, _)| differences) {
        story.differs(&line);
    }
    story.check(
        all && count > 0,
        format!("{count} numbers equal expected.json to 1e-6: accuracy, ROC AUC, PSI, null rate"),
    );
    Ok(())
}

/// What differs in a window, and how many numbers were compared.
fn compare(
    window: &ExpectedWindow,
    rows: &Batch,
    reference: &Batch,
) -> Outcome<(Vec<String>, usize)> {
    let column = |name: &str| -> Outcome<&Column> { Ok(rows.require(name)?) };
    let numbers =
        |name: &str| -> Outcome<Vec<Option<f64>>> { Ok(column(name)?.numbers()?.into_owned()) };
    let labels = numbers("repaid")?;
    let mut found: Vec<(String, f64, Result<Measurement, NoData>)> = vec![
        (
            "accuracy".to_owned(),
            window.accuracy,
            monitor::accuracy(&numbers("y_pred")?, &labels),
        ),
        (
            "roc_auc".to_owned(),
            window.roc_auc,
            monitor::roc_auc(&numbers("y_pred_proba")?, &labels),
        ),
    ];
    for (name, psi) in &window.psi {
        let before = reference.require(name)?.numbers()?;
        let now = monitor::psi(&before, &numbers(name)?);
        found.push((format!("psi of {name}"), *psi, now));
    }
    for (name, rate) in &window.null_rate {
        let now = monitor::null_rate(column(name)?);
        found.push((format!("null rate of {name}"), *rate, now));
    }
    let count = found.len();
    let differences = found.into_iter().filter_map(|(name, wanted, found)| {
        let value = found.map_or(f64::NAN, |found| found.value);
        let holds = (value - wanted).abs() <= NEAR;
        (!holds).then(|| format!("window {}: {name} is {value}, not {wanted}", window.window))
    });
    Ok((differences.collect(), count))
}

/// The job reports; Alert_Rules say what is too bad.
pub(crate) async fn watch(
    story: &mut Story,
    expected: &Expected,
    data: &Loans,
    sessions: &Sessions,
) -> Outcome {
    let job = sessions
        .get("sp:sp-score-201")
        .ok_or("the job has signed in")?;
    let began = Instant::now();
    let evaluation = job.claiming(201, 2).log_batch(MODEL, &data.loans).await?;
    story.step("the job reports, and the alert rules look", began.elapsed());
    let windows = expected.windows.iter().map(|window| window.window);
    for number in windows {
        let of_window = |alert: &&Alert| {
            alert
                .window
                .is_some_and(|index| usize::try_from(index) == Ok(number))
        };
        let fired: Vec<&Alert> = evaluation.alerts().iter().filter(of_window).collect();
        let wanted = expected.alerts.get(&format!("window {number}"));
        let ids: Vec<&str> = fired.iter().map(|alert| alert.rule.as_str()).collect();
        let holds = wanted.is_some_and(|wanted| *wanted == ids);
        let said = if ids.is_empty() {
            "nothing fires".to_owned()
        } else {
            format!("{} fire", ids.join(", "))
        };
        story.check(holds, format!("window {number}: {said}"));
        for alert in fired {
            aside(line(alert));
        }
    }
    let maya = sessions.get("user:maya").ok_or("maya has signed in")?;
    let refused = maya.log_batch(MODEL, &data.loans).await;
    story.check(
        refused.is_err_and(|error| error.is_denied()),
        "user:maya may not report for the job",
    );
    Ok(())
}

/// `AL-01 accuracy 0.914600, below 0.93, severity 1, to ag-ml-oncall`.
fn line(alert: &Alert) -> String {
    let of = alert.column.as_ref().map(|column| format!(" of {column}"));
    format!(
        "{} {}{} {:.6}, {} {}, severity {}, to {}",
        alert.rule,
        alert.metric,
        of.unwrap_or_default(),
        alert.value,
        alert.fires.as_str(),
        alert.threshold,
        alert.severity,
        alert.action_group.as_deref().unwrap_or("nobody"),
    )
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a number of rows is far below 2^53"
)]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}
