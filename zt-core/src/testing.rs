//! For tests and examples: the development issuer, a clock that stands still, faulty fakes, contract suites.

mod manual_clock;

pub use manual_clock::ManualClock;
