//! Examples of zt on the sample company of `examples/world`. Each is a program of its own: start with the quickstart,
//! `cargo run --release --example quickstart`. What several of them need stands here.

pub mod model;
