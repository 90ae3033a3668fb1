//! For tests and examples: the development issuer, a clock that stands still, faulty fakes, contract suites.

mod dev_issuer;
mod manual_clock;

pub use dev_issuer::{DevIssuer, TokenRequest};
pub use manual_clock::ManualClock;
