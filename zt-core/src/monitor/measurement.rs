//! What was measured over one window, or why nothing could be.

use serde::{Serialize, Serializer};

/// A metric's value over one window.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Measurement {
    /// The value, in the metric's unit.
    pub value: f64,
    /// How many rows it comes from: those that had everything the metric needs.
    pub rows: u64,
    /// How these rows divide into classes, where the metric compares two.
    pub classes: Option<Classes>,
}

/// The rows of each class of a binary label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Classes {
    /// Rows whose label is 1.
    pub positive: u64,
    /// Rows whose label is 0.
    pub negative: u64,
}

impl Measurement {
    /// A value that comes from this many rows.
    #[must_use]
    pub const fn new(value: f64, rows: u64) -> Self {
        Self {
            value,
            rows,
            classes: None,
        }
    }

    /// The same with the rows of each class.
    #[must_use]
    pub const fn with_classes(mut self, positive: u64, negative: u64) -> Self {
        self.classes = Some(Classes { positive, negative });
        self
    }
}

/// Why a rule has no answer. It is a state of its own: a monitor that hears nothing does not look healthy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoData {
    /// The window has no rows.
    #[error("the window is empty")]
    EmptyWindow,
    /// No row has everything that the metric needs; labels may still come.
    #[error("every row lacks a value")]
    AllNull,
    /// Fewer rows count than the rule's `min_rows`.
    #[error("{rows} rows count, the rule needs {needs}")]
    #[non_exhaustive]
    FewRows {
        /// The rows that count.
        rows: u64,
        /// The rule's `min_rows`.
        needs: u32,
    },
    /// All labels are equal, and a ranking needs two classes.
    #[error("all labels are of one class")]
    OneClass,
    /// The reference data have no value in this column.
    #[error("the reference has no value")]
    NoReference,
    /// The report does not hold this metric.
    #[error("not reported")]
    NotReported,
    /// The value is NaN or infinite.
    #[error("not a finite number")]
    NotFinite,
    /// A confidence of `roc_auc` needs the rows of each class, and the report does not tell them.
    #[error("its confidence needs the rows of each class")]
    NoClasses,
    /// The window is not the one that the rule looks at.
    #[error("the rule looks at {needs}, the window has {is}")]
    #[non_exhaustive]
    OtherWindow {
        /// The rule's window: `5000 rows`, `300 s`.
        needs: String,
        /// The window that there is.
        is: String,
    },
}

impl Serialize for NoData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
