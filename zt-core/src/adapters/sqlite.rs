//! SQLite, built in: audit records in a table that can be asked.
//!
//! In: a file. Out: an [`AuditSink`](crate::audit::AuditSink). Blocks the thread that it is called on, for as long as a
//! transaction takes.

mod audit_sink;

pub use audit_sink::SqliteAuditSink;
