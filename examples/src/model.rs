//! A small real model: logistic regression on the sample loans, fitted by gradient descent.
//!
//! It stands for whatever a team scores with, so that the examples and the benches run real work. Numbers are standardised
//! and missing ones count as the mean; categories become one column for each value that the reference knows. Source: Hastie,
//! Tibshirani, Friedman, The Elements of Statistical Learning, 2nd edition, §4.4.

use std::collections::BTreeSet;

use zt_core::Result;
use zt_core::batch::{Batch, Cells};

const NUMBERS: [&str; 4] = [
    "car_value",
    "debt_to_income_ratio",
    "loan_length",
    "driver_tenure",
];
const CATEGORIES: [&str; 3] = [
    "salary_range",
    "repaid_loan_on_prev_car",
    "size_of_downpayment",
];
const STEPS: usize = 200;
const RATE: f64 = 1.0;

/// A fitted model: how likely a loan is repaid.
#[derive(Debug, Clone)]
pub struct LoanModel {
    scales: Vec<(&'static str, f64, f64)>,
    values: Vec<(&'static str, String)>,
    weights: Vec<f64>,
    bias: f64,
}

impl LoanModel {
    /// Fits to the reference data, whose column `label` holds 1 for a loan that was repaid and 0 for one that was not.
    /// The same data gives the same model.
    ///
    /// # Errors
    /// `Invalid` for a missing column or a cell that is not a number.
    pub fn fit(reference: &Batch, label: &str) -> Result<Self> {
        let labels = reference.require(label)?.numbers()?;
        let mut scales = Vec::new();
        for name in NUMBERS {
            let numbers = reference.require(name)?.numbers()?;
            let known: Vec<f64> = numbers.iter().flatten().copied().collect();
            let count = count(known.len().max(1));
            let mean = known.iter().sum::<f64>() / count;
            let variance = known.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            scales.push((name, mean, variance.sqrt().max(f64::MIN_POSITIVE)));
        }
        let mut values = Vec::new();
        for name in CATEGORIES {
            let known: BTreeSet<&str> = texts(reference, name)?.into_iter().flatten().collect();
            values.extend(known.into_iter().map(|value| (name, value.to_owned())));
        }
        let mut model = Self {
            weights: vec![0.0; scales.len() + values.len()],
            scales,
            values,
            bias: 0.0,
        };
        let rows = model.rows(reference)?;
        for _ in 0..STEPS {
            model.step(&rows, &labels);
        }
        Ok(model)
    }

    /// For each row, the probability that the loan is repaid.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn score(&self, batch: &Batch) -> Result<Vec<f64>> {
        Ok(self
            .rows(batch)?
            .iter()
            .map(|row| self.predict(row))
            .collect())
    }

    fn predict(&self, row: &[f64]) -> f64 {
        let sum: f64 = row.iter().zip(&self.weights).map(|(x, w)| x * w).sum();
        1.0 / (1.0 + (-self.bias - sum).exp())
    }

    /// One step down the gradient of the mean log loss.
    fn step(&mut self, rows: &[Vec<f64>], labels: &[Option<f64>]) {
        let mut gradient = vec![0.0; self.weights.len()];
        let mut offset = 0.0;
        for (row, label) in rows.iter().zip(labels) {
            let Some(label) = label else { continue };
            let error = self.predict(row) - label;
            offset += error;
            for (slope, x) in gradient.iter_mut().zip(row) {
                *slope += error * x;
            }
        }
        let rate = RATE / count(rows.len().max(1));
        self.bias -= rate * offset;
        for (weight, slope) in self.weights.iter_mut().zip(&gradient) {
            *weight -= rate * slope;
        }
    }

    fn rows(&self, batch: &Batch) -> Result<Vec<Vec<f64>>> {
        let mut rows = vec![Vec::with_capacity(self.weights.len()); batch.rows()];
        for (name, mean, deviation) in &self.scales {
            let numbers = batch.require(name)?.numbers()?;
            for (row, number) in rows.iter_mut().zip(numbers.iter()) {
                row.push(number.map_or(0.0, |number| (number - mean) / deviation));
            }
        }
        for (name, value) in &self.values {
            for (row, text) in rows.iter_mut().zip(texts(batch, name)?) {
                row.push(f64::from(u8::from(text == Some(value.as_str()))));
            }
        }
        Ok(rows)
    }
}

fn texts<'a>(batch: &'a Batch, name: &str) -> Result<Vec<Option<&'a str>>> {
    let column = batch.require(name)?;
    let Cells::Text(list) = column.cells() else {
        return Ok(vec![None; column.len()]);
    };
    Ok(list.iter().map(Option::as_deref).collect())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a number of rows is far below 2^53"
)]
const fn count(rows: usize) -> f64 {
    rows as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(name: &str) -> Batch {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/world/data/");
        let file = std::fs::File::open(format!("{folder}{name}")).unwrap();
        Batch::from_csv(file).unwrap()
    }

    #[test]
    fn the_fitted_model_tells_loans_apart() {
        let model = LoanModel::fit(&data("loans_reference.csv"), "repaid").unwrap();
        let loans = data("loans.csv").slice(0..5000);
        let labels = loans.require("repaid").unwrap().numbers().unwrap();
        let scores = model.score(&loans).unwrap();
        let right = scores.iter().zip(labels.iter()).filter(|(score, label)| {
            let repaid = label.is_some_and(|label| label > 0.5);
            (**score > 0.5) == repaid
        });
        let right = right.count();
        assert!(right > 4000, "{right} of 5,000; a coin has 2,500");
    }

    #[test]
    fn a_missing_column_is_named() {
        let loans = data("loans.csv").select(&["car_value", "repaid"]).unwrap();
        let why = LoanModel::fit(&loans, "repaid").unwrap_err();
        assert!(why.message().contains("`debt_to_income_ratio`"), "{why}");
    }
}
