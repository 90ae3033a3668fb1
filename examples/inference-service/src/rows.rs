//! Loan applications as callers send them, and scores as they come back.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use zt_core::batch::{Batch, Cells, Column};
use zt_core::{Error, Result};

/// The columns of an answer: those of the output's table.
const ANSWER: [&str; 5] = [
    "id",
    "salary_range",
    "debt_to_income_ratio",
    "y_pred_proba",
    "y_pred",
];

/// A request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) applications: Vec<Application>,
    /// Whether the answer is to be sealed also where policy would show it in plain.
    #[serde(default)]
    pub(crate) seal: bool,
}

/// One application. What is left out is missing to the model too, but for the ratio, which the bureau knows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    pub(crate) id: i64,
    car_value: Option<f64>,
    salary_range: Option<String>,
    pub(crate) debt_to_income_ratio: Option<f64>,
    loan_length: Option<f64>,
    repaid_loan_on_prev_car: Option<bool>,
    size_of_downpayment: Option<String>,
    driver_tenure: Option<f64>,
}

impl Asked {
    /// # Errors
    /// What is wrong with the body, for its author.
    pub(crate) fn parse(body: &[u8], most_rows: usize) -> Result<Self, String> {
        let asked: Self = serde_json::from_slice(body)
            .map_err(|why| format!("the body is no request to score: {why}"))?;
        let rows = asked.applications.len();
        if rows == 0 || rows > most_rows {
            return Err(format!(
                "{rows} applications, from 1 to {most_rows} are scored at once"
            ));
        }
        Ok(asked)
    }

    /// What the model takes.
    pub(crate) fn batch(&self) -> Result<Batch> {
        let numbers = |of: fn(&Application) -> Option<f64>| {
            Cells::Number(self.applications.iter().map(of).collect())
        };
        let texts = |of: fn(&Application) -> Option<&str>| {
            let texts = self.applications.iter().map(of);
            Cells::Text(texts.map(|text| text.map(str::to_owned)).collect())
        };
        let word = |is: bool| if is { "True" } else { "False" };
        let repaid = self.applications.iter();
        let repaid = repaid.map(|one| one.repaid_loan_on_prev_car.map(|is| word(is).to_owned()));
        let columns = vec![
            Column::new(
                "id",
                Cells::Integer(self.applications.iter().map(|one| Some(one.id)).collect()),
            ),
            Column::new("car_value", numbers(|one| one.car_value)),
            Column::new("salary_range", texts(|one| one.salary_range.as_deref())),
            Column::new(
                "debt_to_income_ratio",
                numbers(|one| one.debt_to_income_ratio),
            ),
            Column::new("loan_length", numbers(|one| one.loan_length)),
            Column::new("repaid_loan_on_prev_car", Cells::Text(repaid.collect())),
            Column::new(
                "size_of_downpayment",
                texts(|one| one.size_of_downpayment.as_deref()),
            ),
            Column::new("driver_tenure", numbers(|one| one.driver_tenure)),
        ];
        Batch::new(columns).map_err(Error::from)
    }
}

/// The applications with their scores and the moment of scoring, in the columns of the output.
pub(crate) fn answer(asked: Batch, scores: &[f64], scored_at: &str) -> Result<Batch> {
    let rows = asked.rows();
    let likely = scores.iter().map(|score| Some(*score)).collect();
    let will_repay = scores
        .iter()
        .map(|score| Some(i64::from(*score > 0.5)))
        .collect();
    let moment = vec![Some(scored_at.to_owned()); rows];
    let scored = asked
        .with_column(Column::new("y_pred_proba", Cells::Number(likely)))?
        .with_column(Column::new("y_pred", Cells::Integer(will_repay)))?;
    let shown = scored.select(&ANSWER)?;
    Ok(shown.with_column(Column::new("scored_at", Cells::Text(moment)))?)
}

/// Rows as objects, a missing value as null.
pub(crate) fn to_json(rows: &Batch) -> Value {
    let row = |at: usize| {
        let cells = rows.columns().iter();
        let cells = cells.map(|column| (column.name().to_owned(), cell(column.cells(), at)));
        Value::Object(cells.collect::<Map<String, Value>>())
    };
    Value::Array((0..rows.rows()).map(row).collect())
}

fn cell(cells: &Cells, at: usize) -> Value {
    match cells {
        Cells::Text(list) => list.get(at).cloned().flatten().into(),
        Cells::Number(list) => list.get(at).copied().flatten().into(),
        Cells::Integer(list) => list.get(at).copied().flatten().into(),
        Cells::Bool(list) => list.get(at).copied().flatten().into(),
        // No column of this service holds bytes.
        Cells::Bytes(_) | _ => json!(null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_what_is_wrong_with_it() {
        for (body, said) in [
            ("", "no request to score"),
            (r#"{"applications":[]}"#, "0 applications, from 1 to 2"),
            (
                r#"{"applications":[{"id":1},{"id":2},{"id":3}]}"#,
                "3 applications, from 1 to 2",
            ),
            (r#"{"applications":[{"id":"x"}]}"#, "expected i64"),
            (
                r#"{"applications":[{"id":1,"salary":3}]}"#,
                "unknown field `salary`",
            ),
            (
                r#"{"applications":[{"car_value":1}]}"#,
                "missing field `id`",
            ),
        ] {
            let why = Asked::parse(body.as_bytes(), 2).unwrap_err();
            assert!(why.contains(said), "{why}");
        }
    }

    #[test]
    fn an_answer_has_the_columns_of_the_output_and_no_others() {
        let body = r#"{"applications":[{"id":7,"car_value":1.5,"repaid_loan_on_prev_car":true}]}"#;
        let asked = Asked::parse(body.as_bytes(), 2).unwrap();
        let scored = answer(asked.batch().unwrap(), &[0.75], "2026-01-01T00:00:00Z").unwrap();
        let row = json!({
            "id": 7, "salary_range": null, "debt_to_income_ratio": null,
            "y_pred_proba": 0.75, "y_pred": 1, "scored_at": "2026-01-01T00:00:00Z",
        });
        assert_eq!(to_json(&scored), json!([row]));
    }
}
