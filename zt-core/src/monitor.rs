//! Alert_Rules made true: metrics of a model or a job, the rules that look at them, and where alerts go.
//!
//! In: rows of Alert_Rules, and rows of data or values that a service reports. Out: an [`Evaluation`] with the
//! [`RuleState`] of every rule in every window, and an [`Alert`] for each that fired. Never: any I/O, any rows of data in
//! an error or an alert; what is measured is a number about many rows. The ports are [`AlertSink`] and
//! [`ReferenceSource`]. The book's page "Monitoring" has the formulas with their sources.

mod alert;
mod batch;
mod confidence;
mod drift;
mod measurement;
mod metric;
mod quality;
mod reference;
mod reported;
mod rule;
mod sink;
mod window;

pub use alert::{Alert, Evaluated, Evaluation};
pub(crate) use batch::{drift_columns, evaluate_batch};
pub use drift::psi;
pub use measurement::{Classes, Measurement, NoData};
pub use metric::{Metric, NotAMetric};
pub use quality::{accuracy, null_rate, roc_auc};
pub(crate) use reference::References;
pub use reference::{ReferenceError, ReferenceSource};
pub use reported::Metrics;
pub(crate) use reported::evaluate_metrics;
pub use rule::{Extent, RuleState, evaluate};
pub use sink::{AlertError, AlertSink};
pub use window::Window;

/// A count as a number to divide by.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of rows stay far below 53 bits, and a ratio of larger ones is as near as binary64 is"
)]
const fn float(count: u64) -> f64 {
    count as f64
}

/// A length as a count.
const fn count(length: usize) -> u64 {
    length as u64
}
