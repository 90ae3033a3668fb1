//! Behaviour of the public API, in processes of their own where the process is what is tested.

#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "tests fork, and change what a process may do")
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
