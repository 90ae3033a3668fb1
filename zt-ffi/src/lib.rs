//! The C ABI of zt: `libzt` and `zt.h`.
//!
//! In: C strings and opaque handles. Out: a status, handles and error objects. Every function does one thing of
//! [`zt_core`] and adds no rule of its own. No panic crosses the border, no state is global but the program's log and what forks and
//! freed memory need, and what a C program must promise is written in `include/zt.h`, which is made from the comments of this crate.

#![expect(
    unsafe_code,
    reason = "the C ABI: C strings and buffers are raw pointers, and exported names are not mangled"
)]
#![expect(
    non_camel_case_types,
    reason = "types have the names that C knows them by"
)]
#![expect(
    clippy::missing_safety_doc,
    reason = "the header states once, at its top, what every pointer must be"
)]

mod arrow;
mod audit;
mod batch;
mod boundary;
mod bytes;
mod credential;

mod decision;
mod error;
mod executor;
mod files;
mod guard;
mod handle;
mod later;
mod located;
mod log;
mod operation;
mod options;
mod outcome;
mod plan;
mod report;
mod runtime;
mod seal;
mod secret;
mod session;
mod status;
mod stream;
mod text;
mod upkeep;
mod version;

pub use arrow::raw::{ArrowArray, ArrowSchema};
pub use arrow::{
    ZT_STORE_BYTES, ZT_STORE_TEXT, zt_arrow_opener_new, zt_opener_unseal_arrow,
    zt_sealer_seal_arrow,
};
pub use audit::{zt_audit_tail, zt_audit_verify, zt_runtime_audit_tail};
pub use batch::{
    zt_batch, zt_batch_free, zt_batch_from_csv, zt_batch_rows, zt_batch_to_csv, zt_permit_apply,
};
pub use bytes::{zt_bytes, zt_bytes_data, zt_bytes_free, zt_bytes_len};
pub use credential::{zt_open_with_credential, zt_release_fn, zt_token, zt_token_fn, zt_token_set};
pub use decision::{
    zt_check, zt_decision, zt_decision_columns, zt_decision_draft, zt_decision_free,
    zt_decision_id, zt_decision_is_allowed, zt_decision_kind, zt_decision_lease, zt_decision_masks,
    zt_decision_obligations, zt_decision_policies, zt_decision_restrictions, zt_decision_step_up,
    zt_decision_why, zt_error_decision, zt_explain, zt_require,
};
pub use error::{
    zt_error, zt_error_cause, zt_error_challenge, zt_error_code, zt_error_free, zt_error_help,
    zt_error_http_status, zt_error_is_denied, zt_error_is_transient, zt_error_message,
    zt_error_public_message, zt_error_report, zt_error_retry_after_s, zt_error_retry_ms,
    zt_error_status,
};
pub use files::{
    ZT_FILE_HEADER_MOST, zt_file_opener, zt_file_opener_free, zt_file_opener_from_file,
    zt_file_opener_name, zt_file_opener_new, zt_file_opener_unseal_bytes,
    zt_file_opener_unseal_file, zt_file_opener_unseal_stream, zt_sealer_seal_bytes,
    zt_sealer_seal_file, zt_sealer_seal_stream,
};
pub use handle::{
    zt_secret_handle, zt_secret_handle_free, zt_secret_handle_get, zt_secret_handle_read,
    zt_session_secret_handle,
};
pub use later::{
    zt_authenticate_async, zt_file_opener_new_async, zt_log_batch_async, zt_open_async,
    zt_open_with_credential_async, zt_opener_new_async, zt_reload_async, zt_runtime_close_async,
    zt_runtime_workload_async, zt_sealer_new_async, zt_secret_get_async,
};
pub use located::{zt_check_at, zt_check_many, zt_located, zt_located_free, zt_session_locate};
pub use log::{
    ZT_LOG_DEBUG, ZT_LOG_ERROR, ZT_LOG_INFO, ZT_LOG_OFF, ZT_LOG_TRACE, ZT_LOG_WARN, zt_log_fn,
    zt_log_off, zt_log_to,
};
pub use operation::{
    zt_done_fn, zt_operation, zt_operation_cancel, zt_operation_free, zt_operation_is_done,
    zt_operation_wait,
};
pub use options::{zt_open_options, zt_open_options_init, zt_open_with, zt_setting};
pub use outcome::{
    zt_operation_file_opener, zt_operation_opener, zt_operation_runtime, zt_operation_sealer,
    zt_operation_secret, zt_operation_session, zt_operation_text,
};
pub use plan::zt_plan;
pub use report::zt_log_batch;
pub use runtime::{
    zt_open, zt_reload, zt_runtime, zt_runtime_close, zt_runtime_free, zt_runtime_ready,
};
pub use seal::{
    zt_opener, zt_opener_free, zt_opener_new, zt_opener_unseal, zt_sealer, zt_sealer_free,
    zt_sealer_new, zt_sealer_seal,
};
pub use secret::{
    zt_secret, zt_secret_bytes, zt_secret_free, zt_secret_get, zt_secret_path_proof,
    zt_secret_read, zt_secret_stale_ms, zt_secret_version, zt_session_refresh_secret,
    zt_session_secret_version, zt_wipe,
};
pub use session::{
    zt_authenticate, zt_runtime_workload, zt_session, zt_session_claiming,
    zt_session_claiming_author, zt_session_claiming_fact, zt_session_free, zt_session_name,
};
pub use status::*;
pub use stream::{zt_read_fn, zt_write_fn};
pub use text::{zt_text, zt_text_data, zt_text_free, zt_text_len};
pub use upkeep::{
    zt_runtime_invalidate, zt_runtime_metrics_text, zt_runtime_secret_event,
    zt_runtime_status_json, zt_session_warm,
};
pub use version::{ZT_ABI_VERSION, zt_abi_version, zt_version};

/// Overwrites what threads that handle secrets free.
#[cfg(feature = "wipe-on-free")]
#[global_allocator]
static ALLOCATOR: zt_memory::WipeOnFree = zt_memory::WipeOnFree::new();

// The header promises that each of these may be used by many threads at once.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<zt_runtime>();
    shared::<zt_session>();
    shared::<zt_decision>();
    shared::<zt_batch>();
    shared::<zt_sealer>();
    shared::<zt_opener>();
    shared::<zt_file_opener>();
    shared::<zt_bytes>();
    shared::<zt_secret>();
    shared::<zt_secret_handle>();
    shared::<zt_text>();
    shared::<zt_located>();
    shared::<zt_operation>();
    shared::<zt_token>();
    shared::<zt_error>();
};
