//! The metadata tables: read, validated, compiled into an immutable snapshot.
//!
//! In: raw cells from a [`MetadataSource`]. Out: a [`Snapshot`], which readers hold by `Arc` and never lock. Loading
//! reports **all** problems at once, each with table, row, column, text, reason and the nearest valid value. A bad
//! version never replaces a good one.
//!
//! ```text
//! source -> RawTables -> typed rows -> cross checks -> Snapshot -> SnapshotStore (swapped atomically)
//! ```

mod conditions;
mod csv_form;
mod named_groups;
mod place;
mod problem;
mod raw;
mod reader;
mod schema;
mod snapshot;
mod source;
mod store;
mod store_facts;
mod tables;
mod toml_form;
mod validate;

pub(crate) use place::Lines;
pub use place::Place;
pub use problem::{Problem, Report};
pub use raw::{Cell, RawRow, RawTable, RawTables, TableFormat};
pub use schema::{Column, ColumnType, TableSchema, schema};
pub use snapshot::{Snapshot, SnapshotHash};
pub use source::{Fingerprint, MetadataSource};
pub use store::SnapshotStore;
pub(crate) use store::{Draft, Looked};
pub(crate) use store_facts::StoreFacts;
pub use tables::*;
