//! Behaviour of the public API, in processes of their own where the process is what is tested.

#![cfg_attr(
    target_os = "linux",
    expect(
        unsafe_code,
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::print_stdout,
        reason = "tests fork, change what a process may do, and stop at the first thing that is not as it should be"
    )
)]

#[cfg(target_os = "linux")]
mod alone;
#[cfg(target_os = "linux")]
mod fork;
#[cfg(target_os = "linux")]
mod limits;
mod local;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod needle;
mod secret;
