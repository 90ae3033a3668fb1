//! zt for Python: the extension module `zt._zt`. This file registers, nothing else; one file per Python class.
//!
//! In: Python values. Out: the same words as in Rust, with exceptions for errors (`zt._errors`). A wait gives up the
//! interpreter and answers Ctrl-C; a handle that was carried over a fork is refused.

#![cfg_attr(not(feature = "arrow"), forbid(unsafe_code))]

mod aio;
#[cfg(feature = "arrow")]
mod answers;
#[cfg(feature = "arrow")]
mod arrow;
mod audit;
mod columns;
mod config;
mod credential;
mod data;
mod decision;
mod error;
mod executor;
mod file;
mod fork;
mod grant;
mod handle;
mod html;
mod keys;
mod permit;
mod plain;
mod plan;
mod reading;
mod report;
mod revealed;
mod row_filter;
mod rows;
mod runtime;
mod seal;
mod secret;
mod session;
mod sign_in;
mod snapshot;
#[cfg(feature = "arrow")]
mod table;
mod token;

/// Overwrites what threads that handle secrets free.
#[cfg(feature = "wipe-on-free")]
#[global_allocator]
static ALLOCATOR: zt_memory::WipeOnFree = zt_memory::WipeOnFree::new();

/// The native half of the package `zt`. Its classes are frozen and safe across threads, so it needs no GIL.
#[pyo3::pymodule(gil_used = false)]
mod _zt {
    #[cfg(feature = "arrow")]
    #[pymodule_export]
    use crate::answers::Answers;
    #[pymodule_export]
    use crate::audit::verify_audit;
    #[pymodule_export]
    use crate::columns::Columns;
    #[pymodule_export]
    use crate::config::config_keys;
    #[pymodule_export]
    use crate::decision::{Decision, restore};
    #[pymodule_export]
    use crate::fork::after_fork_in_child;
    #[pymodule_export]
    use crate::grant::{Executor, Grant, restore_grant};
    #[pymodule_export]
    use crate::handle::SecretHandle;
    #[pymodule_export]
    use crate::permit::Permit;
    #[pymodule_export]
    use crate::plan::Plan;
    #[pymodule_export]
    use crate::report::Evaluation;
    #[pymodule_export]
    use crate::revealed::Revealed;
    #[pymodule_export]
    use crate::row_filter::{RowFilter, Selection};
    #[pymodule_export]
    use crate::runtime::{Runtime, open, open_async, open_runtimes};
    #[pymodule_export]
    use crate::seal::{Opener, Sealer};
    #[pymodule_export]
    use crate::secret::Secret;
    #[pymodule_export]
    use crate::session::Session;
    #[pymodule_export]
    use crate::sign_in::SignIn;
    #[pymodule_export]
    use crate::snapshot::Snapshot;
    #[cfg(feature = "arrow")]
    #[pymodule_export]
    use crate::table::Table;
    #[pymodule_export]
    use crate::token::AccessToken;
}
