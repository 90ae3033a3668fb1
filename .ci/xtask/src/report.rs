//! Runs steps, shows and keeps their output, and sums up.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::child::Limits;
use crate::counts::{self, Counts};
use crate::place::Place;

/// What a step came to.
pub(crate) struct Outcome {
    counts: Counts,
    notes: Vec<String>,
}

impl Outcome {
    /// Counts that a test runner printed.
    pub(crate) const fn counted(counts: Counts) -> Self {
        Self {
            counts,
            notes: Vec::new(),
        }
    }

    /// One test that passed or failed.
    pub(crate) fn of(passed: bool, complaint: &str) -> Self {
        if passed {
            Self::counted(Counts::new(1, 0, 0))
        } else {
            Self::failed(vec![complaint.to_owned()])
        }
    }

    /// One test that passes when nothing was found.
    pub(crate) fn found(findings: Vec<String>) -> Self {
        if findings.is_empty() {
            Self::counted(Counts::new(1, 0, 0))
        } else {
            Self::failed(findings)
        }
    }

    /// One test that was left out, and why.
    pub(crate) fn skipped(why: &str) -> Self {
        Self {
            counts: Counts::new(0, 0, 1),
            notes: vec![format!("skipped: {why}")],
        }
    }

    /// Adds a remark.
    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    const fn failed(notes: Vec<String>) -> Self {
        Self {
            counts: Counts::new(0, 1, 0),
            notes,
        }
    }
}

/// What a command came to.
pub(crate) struct Ran {
    /// Whether its exit code was 0.
    pub(crate) success: bool,
    /// Both of its streams, in order of lines.
    pub(crate) output: String,
}

/// Everything that steps print, in one file; those that run beside others have one of their own.
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    written: usize,
    unbuilt: Vec<Range<usize>>,
    limits: Limits,
    /// What had to be done to commands of the present step.
    notes: Vec<String>,
    /// Those of steps that ran beside.
    beside: Vec<Self>,
}

impl Log {
    fn create(path: PathBuf, limits: Limits) -> io::Result<Self> {
        Ok(Self {
            file: File::create(&path)?,
            path,
            written: 0,
            unbuilt: Vec::new(),
            limits,
            notes: Vec::new(),
            beside: Vec::new(),
        })
    }

    /// Runs a command without input, shows its output line by line and keeps it.
    pub(crate) fn run(&mut self, command: &mut Command) -> io::Result<Ran> {
        self.execute(command, Show::All)
    }

    /// The same for `cargo test -- --show-output`: what passing tests print is kept and not shown.
    pub(crate) fn run_tests(&mut self, command: &mut Command) -> io::Result<Ran> {
        self.execute(command, Show::NoSuccesses)
    }

    /// The same without showing anything.
    pub(crate) fn run_quietly(&mut self, command: &mut Command) -> io::Result<Ran> {
        self.execute(command, Show::Nothing)
    }

    /// This one and those of the steps that ran beside.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.beside)
    }

    /// Its file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The parts of the log that hold compilers' errors, and so lines of our sources.
    pub(crate) fn unbuilt(&self) -> &[Range<usize>] {
        &self.unbuilt
    }

    fn execute(&mut self, command: &mut Command, show: Show) -> io::Result<Ran> {
        let mut child = self.limits.start(command)?;
        let kept = Arc::new(Mutex::new(Some(Vec::new())));
        let (open, readers) = mpsc::channel();
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for stream in streams.into_iter().flatten() {
            let (kept, file) = (Arc::clone(&kept), self.file.try_clone()?);
            let open = open.clone();
            // Not joined: a process that left the group may hold the stream open for ever.
            thread::spawn(move || {
                copy_lines(stream, &kept, &file, show);
                drop(open);
            });
        }
        drop(open);
        let (success, note) = self.limits.wait(&mut child, &readers)?;
        if let Some(note) = note {
            self.notes.push(format!("`{}` {note}", shown(command)));
        }
        // Taken, so that a stream that is still open adds nothing to later commands.
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.take().unwrap_or_default();
        let start = self.written;
        self.written += kept.len();
        let output = String::from_utf8_lossy(&kept).into_owned();
        // Compile errors quote sources, and sources may hold the marker. Only a build that ended the command counts: what a
        // test prints must not exempt itself, and a doctest that shall not compile prints compile errors too.
        if !success && output.lines().any(ends_the_build) {
            self.unbuilt.push(start..self.written);
        }
        Ok(Ran { success, output })
    }
}

/// What of a command's output goes to the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    All,
    NoSuccesses,
    Nothing,
}

impl Show {
    /// Whether the line is shown. `is_success` says whether it stands between `successes:` and what follows.
    fn shows(self, line: &[u8], is_success: &mut bool) -> bool {
        *is_success = counts::section(line).unwrap_or(*is_success);
        match self {
            Self::All => true,
            Self::NoSuccesses => !*is_success,
            Self::Nothing => false,
        }
    }
}

/// Program and arguments, as a note names them.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// A stream that ends in an error simply ends: the exit code tells the rest. So does one whose lines nobody keeps any more.
fn copy_lines(stream: impl Read, kept: &Mutex<Option<Vec<u8>>>, mut file: &File, show: Show) {
    let mut is_success = false;
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    while stream
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bytes) = kept.as_mut() else {
            return;
        };
        bytes.extend_from_slice(&line);
        let mut written = file.write_all(&line);
        if show.shows(&line, &mut is_success) {
            written = written.and_then(|()| io::stdout().write_all(&line));
        }
        if written.is_err() {
            return;
        }
        line.clear();
    }
}

fn ends_the_build(line: &str) -> bool {
    line.starts_with("error: could not compile")
}

struct Row {
    name: String,
    counts: Counts,
    took: Duration,
}

/// All steps so far.
pub(crate) struct Report {
    log: Log,
    rows: Vec<Row>,
    failures: Vec<String>,
}

impl Report {
    /// Begins a new log.
    pub(crate) fn new(place: &Place) -> io::Result<Self> {
        fs::create_dir_all(place.own())?;
        Self::into(place.own().join("output.log"))
    }

    fn into(path: PathBuf) -> io::Result<Self> {
        Ok(Self {
            log: Log::create(path, Limits::here())?,
            rows: Vec::new(),
            failures: Vec::new(),
        })
    }

    /// Runs steps, and others beside them: tests wait much of their time. The rows of the others come last.
    pub(crate) fn beside(
        &mut self,
        steps: impl FnOnce(&mut Self) -> io::Result<()>,
        others: impl FnOnce(&mut Self) -> io::Result<()> + Send,
    ) -> io::Result<()> {
        let mut other = Self::into(self.log.path.with_extension("beside.log"))?;
        let (ran, ran_beside) = thread::scope(|scope| {
            let lane = scope.spawn(|| others(&mut other));
            let ran = steps(self);
            let died = |_| Err(io::Error::other("a step that ran beside others panicked"));
            (ran, lane.join().unwrap_or_else(died))
        });
        self.rows.append(&mut other.rows);
        self.failures.append(&mut other.failures);
        self.log.beside.push(other.log);
        ran.and(ran_beside)
    }

    /// Runs one step. A failure does not end the run; that no step can be run at all does.
    pub(crate) fn step(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Log) -> io::Result<Outcome>,
    ) -> io::Result<()> {
        println!("\n=== {name}");
        let begin = Instant::now();
        let mut outcome = work(&mut self.log)?;
        outcome.notes.append(&mut self.log.notes);
        let took = begin.elapsed();
        for note in &outcome.notes {
            println!("    {note}");
        }
        let (counts, seconds) = (outcome.counts, took.as_secs_f64());
        println!("--- {name}: {counts} in {seconds:.1} s");
        if counts.failed > 0 {
            self.failures.push(name.to_owned());
        }
        self.rows.push(Row {
            name: name.to_owned(),
            counts,
            took,
        });
        Ok(())
    }

    /// Prints the sum and turns it into an exit code.
    pub(crate) fn close(self) -> ExitCode {
        let width = self.rows.iter().map(|row| row.name.len()).max();
        let width = width.unwrap_or_default();
        println!();
        let mut sum = Counts::default();
        for row in &self.rows {
            let Counts {
                passed,
                failed,
                skipped,
            } = row.counts;
            let seconds = row.took.as_secs_f64();
            println!(
                "{:width$}  {passed:>5} passed {failed:>3} failed {skipped:>3} skipped {seconds:>7.1} s",
                row.name
            );
            sum += row.counts;
        }
        if !self.failures.is_empty() {
            println!("failed: {}", self.failures.join(", "));
        }
        println!("{sum}");
        ExitCode::from(u8::from(sum.failed > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passing_tests_print_is_not_shown_and_what_follows_is() {
        let output = "test a ... ok\n\nsuccesses:\n\n---- a stdout ----\nhello\n\nfailures:\n    b\n\n\
            successes:\n    a\n\ntest result: FAILED.\n";
        let mut is_success = false;
        let shown: String = output
            .split_inclusive('\n')
            .filter(|line| Show::NoSuccesses.shows(line.as_bytes(), &mut is_success))
            .collect();
        assert_eq!(
            shown,
            "test a ... ok\n\nfailures:\n    b\n\ntest result: FAILED.\n"
        );
    }

    #[test]
    fn steps_that_run_beside_others_count_and_their_log_is_searched_too() {
        let name = format!("xtask-beside-{}.log", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut report = Report::into(path).unwrap();
        let echo = |log: &mut Log, text: &str| {
            let ran = log.run_quietly(Command::new("echo").arg(text))?;
            Ok(Outcome::of(ran.success, "no echo"))
        };
        let (told, heard) = mpsc::channel();
        report
            .beside(
                // Each waits for the other: one after the other they would not end.
                |report| {
                    report.step("one", |log| {
                        heard.recv_timeout(Duration::from_secs(60)).unwrap();
                        echo(log, "from one")
                    })
                },
                move |report| {
                    told.send(()).unwrap();
                    report.step("other", |log| echo(log, "from other"))?;
                    report.step("last", |_| Ok(Outcome::of(false, "it fails")))
                },
            )
            .unwrap();
        let names: Vec<_> = report.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["one", "other", "last"]);
        assert_eq!(report.failures, ["last"]);
        let read = |log: &Log| fs::read_to_string(log.path()).unwrap();
        let said: Vec<_> = report.log.all().map(read).collect();
        assert_eq!(said, ["from one\n", "from other\n"]);
        for log in report.log.all() {
            fs::remove_file(log.path()).unwrap();
        }
    }

    #[test]
    fn the_output_of_a_command_is_kept_whole_and_a_failed_build_is_marked() {
        let name = format!("xtask-log-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut log = Log::create(path.clone(), Limits::here()).unwrap();
        let mut print = |text: &str, exit: &str| {
            let mut command = Command::new("sh");
            let script = "printf %s \"$1\"; exit $2";
            log.run_quietly(command.args(["-c", script, "sh", text, exit]))
                .unwrap()
        };
        let stopped = "error: could not compile\n";
        assert_eq!(print("one\ntwo", "0").output, "one\ntwo");
        assert!(
            print(stopped, "0").success,
            "whoever prints it and goes on is searched"
        );
        assert!(!print("error[E0308]: in a doctest\n", "101").success);
        assert!(!print(stopped, "101").success);
        assert_eq!(log.unbuilt(), [Range { start: 59, end: 84 }]);
        assert_eq!(fs::read_to_string(&path).unwrap().len(), 84);
        fs::remove_file(&path).unwrap();
    }
}
