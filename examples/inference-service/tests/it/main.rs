//! The built service, run against a copy of the sample world: what callers and operators see, and what the log holds after.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod callers;
mod hardening;
mod http;
mod operators;
mod tables;
mod world;

/// One application, of the sample, that needs the bureau.
const ONE: &str = r#"{"applications":[{"id":70000,"car_value":53459,"salary_range":"20K - 40K €","loan_length":14,"repaid_loan_on_prev_car":false,"size_of_downpayment":"30%","driver_tenure":0.21449}]}"#;
