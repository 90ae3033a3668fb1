//! What later steps need, made beside earlier ones from what the processors have to spare: builds of other profiles, and
//! Python's environments.
//!
//! In: a machine of CI. Out: files in the target folder. What was not made ahead, or failed, its step makes and judges itself.

use std::io;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use crate::cargo::cargo;
use crate::child::Limits;
use crate::place::{self, Place};
use crate::test::{BENCHES, QUICKSTART};
use crate::{python, spark};

/// Each argument names what to build. At the lowest priority, one after the other.
const IN_TURN: &str = "for build in \"$1\" \"$2\"; do nice -n 19 \"$0\" build --quiet $build; done";

/// Work under way. Its builds end with it.
pub(crate) struct Ahead {
    builds: Option<Child>,
    environments: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Begins it in CI. A developer's machine has been through this before, and has other things to do.
    pub(crate) fn begin(place: &Place) -> io::Result<Self> {
        Place::empty(&place.temporary())?;
        let mut ahead = Self {
            builds: None,
            environments: None,
        };
        if cfg!(unix) && place::is_ci() {
            ahead.builds = Some(builds(place)?);
            ahead.environments = environments(place);
        }
        Ok(ahead)
    }

    /// Waits for Python's environments, which no two processes may write.
    pub(crate) fn environments(&mut self) {
        if let Some(environments) = self.environments.take() {
            // Nothing there panics, and its step looks at what it made.
            drop(environments.join());
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.environments();
        if let Some(builds) = &mut self.builds {
            Limits::here().stop(builds);
        }
    }
}

/// Builds in target folders of profiles that the steps before do not use: cargo locks each by itself.
fn builds(place: &Place) -> io::Result<Child> {
    let plain = cargo(place, &[]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", IN_TURN])
        .arg(plain.get_program())
        .args([QUICKSTART.join(" "), BENCHES.join(" ")])
        .current_dir(place.root());
    let set = plain.get_envs();
    shell.envs(set.filter_map(|(name, value)| Some((name, value?))));
    Limits::here().start_unheard(&mut shell)
}

fn environments(place: &Place) -> Option<JoinHandle<()>> {
    let system = python::system()?;
    let steps = [
        python::own_preparation(place, system),
        spark::preparation(place, system),
    ];
    Some(thread::spawn(move || {
        for mut command in steps.into_iter().flatten() {
            let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
            // Its step says what is wrong.
            drop(quiet.stderr(Stdio::null()).status());
        }
    }))
}
