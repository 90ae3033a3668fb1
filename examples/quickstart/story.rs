//! How the story is told: numbered steps with their time, readable with and without a terminal.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anstream::println;
use anstyle::{AnsiColor, Style};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

/// Where a line's time stands.
const WIDTH: usize = 92;

/// The teller: counts steps and differences.
pub(crate) struct Story {
    steps: usize,
    differences: usize,
    began: Instant,
}

impl Story {
    pub(crate) fn new(title: &str, about: &str) -> Self {
        println!("\n{BOLD}{title}{BOLD:#}  {DIM}{about}{DIM:#}");
        Self {
            steps: 0,
            differences: 0,
            began: Instant::now(),
        }
    }

    /// A step that took this long.
    pub(crate) fn step(&mut self, title: &str, took: Duration) {
        self.steps += 1;
        let head = format!("{:>2}  {title}", self.steps);
        let gap = " ".repeat(WIDTH.saturating_sub(head.chars().count() + 8));
        println!("\n{BOLD}{head}{BOLD:#}{gap}{DIM}{:>8}{DIM:#}", time(took));
    }

    /// A line that holds, or does not.
    pub(crate) fn check(&mut self, holds: bool, text: impl Display) {
        if holds {
            println!("    {GOOD}✓{GOOD:#} {text}");
        } else {
            self.differences += 1;
            println!("    {BAD}✗ {text}{BAD:#}");
        }
    }

    /// Something is not as expected.
    pub(crate) fn differs(&mut self, text: &str) {
        self.check(false, text);
    }

    /// The last line and the exit code.
    pub(crate) fn end(self) -> ExitCode {
        let took = time(self.began.elapsed());
        match self.differences {
            0 => {
                println!("\n{GOOD}everything as expected{GOOD:#} in {took}\n");
                ExitCode::SUCCESS
            }
            1 => {
                println!("\n{BAD}1 difference{BAD:#} in {took}\n");
                ExitCode::FAILURE
            }
            several => {
                println!("\n{BAD}{several} differences{BAD:#} in {took}\n");
                ExitCode::FAILURE
            }
        }
    }
}

/// A line of less weight.
pub(crate) fn aside(text: impl Display) {
    println!("    {DIM}{text}{DIM:#}");
}

/// An allow in green, a deny in red.
pub(crate) fn verdict(is_allowed: bool, text: &str) -> String {
    let style = if is_allowed { GOOD } else { BAD };
    format!("{style}{text}{style:#}")
}

/// A duration with three digits: `1.24 ms`.
pub(crate) fn time(took: Duration) -> String {
    let us = took.as_secs_f64() * 1e6;
    let (value, unit) = match us {
        us if us < 1e3 => (us, "µs"),
        us if us < 1e6 => (us / 1e3, "ms"),
        us => (us / 1e6, "s"),
    };
    let digits = if value < 10.0 {
        2
    } else {
        usize::from(value < 100.0)
    };
    format!("{value:.digits$} {unit}")
}
