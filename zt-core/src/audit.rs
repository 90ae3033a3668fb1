//! The tamper-evident log.
