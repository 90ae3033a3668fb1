//! A secret that is fresh in the cache: with policy and audit each time, the slots alone, and caches that ask nobody.
//!
//! Asynchronous reads are polled once, without an executor.

use std::fmt::Write as _;

use zt_core::testing::BareSlot;

use super::contest::{Contender, Figures, compare};
use super::shelf::Shelf;
use super::{at_once, peers};
use crate::Outcome;
use crate::harness::Effort;
use crate::report::time;
use crate::world::World;

pub fn markdown(effort: Effort) -> Outcome<String> {
    let (world, shelf) = (World::new()?, Shelf::new()?);
    let zt = shelf.open(&world)?;
    let (slots, requests) = shelf.slots(&world)?;
    let bare: Vec<BareSlot<'_>> = requests
        .iter()
        .filter_map(|request| BareSlot::of(&slots, request.clone()))
        .collect();

    let mut text = String::from("\n## A hit beside other caches\n");
    let tables = [
        ("1,000 secrets in random order", Shelf::order()),
        ("One secret again and again", Shelf::one()),
    ];
    for (title, order) in tables {
        // A session of its own for each: repeats are counted for a minute, then recorded in full once more.
        let job = shelf.session(&world, &zt)?;
        let handles: Vec<_> = shelf
            .names
            .iter()
            .map(|name| job.secret_handle(name))
            .collect();
        let mut all = peers::all(&shelf);
        all.extend([
            Contender::new("zt, slot alone, by name (`Secrets::peek`)", |at| {
                slots.peek(&requests[at]).map(|secret| secret.len())
            }),
            Contender::new("zt, slot alone, by handle", |at| {
                bare[at].peek().map(|secret| secret.len())
            }),
            Contender::new("zt, policy and audit, by name (`Session::secret`)", |at| {
                let read = at_once(job.secret(&shelf.names[at]))?;
                read.ok().map(|secret| secret.len())
            }),
            Contender::new(
                "zt, policy and audit, by handle (`SecretHandle::get`)",
                |at| {
                    let read = at_once(handles[at].get())?;
                    read.ok().map(|secret| secret.len())
                },
            ),
        ]);
        all.iter().try_for_each(Contender::check)?;
        let one = compare(&all, 1, &order, effort);
        let two = compare(&all, 2, &order, effort);
        all.iter().try_for_each(Contender::check)?;
        table(&mut text, title, &all, &one, &two);
    }
    Ok(text)
}

/// How many times as long the first takes is what counts.
fn table(text: &mut String, title: &str, all: &[Contender<'_>], one: &[Figures], two: &[Figures]) {
    let counts = cfg!(feature = "allocations");
    let more = if counts {
        [" allocations |", "---:|"]
    } else {
        [""; 2]
    };
    let _ = writeln!(
        text,
        "\n### {title}\n\n\
         | a hit | one thread | least | moka::future takes | two threads | least | moka::future takes |{}\n\
         |---|---:|---:|---:|---:|---:|---:|{}",
        more[0], more[1]
    );
    for ((contender, one_thread), two_threads) in all.iter().zip(one).zip(two) {
        let cells = [(one_thread, one.first()), (two_threads, two.first())].map(|(own, first)| {
            let first = first.map_or(0.0, |first| first.median.as_secs_f64());
            let ratio = first / own.median.as_secs_f64();
            format!("{} | {} | {ratio:.1}×", time(own.median), time(own.least))
        });
        let _ = writeln!(
            text,
            "| {} | {} |{}",
            contender.name,
            cells.join(" | "),
            allocations(contender)
        );
    }
}

#[cfg(feature = "allocations")]
fn allocations(contender: &Contender<'_>) -> String {
    format!(" {:.2} |", contender.allocations())
}

#[cfg(not(feature = "allocations"))]
fn allocations(_: &Contender<'_>) -> String {
    String::new()
}
