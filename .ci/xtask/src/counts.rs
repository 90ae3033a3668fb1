//! Reads how many tests passed from what cargo and pytest print.

use std::fmt;
use std::ops::AddAssign;

/// How many tests passed, failed and were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Counts {
    pub(crate) const fn new(passed: u32, failed: u32, skipped: u32) -> Self {
        Self {
            passed,
            failed,
            skipped,
        }
    }

    /// The sum over every `test result:` line of a `cargo test`.
    pub(crate) fn of_cargo(output: &str) -> Self {
        let mut sum = Self::default();
        for line in output.lines() {
            let Some(result) = line.trim().strip_prefix("test result: ") else {
                continue;
            };
            let counts = result.split_once(". ").map_or("", |(_, counts)| counts);
            for (number, word) in counts.split(';').filter_map(numbered) {
                sum.add_word(number, word);
            }
        }
        sum
    }

    /// The counts of pytest's closing line, with or without its frame of `=`.
    pub(crate) fn of_pytest(output: &str) -> Self {
        let closing = output.lines().rev().find_map(|line| {
            let line = line.trim_matches(['=', ' ']);
            let (counts, time) = line.rsplit_once(" in ")?;
            time.split('s').next()?.parse::<f64>().ok()?;
            counts
                .split(", ")
                .all(|part| numbered(part).is_some())
                .then_some(counts)
        });
        let mut sum = Self::default();
        for (number, word) in closing.unwrap_or_default().split(", ").filter_map(numbered) {
            sum.add_word(number, word);
        }
        sum
    }

    /// A runner that fails without naming a test, because nothing compiled or it was killed, is one failure.
    pub(crate) const fn with_exit(mut self, success: bool) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }

    /// Tests that the runner counts as passed and that left their work out.
    pub(crate) const fn with_skips(mut self, skips: u32) -> Self {
        self.passed = self.passed.saturating_sub(skips);
        self.skipped += skips;
        self
    }

    fn add_word(&mut self, number: u32, word: &str) {
        match word {
            "passed" | "xpassed" => self.passed += number,
            "failed" | "error" | "errors" => self.failed += number,
            "ignored" | "skipped" | "xfailed" => self.skipped += number,
            _ => {}
        }
    }
}

/// Whether a line of `cargo test -- --show-output` begins what passing tests printed, or ends it.
pub(crate) fn section(line: &[u8]) -> Option<bool> {
    match line.trim_ascii_end() {
        b"successes:" => Some(true),
        b"failures:" => Some(false),
        line => line.starts_with(b"test result:").then_some(false),
    }
}

/// Why tests that cargo counts as passed left their work out: the reason after `skipped: `, once per test.
pub(crate) fn skips(output: &str) -> Vec<&str> {
    let mut reasons = Vec::new();
    let (mut is_success, mut is_open) = (false, false);
    for line in output.lines() {
        if let Some(now) = section(line.as_bytes()) {
            (is_success, is_open) = (now, false);
        } else if line.starts_with("---- ") && line.ends_with(" ----") {
            is_open = is_success;
        } else if let Some(why) = line.strip_prefix("skipped: ").filter(|_| is_open) {
            reasons.push(why);
            is_open = false;
        }
    }
    reasons
}

/// `3 passed` as number and word.
fn numbered(part: &str) -> Option<(u32, &str)> {
    let (number, word) = part.trim().split_once(' ')?;
    Some((number.parse().ok()?, word))
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (passed, failed, skipped) = (self.passed, self.failed, self.skipped);
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_line_of_cargo_counts() {
        let output = "running 3 tests\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
            \n   Doc-tests zt_core\n\
            test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; finished in 1.20s\n";
        assert_eq!(Counts::of_cargo(output), Counts::new(6, 2, 1));
    }

    #[test]
    fn passing_tests_that_say_so_are_skipped_once_each() {
        let output = "skipped: said by nobody\nsuccesses:\n\n---- a stdout ----\nskipped: no cc\n\
            skipped: again\n\n---- b stdout ----\nhello\nskipped: no valgrind\n\nsuccesses:\n    a\n    b\n\n\
            failures:\n\n---- c stdout ----\nskipped: and failed\n\n\
            test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(skips(output), ["no cc", "no valgrind"]);
        let counts = Counts::of_cargo(output).with_skips(2);
        assert_eq!(counts, Counts::new(1, 1, 2));
    }

    #[test]
    fn output_without_a_result_counts_nothing() {
        let output = "the test result: 4 passed\nerror: could not compile `zt-core`\n";
        assert_eq!(Counts::of_cargo(output), Counts::default());
    }

    #[test]
    fn the_closing_line_of_pytest_counts_with_and_without_its_frame() {
        for (line, counts) in [
            ("==== 12 passed in 0.31s ====", Counts::new(12, 0, 0)),
            (
                "3 failed, 7 passed, 2 skipped, 1 warning in 61.02s (0:01:01)",
                Counts::new(7, 3, 2),
            ),
            (
                "== 1 passed, 1 xfailed, 2 errors in 0.10s ==",
                Counts::new(1, 2, 1),
            ),
            ("no tests ran in 0.01s", Counts::default()),
        ] {
            let output = format!("tests/test_secret.py ..\n99 passed in words\n{line}\n\n");
            assert_eq!(Counts::of_pytest(&output), counts, "{line}");
        }
    }

    #[test]
    fn a_runner_that_fails_without_a_failed_test_is_one_failure() {
        assert_eq!(Counts::new(5, 0, 0).with_exit(false), Counts::new(5, 1, 0));
        assert_eq!(Counts::new(5, 2, 0).with_exit(false), Counts::new(5, 2, 0));
        assert_eq!(Counts::new(5, 0, 0).with_exit(true), Counts::new(5, 0, 0));
    }

    #[test]
    fn the_closing_line_reads_as_promised() {
        assert_eq!(
            Counts::new(3, 0, 1).to_string(),
            "3 passed, 0 failed, 1 skipped"
        );
    }
}
