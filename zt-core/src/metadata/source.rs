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
}
