//! Prints every problem of the tables, one a line.

use anstream::println;
use zt_core::{Error, Result, metadata};

use crate::{Answer, paint};

/// No, with every problem; the error itself where it is about something else.
pub(crate) fn answer(error: Error) -> Result<Answer> {
    match error.report() {
        Some(report) => {
            print(report);
            Ok(Answer::No)
        }
        None => Err(error),
    }
}

pub(crate) fn print(report: &metadata::Report) {
    for problem in report.problems() {
        println!("{problem}");
    }
    let bad = paint::BAD;
    let count = report.problems().len();
    println!(
        "{bad}{count} problem{}{bad:#}",
        if count == 1 { "" } else { "s" }
    );
}
