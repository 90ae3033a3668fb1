//! Measures closures against each other in one run: samples are interleaved, so that a busy machine is busy for all of them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, Timespec, clock_gettime};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    samples: usize,
    /// How long one sample should take.
    sample: Duration,
    /// How often the whole job runs.
    runs: usize,
    /// How many times over the sample's loans are scored.
    jobs: &'static [usize],
    /// How many policies the engines are compared on.
    policies: &'static [usize],
}

impl Effort {
    /// Numbers to publish.
    pub const FULL: Self = Self {
        samples: 31,
        sample: Duration::from_millis(20),
        runs: 11,
        jobs: &[1, 20],
        policies: &[10, 100, 1_000, 10_000, 100_000],
    };
    /// Whether everything still runs.
    pub const QUICK: Self = Self {
        samples: 3,
        sample: Duration::from_micros(200),
        runs: 1,
        jobs: &[1],
        policies: &[10, 100],
    };

    /// How often the whole job runs.
    pub const fn runs(self) -> usize {
        self.runs
    }

    /// How many policies the engines are compared on, for each measurement.
    pub const fn policies(self) -> &'static [usize] {
        self.policies
    }

    /// How many samples are taken of each case.
    pub const fn samples(self) -> usize {
        self.samples
    }

    /// How long one sample should take.
    pub const fn sample(self) -> Duration {
        self.sample
    }

    /// Whether the numbers mean nothing.
    pub const fn is_quick(self) -> bool {
        self.samples == Self::QUICK.samples
    }

    /// How many times over the sample's loans are scored, for each measurement.
    pub const fn jobs(self) -> &'static [usize] {
        self.jobs
    }
}

/// One thing to measure.
pub struct Case<'a> {
    name: String,
    run: Box<dyn FnMut() + 'a>,
}

impl<'a> Case<'a> {
    /// A closure; what it answers is kept from being optimised away.
    pub fn new<T>(name: impl Into<String>, mut run: impl FnMut() -> T + 'a) -> Self {
        let run = move || {
            black_box(run());
        };
        Self {
            name: name.into(),
            run: Box::new(run),
        }
    }
}

/// What came out: time for one call.
#[derive(Debug, Clone)]
pub struct Measured {
    pub name: String,
    pub median: Duration,
    pub least: Duration,
}

/// A group of measurements; ratios are to its first.
#[derive(Debug)]
pub struct Group {
    pub title: &'static str,
    pub measured: Vec<Measured>,
}

/// Measures the cases in turn, sample by sample.
pub fn compare(title: &'static str, effort: Effort, cases: Vec<Case<'_>>) -> Group {
    let origin = Instant::now();
    compare_by(|| origin.elapsed(), title, effort, cases)
}

/// The same in time of processors, that of all threads together: what others do is not counted, what threads of a case do is.
pub fn compare_cores(title: &'static str, effort: Effort, cases: Vec<Case<'_>>) -> Group {
    compare_by(process_cpu, title, effort, cases)
}

fn compare_by(
    clock: impl Fn() -> Duration,
    title: &'static str,
    effort: Effort,
    mut cases: Vec<Case<'_>>,
) -> Group {
    let calls: Vec<u32> = cases.iter_mut().map(|case| calls(case, effort)).collect();
    let mut times = vec![Vec::with_capacity(effort.samples); cases.len()];
    for _ in 0..effort.samples {
        for ((case, calls), times) in cases.iter_mut().zip(&calls).zip(&mut times) {
            let began = clock();
            for _ in 0..*calls {
                (case.run)();
            }
            times.push(clock().saturating_sub(began) / *calls);
        }
    }
    let names = cases.into_iter().map(|case| case.name);
    let measured = names.zip(times).map(|(name, times)| measured(name, times));
    Group {
        title,
        measured: measured.collect(),
    }
}

/// How many calls fill one sample; warms the caches too.
fn calls(case: &mut Case<'_>, effort: Effort) -> u32 {
    let mut calls: u32 = 1;
    loop {
        let began = Instant::now();
        for _ in 0..calls {
            (case.run)();
        }
        let took = began.elapsed();
        if took >= effort.sample / 2 || calls >= 1 << 24 {
            let wanted = effort.sample.as_secs_f64() / (took.as_secs_f64() / f64::from(calls));
            return (wanted.min(f64::from(u32::MAX)) as u32).max(1);
        }
        calls *= 2;
    }
}

/// What this thread has used of a CPU.
pub fn thread_cpu() -> Duration {
    duration(clock_gettime(ClockId::ThreadCPUTime))
}

/// What all threads of this process have, those that have ended too.
pub fn process_cpu() -> Duration {
    duration(clock_gettime(ClockId::ProcessCPUTime))
}

fn duration(used: Timespec) -> Duration {
    let seconds = u64::try_from(used.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(used.tv_nsec).unwrap_or(0))
}

/// One thing to measure that knows itself what one call of it took.
pub struct Timed<'a> {
    name: String,
    run: Box<dyn FnMut() -> Duration + 'a>,
}

impl<'a> Timed<'a> {
    pub fn new(name: impl Into<String>, run: impl FnMut() -> Duration + 'a) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
        }
    }
}

/// So many samples of each, in turn.
pub fn compare_timed(title: &'static str, samples: usize, mut all: Vec<Timed<'_>>) -> Group {
    let mut times = vec![Vec::with_capacity(samples); all.len()];
    for _ in 0..samples {
        for (one, times) in all.iter_mut().zip(&mut times) {
            times.push((one.run)());
        }
    }
    let names = all.into_iter().map(|one| one.name);
    let measured = names.zip(times).map(|(name, times)| measured(name, times));
    Group {
        title,
        measured: measured.collect(),
    }
}

fn measured(name: String, mut times: Vec<Duration>) -> Measured {
    times.sort();
    Measured {
        name,
        median: times.get(times.len() / 2).copied().unwrap_or_default(),
        least: times.first().copied().unwrap_or_default(),
    }
}
