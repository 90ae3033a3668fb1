//! The numbers that zt promises, as ratios to what others need in the same run on the same machine.
//!
//! `cargo run --release` in this folder prints Markdown. `-- --quick` only shows that everything runs; its numbers mean
//! nothing.

mod envelope;
mod harness;
mod identity;
mod job;
mod policy;
mod report;
mod scale;
mod secrets;
mod tenant;
mod world;

use std::process::ExitCode;

use harness::Effort;
use world::World;

/// Anything that stops the run.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    match measure(effort) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(effort: Effort) -> Outcome<String> {
    let world = World::new()?;
    let mut groups = Vec::new();
    groups.extend(policy::groups(&world, effort)?);
    groups.extend(identity::groups(&world, effort)?);
    groups.extend(secrets::groups(&world, effort)?);
    groups.extend(envelope::groups(&world, effort)?);
    let mut text =
        String::from("# zt, measured\n\nThe ratio is to the first line of each table.\n");
    text.push_str(&report::markdown(&groups));
    text.push_str(&scale::markdown(effort)?);
    text.push_str(&job::markdown(effort)?);
    Ok(text)
}
