//! The numbers that zt promises, as ratios to what others need in the same run on the same machine.
//!
//! `cargo run --release` in this folder prints Markdown. `-- --quick` only shows that everything runs; its numbers mean
//! nothing. `-- --differential` measures nothing: it compares many random decisions with Cedar's, and `-- --conditions`
//! those on facts alone. `-- --peers` measures decisions alone, `-- --identity` tokens, `-- --secrets` secrets,
//! `-- --audit` the audit log, and `-- --ffi DIR` calls from C, C++, Go, Java and Node of what
//! `cargo xtask install-c --prefix DIR` installed.

mod audit;
mod conditions;
mod differential;
mod envelope;
mod ffi;
mod harness;
mod identity;
mod job;
mod peers;
mod policy;
mod report;
mod scale;
mod sealing;
mod secrets;
mod tenant;
mod world;

use std::path::Path;
use std::process::ExitCode;

use harness::Effort;
use world::World;

/// Anything that stops the run.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    let effort = if asked("--quick") {
        Effort::QUICK
    } else {
        Effort::FULL
    };
    let said = if asked("--differential") {
        compared(differential::FULL)
    } else if asked("--conditions") {
        conditions::run(differential::FULL)
    } else if asked("--scale") {
        scale::markdown(effort)
    } else if asked("--identity") {
        identity::markdown(effort)
    } else if asked("--secrets") {
        secrets::markdown(effort)
    } else if asked("--audit") {
        audit::groups(effort).map(|groups| report::markdown(&groups))
    } else if asked("--ffi") {
        over_the_c_abi(effort)
    } else if asked("--sealing") {
        sealed(effort)
    } else if asked("--peers") {
        World::new().and_then(|world| peers::markdown(&world, effort))
    } else {
        measure(effort)
    };
    match said {
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

fn over_the_c_abi(effort: Effort) -> Outcome<String> {
    let prefix = std::env::args()
        .skip_while(|argument| argument != "--ffi")
        .nth(1);
    let prefix = prefix.ok_or("`--ffi` wants the folder that libzt is installed in")?;
    ffi::markdown(&World::new()?, Path::new(&prefix), effort)
}

fn measure(effort: Effort) -> Outcome<String> {
    let world = World::new()?;
    let mut groups = Vec::new();
    groups.extend(policy::groups(&world, effort)?);
    groups.extend(identity::groups(&world, effort)?);
    groups.extend(envelope::groups(&world, effort)?);
    groups.extend(audit::groups(effort)?);
    let mut text =
        String::from("# zt, measured\n\nThe ratio is to the first line of each table.\n");
    text.push_str(&report::markdown(&groups));
    text.push_str(&sealing::markdown(&world, effort)?);
    text.push_str(&secrets::markdown(effort)?);
    text.push_str(&scale::markdown(effort)?);
    text.push_str(&peers::markdown(&world, effort)?);
    text.push_str(&job::markdown(effort)?);
    if effort.is_quick() {
        let agreed = compared(differential::QUICK)?;
        text.push_str(&format!("\n## Differential\n\n{agreed}\n"));
    }
    Ok(text)
}

/// What sealing costs, beside the bare cipher and other libraries.
fn sealed(effort: Effort) -> Outcome<String> {
    let world = World::new()?;
    let mut text = report::markdown(&envelope::groups(&world, effort)?);
    text.push_str(&sealing::markdown(&world, effort)?);
    Ok(text)
}

/// Both comparisons with Cedar, of so many decisions each.
fn compared(decisions: usize) -> Outcome<String> {
    let (scopes, facts) = (differential::run(decisions)?, conditions::run(decisions)?);
    Ok(format!("{scopes}\n\n{facts}"))
}
