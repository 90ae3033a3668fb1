//! What an alert rule watches must exist and have what its metric needs.

use super::{At, Check};
use crate::metadata::{AlertRule, MlModel, Problem, Tables};
use crate::monitor::Metric;

pub(super) fn alerts(tables: &Tables, check: &mut Check<'_>) {
    for row in &tables.alert_rules {
        let at = |column| At {
            table: "Alert_Rules",
            key: &row.id,
            column,
        };
        if let Some(model) = &row.model {
            check.refers(at("model"), model, "ML_Models", &check.known.models);
        }
        if let Some(job) = row.pipeline {
            check.job(at("pipeline"), job);
        }
        let watched = tables.ml_models.iter();
        let mut watched = watched.filter(|model| row.model.as_ref() == Some(&model.name));
        if let Some(model) = watched.next() {
            for needed in lacks(row, model) {
                let reason = format!(
                    "needs the column `{needed}` of ML_Models, which the row of `{}` does not have",
                    model.name
                );
                let metric = row.metric.as_str();
                check.problem(at("metric"), Problem::new(reason).text(metric));
            }
        }
    }
}

/// The columns of ML_Models that a rule needs and its model's row does not have.
fn lacks(rule: &AlertRule, model: &MlModel) -> Vec<&'static str> {
    let label = ("label", &model.label);
    let needed: &[_] = match &rule.metric {
        Metric::Accuracy => &[label, ("prediction", &model.prediction)],
        Metric::RocAuc => &[label, ("score", &model.score)],
        Metric::Psi => &[("reference", &model.reference)],
        Metric::NullRate | Metric::Reported(_) => &[],
    };
    let is_blank = |cell: &Option<String>| cell.as_ref().is_none_or(|text| text.trim().is_empty());
    let lacking = needed.iter().filter(|(_, cell)| is_blank(cell));
    lacking.map(|(column, _)| *column).collect()
}
