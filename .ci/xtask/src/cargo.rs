//! Cargo commands, all with the same environment, so that no step builds a dependency a second time.

use std::env;
use std::process::Command;

use crate::place::Place;

/// What the tests need beside the defaults. Every dev build uses this one set.
pub(crate) const FEATURES: &str =
    "zt-core/testing,zt-core/cli,zt-core/arrow,zt-core/azure,zt-core/sqlite,zt-core/ring";

/// A cargo command at the workspace's root.
pub(crate) fn cargo(place: &Place, arguments: &[&str]) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(arguments)
        .current_dir(place.root())
        .env("CARGO_TARGET_DIR", place.target())
        .env("TMPDIR", place.temporary());
    command
}
