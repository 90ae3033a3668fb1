//! The metadata tables: read, validated, compiled into an immutable snapshot.

/// Every problem found in the tables.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report;
