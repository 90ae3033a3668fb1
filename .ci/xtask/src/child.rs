//! Child processes that cannot hold a run up for ever.
//!
//! In: a command, and how long it may take. Out: whether it succeeded, and a note when it had to be stopped.

use std::convert::Infallible;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::place;

/// How often a running command is looked at.
const POLL: Duration = Duration::from_millis(50);

/// What a command may do.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// How long it may run.
    deadline: Duration,
    /// How long its output may stay open once it has ended.
    grace: Duration,
    /// Whether it leads a process group, so that all it started can be killed with it.
    is_group: bool,
}

impl Limits {
    /// Those of this machine. A group of its own is for CI alone: a terminal's Ctrl-C would not reach it.
    pub(crate) fn here() -> Self {
        Self {
            deadline: Duration::from_secs(30 * 60),
            grace: Duration::from_secs(2),
            is_group: cfg!(unix) && place::is_ci(),
        }
    }

    /// Starts a command without input whose output is read.
    pub(crate) fn start(self, command: &mut Command) -> io::Result<Child> {
        self.spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Starts a command without input whose output nobody wants.
    pub(crate) fn start_unheard(self, command: &mut Command) -> io::Result<Child> {
        self.spawn(command.stdout(Stdio::null()).stderr(Stdio::null()))
    }

    fn spawn(self, command: &mut Command) -> io::Result<Child> {
        #[cfg(unix)]
        if self.is_group {
            std::os::unix::process::CommandExt::process_group(command, 0);
        }
        command.stdin(Stdio::null()).spawn().map_err(|why| {
            let program = command.get_program().to_string_lossy();
            io::Error::other(format!("cannot start `{program}`: {why}"))
        })
    }

    /// Waits until the child has ended and its output too. The other ends of `readers` are dropped when reading ends.
    /// Returns whether the child succeeded, and what had to be done to it.
    pub(crate) fn wait(
        self,
        child: &mut Child,
        readers: &Receiver<Infallible>,
    ) -> io::Result<(bool, Option<String>)> {
        let begin = Instant::now();
        let status = self.ended(child, begin)?;
        let mut note = None;
        if status.is_none() {
            let seconds = self.deadline.as_secs_f64();
            note = Some(format!("did not end within {seconds:.0} s and was killed"));
            self.kill(child);
            child.wait()?;
        }
        // Without a group nobody can be killed who holds the output open; then only the deadline ends the wait.
        let patience = if self.is_group {
            self.grace
        } else {
            self.deadline
                .saturating_sub(begin.elapsed())
                .max(self.grace)
        };
        if !have_ended(readers, patience) {
            self.kill(child);
            let left = if have_ended(readers, self.grace) {
                "left a process behind that held its output open; it was killed"
            } else {
                "left a process behind that holds its output open; the rest was not read"
            };
            note.get_or_insert_with(|| left.to_owned());
        }
        Ok((status.is_some_and(|status| status.success()), note))
    }

    /// How the child ended, or nothing at the deadline.
    fn ended(self, child: &mut Child, begin: Instant) -> io::Result<Option<ExitStatus>> {
        loop {
            let status = child.try_wait()?;
            if status.is_some() || begin.elapsed() >= self.deadline {
                return Ok(status);
            }
            thread::sleep(POLL);
        }
    }

    /// Ends a child that may have ended, and all it started.
    pub(crate) fn stop(self, child: &mut Child) {
        self.kill(child);
        drop(child.wait());
    }

    /// Kills the group, or else the child. Whoever has ended already makes no error.
    fn kill(self, child: &mut Child) {
        // The shell's own `kill`, because small images have no program of that name; `-s`, because dash knows `--` only then.
        let script = "kill -s KILL -- \"-$1\"";
        let is_done = self.is_group
            && Command::new("sh")
                .args(["-c", script, "sh", &child.id().to_string()])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success());
        if !is_done {
            // An error here means that it has ended.
            drop(child.kill());
        }
    }
}

fn have_ended(readers: &Receiver<Infallible>, patience: Duration) -> bool {
    readers.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::Read;
    use std::sync::mpsc;

    use super::*;

    /// Success, note and output of a script, and how long it took.
    fn run(
        script: &str,
        deadline: u64,
        is_group: bool,
    ) -> (bool, Option<String>, String, Duration) {
        let limits = Limits {
            deadline: Duration::from_millis(deadline),
            grace: Duration::from_millis(300),
            is_group,
        };
        let begin = Instant::now();
        let mut child = limits
            .start(Command::new("sh").args(["-c", script]))
            .unwrap();
        let (open, readers) = mpsc::channel();
        let mut stream = child.stdout.take().unwrap();
        let (text, texts) = mpsc::channel();
        thread::spawn(move || {
            let mut read = String::new();
            stream.read_to_string(&mut read).unwrap();
            text.send(read).ok();
            drop(open);
        });
        let (success, note) = limits.wait(&mut child, &readers).unwrap();
        let took = begin.elapsed();
        let text = texts.try_recv().unwrap_or_else(|_| "unread".to_owned());
        (success, note, text, took)
    }

    #[test]
    fn a_command_in_time_has_its_exit_code_and_no_note() {
        for is_group in [false, true] {
            let (success, note, text, _) = run("echo hello", 20_000, is_group);
            assert_eq!((success, note, text.as_str()), (true, None, "hello\n"));
            assert!(!run("exit 3", 20_000, is_group).0);
        }
    }

    #[test]
    fn the_deadline_kills_a_command_and_all_it_started() {
        let (success, note, text, took) = run("echo begun; sleep 20 & sleep 20", 400, true);
        assert!(!success && took < Duration::from_secs(10));
        assert_eq!(text, "begun\n");
        assert!(note.unwrap().ends_with("and was killed"));
    }

    #[test]
    fn who_is_stopped_has_ended_with_all_it_started() {
        let limits = Limits {
            is_group: true,
            ..Limits::here()
        };
        let begin = Instant::now();
        let mut command = Command::new("sh");
        let mut child = limits
            .start(command.args(["-c", "sleep 20 & sleep 20"]))
            .unwrap();
        limits.stop(&mut child);
        let mut read = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut read)
            .unwrap();
        assert!(begin.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn who_holds_the_output_open_after_the_end_is_killed() {
        let (success, note, text, took) = run("echo done; sleep 20 &", 60_000, true);
        assert!(success && took < Duration::from_secs(10));
        assert_eq!(text, "done\n");
        assert!(note.unwrap().ends_with("it was killed"));
    }

    #[test]
    fn without_a_group_the_deadline_ends_the_wait_too() {
        let (success, note, text, took) = run("sleep 8 & sleep 8", 300, false);
        assert!(!success && took < Duration::from_secs(6));
        assert_eq!(text, "unread");
        assert!(note.unwrap().ends_with("and was killed"));
    }
}
