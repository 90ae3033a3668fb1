//! What every input must survive: one function for each fuzz target, which panics where a promise is broken.
//!
//! In: any bytes. Out: whether they are what the target is about, rather than refused with a message. The tests of zt-core call the same functions with the seeds and with random input, so that
//! they also run where there is no fuzzer.

mod audit;
mod condition;
mod jwks;
mod pattern;
mod sealed;
mod tables;
mod token;
mod words;

pub use audit::{audit_line, checkpoint};
pub use condition::condition;
pub use jwks::jwks;
pub use pattern::pattern;
pub use sealed::sealed;
pub use tables::{csv, toml};
pub use token::token;
pub use words::words;

/// The longest message about one mistake: a message names what is wrong, it does not repeat a file.
const LONGEST_MESSAGE: usize = 4096;

/// Every message says something, on one line, and not at any length.
fn check_message(message: &str) {
    assert!(!message.is_empty(), "an empty message");
    assert!(message.len() <= LONGEST_MESSAGE, "{} bytes", message.len());
    assert!(!message.chars().any(char::is_control), "{message:?}");
}
