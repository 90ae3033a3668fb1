//! Decides whether a caller may act on a resource. Deny is the default.

/// A decision.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Decision;

impl Decision {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        ""
    }
}
