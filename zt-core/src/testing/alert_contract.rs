//! The contract of [`AlertSink`], which every adapter keeps: ours and yours.
//!
//! Give [`run`] an empty sink that can be read back through [`Delivered`]; it panics where the contract is broken.
#![expect(
    clippy::panic,
    reason = "a contract suite speaks by panicking, like any test"
)]

use crate::clock::Timestamp;
use crate::metadata::Fires;
use crate::monitor::{Alert, AlertSink, Metric};

/// How the suite reads what was delivered.
pub trait Delivered {
    /// The rules of all alerts that the sink keeps, in order.
    fn rules(&self) -> Vec<String>;
}

/// An alert of this rule.
#[must_use]
pub fn alert(rule: &str) -> Alert {
    Alert {
        at: Timestamp::from_secs(1_790_000_000),
        rule: rule.to_owned(),
        model: Some("car_loan_scorer".to_owned()),
        pipeline: None,
        metric: Metric::Accuracy,
        column: None,
        value: 0.9146,
        bound: None,
        confidence: None,
        fires: Fires::Below,
        threshold: 0.93,
        rows: 5000,
        window: Some(1),
        severity: 1,
        action_group: Some("ag-\n\"ml\"-oncall".to_owned()),
        snapshot: 1,
    }
}

/// Every part of the contract, one after the other.
///
/// # Panics
/// Where the sink breaks the contract.
pub async fn run<S: AlertSink + Delivered>(sink: &S) {
    let mut expected = Vec::new();
    deliver(sink, &[], &mut expected).await;
    deliver(sink, &["AL-01"], &mut expected).await;
    deliver(sink, &["AL-03", "AL-02"], &mut expected).await;
    deliver(sink, &[], &mut expected).await;
    // What was begun and not awaited does not disturb the next.
    drop(sink.deliver(&[]));
    deliver(sink, &["AL-01", "AL-01"], &mut expected).await;
    let many: Vec<String> = (0..500).map(|n| format!("AL-{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    deliver(sink, &many, &mut expected).await;
}

/// Delivers, and expects all alerts so far in their order.
async fn deliver<S: AlertSink + Delivered>(sink: &S, rules: &[&str], expected: &mut Vec<String>) {
    let alerts: Vec<Alert> = rules.iter().map(|rule| alert(rule)).collect();
    if let Err(error) = sink.deliver(&alerts).await {
        panic!("{rules:?} gave {error}");
    }
    expected.extend(rules.iter().map(|rule| (*rule).to_owned()));
    assert_eq!(sink.rules(), *expected);
}
