//! What must come out: `expected.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::Outcome;

#[derive(Deserialize)]
pub(crate) struct Expected {
    pub(crate) decisions: Vec<ExpectedDecision>,
    pub(crate) visible_columns: Vec<VisibleColumns>,
    /// `JOB/STAGE` to the integration runtime.
    pub(crate) runtime_of_stage: BTreeMap<String, String>,
    pub(crate) plan_201: String,
    pub(crate) plan_202: String,
    pub(crate) windows: Vec<ExpectedWindow>,
    /// `window N` to the rules that fire.
    pub(crate) alerts: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
pub(crate) struct ExpectedWindow {
    pub(crate) window: usize,
    pub(crate) rows: usize,
    pub(crate) accuracy: f64,
    pub(crate) roc_auc: f64,
    pub(crate) psi: BTreeMap<String, f64>,
    pub(crate) null_rate: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
pub(crate) struct ExpectedDecision {
    pub(crate) caller: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) context: Facts,
    pub(crate) decision: String,
    pub(crate) policies: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Facts {
    pub(crate) job: Option<u32>,
    pub(crate) stage: Option<u32>,
    pub(crate) author: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct VisibleColumns {
    pub(crate) caller: String,
    pub(crate) resource: String,
    pub(crate) visible: Vec<String>,
}

impl Expected {
    pub(crate) fn read(file: &Path) -> Outcome<Self> {
        Ok(serde_json::from_slice(&std::fs::read(file)?)?)
    }
}
