//! The port through which tables come in.

use std::fmt;

use super::{RawTables, Report};
use crate::port::BoxFuture;

/// A place that holds the metadata tables: a folder, a file, a database.
pub trait MetadataSource: fmt::Debug + Send + Sync {
    /// Reads all tables. Everything that makes them unreadable stands in the report, such as every syntax error of every
    /// file; what a readable row means is not the source's business.
    ///
    /// # Errors
    /// The report of what could not be read.
    fn load(&self) -> BoxFuture<'_, Result<RawTables, Report>>;

    /// What tells this version of the tables from any other, found by looking at the source now and cheaper than reading
    /// them: two equal answers a second apart mean that nothing changed in between. `None`, the default, means that the
    /// source cannot tell, or cannot be reached; whoever watches it then reads it whole.
    fn fingerprint(&self) -> BoxFuture<'_, Option<Fingerprint>> {
        Box::pin(async { None })
    }
}

/// A version of a source as the source itself names it: lengths and dates of files, a row version of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// A fingerprint that differs from another exactly when the texts do.
    #[must_use]
    pub fn new(version: impl Into<String>) -> Self {
        Self(version.into())
    }
}
