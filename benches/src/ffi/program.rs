//! Programs of other languages that measure their own calls when they are asked, so that samples of all lie side by side.
//!
//! A program is given the world's folder and how many calls are one sample. It prints the names of its cases in one line. For each
//! byte on its input it prints nanoseconds a call, in their order; at the end of its input it closes zt and ends with 0.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::Outcome;

/// What can be asked for samples.
pub(super) struct Program {
    name: &'static str,
    child: Child,
    output: BufReader<ChildStdout>,
    cases: Vec<String>,
}

impl Program {
    /// Starts it.
    pub(super) fn start(
        name: &'static str,
        mut command: Command,
        folder: &Path,
        calls: u32,
    ) -> Outcome<Self> {
        let mut child = command
            .arg(folder)
            .arg(calls.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|why| format!("{name} does not start: {why}"))?;
        let output = child.stdout.take().ok_or("a program has no output")?;
        let mut program = Self {
            name,
            child,
            output: BufReader::new(output),
            cases: Vec::new(),
        };
        program.cases = program.line()?;
        Ok(program)
    }

    /// In whose name it speaks.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Nanoseconds of a call, for each of its cases.
    pub(super) fn sample(&mut self) -> Outcome<Vec<(String, f64)>> {
        let input = self.child.stdin.as_mut().ok_or("a program has no input")?;
        // A line, for those that read lines.
        input.write_all(b"\n")?;
        input.flush()?;
        let line = self.line()?;
        if line.len() != self.cases.len() {
            return Err(format!("{} measured something else than it said", self.name).into());
        }
        let times = self.cases.iter().cloned().zip(line);
        times
            .map(|(case, took)| Ok((case, took.parse()?)))
            .collect()
    }

    /// Ends it; it must have been right all the time.
    pub(super) fn end(mut self) -> Outcome {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(format!("{} ended with {status}", self.name).into())
    }

    fn line(&mut self) -> Outcome<Vec<String>> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.is_empty() {
            return Err(format!("{} said nothing", self.name).into());
        }
        Ok(line.split_whitespace().map(str::to_owned).collect())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Of one that has ended there is nothing to end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
