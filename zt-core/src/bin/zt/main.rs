//! The `zt` command.
fn main() {}
