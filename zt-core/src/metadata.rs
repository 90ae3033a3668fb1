//! The metadata tables: read, validated, compiled into an immutable snapshot.
//!
//! In: raw cells from a [`MetadataSource`]. Out: a [`Snapshot`], which readers hold by `Arc` and never lock. Loading
//! reports **all** problems at once, each with table, row, column, text, reason and the nearest valid value. A bad
//! version never replaces a good one.
//!
//! ```text
//! source -> RawTables -> typed rows -> cross checks -> Snapshot -> SnapshotStore (swapped atomically)
//! ```

mod place;
mod problem;
mod raw;
mod reader;
mod snapshot;
mod source;
mod store;
mod tables;
mod validate;

pub(crate) use place::Lines;
pub use place::Place;
pub use problem::{Problem, Report};
pub use raw::{Cell, RawRow, RawTable, RawTables};
pub use snapshot::{Held, Snapshot, SnapshotHash};
pub use source::MetadataSource;
pub use store::SnapshotStore;
pub use tables::*;
