//! Readers of one shelf in turn, on one thread and on two at once. Time is that of the thread's CPU: a hit waits for nothing,
//! and what other programs do is not counted.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use super::shelf::{BYTES, SECRETS};
use crate::Outcome;
use crate::harness::{Effort, thread_cpu as cpu};

/// Reads the secret at a place of the shelf; answers how many bytes it has.
type Read<'a> = Box<dyn Fn(usize) -> Option<usize> + Send + Sync + 'a>;

/// One way to read.
pub struct Contender<'a> {
    pub name: &'static str,
    read: Read<'a>,
}

/// What came out for one contender: time for one hit.
pub struct Figures {
    pub median: Duration,
    pub least: Duration,
}

impl<'a> Contender<'a> {
    pub fn new(
        name: &'static str,
        read: impl Fn(usize) -> Option<usize> + Send + Sync + 'a,
    ) -> Self {
        let read = Box::new(read);
        Self { name, read }
    }

    /// Every place is read and is a hit: else the measurement would look fast and mean nothing.
    pub fn check(&self) -> Outcome {
        match (0..SECRETS).find(|at| (self.read)(*at) != Some(BYTES)) {
            Some(at) => Err(format!("{}: the secret at {at} is no hit", self.name).into()),
            None => Ok(()),
        }
    }

    /// The mean of so many hits, from somewhere in the order on.
    fn sample(&self, order: &[usize], from: usize, calls: u32) -> Duration {
        let (mut at, round) = (from, order.len() - 1);
        let began = cpu();
        for _ in 0..calls {
            black_box((self.read)(order[at & round]));
            at += 1;
        }
        cpu().saturating_sub(began) / calls
    }

    /// The same on so many threads at once: the mean of theirs.
    fn sample_on(&self, threads: usize, order: &[usize], calls: u32) -> Duration {
        if threads == 1 {
            return self.sample(order, fastrand::usize(..order.len()), calls);
        }
        let start = Barrier::new(threads);
        let mean: Duration = thread::scope(|scope| {
            let run = || {
                start.wait();
                self.sample(order, fastrand::usize(..order.len()), calls)
            };
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
            running
                .into_iter()
                .map(|one| one.join().unwrap_or(Duration::MAX / 8))
                .sum()
        });
        mean / u32::try_from(threads).unwrap_or(1)
    }

    /// Allocations of one hit.
    #[cfg(feature = "allocations")]
    pub fn allocations(&self) -> f64 {
        let counted = allocation_counter::measure(|| {
            for at in 0..SECRETS {
                black_box((self.read)(at));
            }
        });
        counted.count_total as f64 / SECRETS as f64
    }
}

/// All of them in turn, sample by sample.
pub fn compare(
    contenders: &[Contender<'_>],
    threads: usize,
    order: &[usize],
    effort: Effort,
) -> Vec<Figures> {
    // A quarter of a sample elsewhere: all of it must be over within the minute in which repeats are counted.
    let wanted = (effort.sample() / 4).as_secs_f64();
    let mut calls = Vec::new();
    for one in contenders {
        let trial = one.sample(order, 0, 10_000).max(Duration::from_nanos(1));
        calls.push(((wanted / trial.as_secs_f64()) as u32).max(1));
    }
    let mut times = vec![Vec::with_capacity(effort.samples()); contenders.len()];
    for _ in 0..effort.samples() {
        for ((one, calls), times) in contenders.iter().zip(&calls).zip(&mut times) {
            times.push(one.sample_on(threads, order, *calls));
        }
    }
    let figures = times.into_iter().map(|mut times| {
        times.sort();
        Figures {
            median: times.get(times.len() / 2).copied().unwrap_or_default(),
            least: times.first().copied().unwrap_or_default(),
        }
    });
    figures.collect()
}
