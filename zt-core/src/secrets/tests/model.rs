//! The slot under every schedule that a scheduler thinks of: its own source, with the scheduler's locks.

use std::sync::atomic::{AtomicU64, Ordering};

use shuttle::check_random;
use shuttle::sync::Arc as Shared;
use shuttle::thread;

use super::*;

// Its own source: the names above it are those of this module, and so are its locks.
#[expect(dead_code, reason = "the model uses a part of the slot")]
#[expect(
    clippy::duplicate_mod,
    reason = "once with the system's locks, once with the scheduler's"
)]
#[path = "../slot.rs"]
mod slot;
mod sync;

use boarding::{Boarding, Start};
use slot::Slot;

/// Versions are numbers that grow: which of two answers is the newer one can be told.
struct Bench {
    slot: Slot,
    clock: ManualClock,
    timing: Timing,
    /// The version that the vault would give now.
    newest: AtomicU64,
    under_way: AtomicU64,
    flights: AtomicU64,
}

impl Bench {
    fn new() -> Shared<Self> {
        let request = SecretRequest::new(id("bureau-api-key"));
        Shared::new(Self {
            slot: Slot::new(spread::Spread::of(request.key(), 0)),
            clock: ManualClock::new(START),
            timing: Timing::new(),
            newest: AtomicU64::new(1),
            under_way: AtomicU64::new(0),
            flights: AtomicU64::new(0),
        })
    }

    fn terms(&self) -> Terms {
        SecretRequest::new(id("bureau-api-key")).terms_under(&self.timing)
    }

    fn now(&self) -> Now {
        Now::read(&self.clock)
    }

    fn answer(&self) -> Secret {
        let version = SecretVersion::from_u128(self.newest.load(Ordering::SeqCst).into());
        let fetched = Fetched::new(SecretBytes::copy_of(b"zt-needle-model"), version);
        Secret::admit(&id("bureau-api-key"), fetched, START).unwrap()
    }

    /// Asks the vault and lands, with other threads in between.
    fn fly(&self, start: &Start) -> SecretVersion {
        self.flights.fetch_add(1, Ordering::SeqCst);
        thread::yield_now();
        let secret = self.answer();
        let version = secret.version();
        thread::yield_now();
        let now = self.now();
        let outcome = Ok(secret);
        self.slot
            .land(start.ticket, &outcome, self.terms(), now, now, &self.timing);
        drop(start.sender.send_replace(Some(outcome)));
        version
    }

    /// A reader: the version it got, or none if it was refused.
    fn read(&self) -> Option<SecretVersion> {
        match self.slot.board(&self.terms(), &self.clock, &self.timing) {
            Boarding::Served(secret, _) => Some(secret.version()),
            Boarding::Refused(_) => None,
            Boarding::Start(start) => Some(self.fly(&start)),
            Boarding::Wait(waiter) => loop {
                if let Some(outcome) = &*waiter.borrow() {
                    break Some(outcome.as_ref().unwrap().version());
                }
                thread::yield_now();
            },
        }
    }

    fn held(&self) -> Option<SecretVersion> {
        self.slot
            .peek(&self.terms(), self.clock.tick(), &self.clock)
            .map(|serving| serving.secret.version())
    }
}

fn spawn<T: Send + 'static>(
    bench: &Shared<Bench>,
    run: impl FnOnce(&Bench) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let bench = Shared::clone(bench);
    thread::spawn(move || run(&bench))
}

const SCHEDULES: usize = 500;

#[test]
fn readers_that_miss_share_one_flight() {
    check_random(
        || {
            let bench = Bench::new();
            let readers: Vec<_> = (0..3).map(|_| spawn(&bench, Bench::read)).collect();
            for reader in readers {
                assert!(reader.join().unwrap().is_some());
            }
            assert_eq!(bench.flights.load(Ordering::SeqCst), 1);
            assert!(bench.held().is_some(), "the landing was not lost");
        },
        SCHEDULES,
    );
}

#[test]
fn what_was_asked_before_a_forget_is_not_kept() {
    check_random(
        || {
            let bench = Bench::new();
            let readers: Vec<_> = (0..2).map(|_| spawn(&bench, Bench::read)).collect();
            let forget = spawn(&bench, |bench| {
                // A new version is written, and then whoever wrote it says so.
                bench.newest.store(2, Ordering::SeqCst);
                bench.slot.forget(bench.now(), &bench.timing);
            });
            forget.join().unwrap();
            let after = bench.read();
            for reader in readers {
                assert!(reader.join().unwrap().is_some(), "nobody is left waiting");
            }
            let second = SecretVersion::from_u128(2);
            assert_eq!(
                after,
                Some(second),
                "who reads after the forget gets the new one"
            );
            assert_eq!(bench.held(), Some(second), "and nothing overwrites it");
            assert!(bench.flights.load(Ordering::SeqCst) <= 2);
        },
        SCHEDULES,
    );
}

#[test]
fn a_rule_wins_over_whatever_is_under_way() {
    check_random(
        || {
            let bench = Bench::new();
            let readers: Vec<_> = (0..2).map(|_| spawn(&bench, Bench::read)).collect();
            let forced = spawn(&bench, |bench| {
                match bench
                    .slot
                    .force(&bench.terms(), &bench.clock, &bench.timing)
                {
                    Boarding::Start(start) => drop(bench.fly(&start)),
                    Boarding::Served(..) | Boarding::Refused(_) | Boarding::Wait(_) => {}
                }
            });
            let rule = spawn(&bench, |bench| {
                let refused = VaultError::network_refused("no rule names it");
                bench.slot.rule(Some(&refused), bench.now(), &bench.timing);
                assert!(bench.held().is_none());
            });
            rule.join().unwrap();
            assert!(bench.read().is_none(), "refused");
            for reader in readers {
                let _read = reader.join().unwrap();
            }
            forced.join().unwrap();
            assert!(bench.held().is_none(), "no landing revives it");
            assert!(bench.slot.forbidden().is_some());
            bench.slot.rule(None, bench.now(), &bench.timing);
            assert!(bench.held().is_none(), "nor does the end of the rule");
        },
        SCHEDULES,
    );
}

#[test]
fn of_two_who_nudge_and_two_who_read_no_two_fly_at_once() {
    check_random(
        || {
            let bench = Bench::new();
            let fly = |bench: &Bench, start| {
                assert_eq!(
                    bench.under_way.fetch_add(1, Ordering::SeqCst),
                    0,
                    "one at a time"
                );
                thread::yield_now();
                bench.under_way.fetch_sub(1, Ordering::SeqCst);
                bench.fly(&start)
            };
            let nudges: Vec<_> = (0..2)
                .map(|_| {
                    spawn(&bench, move |bench| {
                        if let Some(start) = bench.slot.nudge(&bench.clock, &bench.timing) {
                            fly(bench, start);
                        }
                    })
                })
                .collect();
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    spawn(&bench, move |bench| {
                        match bench
                            .slot
                            .board(&bench.terms(), &bench.clock, &bench.timing)
                        {
                            Boarding::Start(start) => drop(fly(bench, start)),
                            Boarding::Served(..) | Boarding::Refused(_) | Boarding::Wait(_) => {}
                        }
                    })
                })
                .collect();
            for thread in nudges.into_iter().chain(readers) {
                thread.join().unwrap();
            }
            assert!(bench.flights.load(Ordering::SeqCst) <= 2);
            assert!(bench.held().is_some());
        },
        SCHEDULES,
    );
}
