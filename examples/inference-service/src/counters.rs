//! What the service counts beside zt, in the text format of Prometheus. `docs/src/service.md` has every name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the buckets, in milliseconds.
const BOUNDS_MS: [u32; 8] = [1, 5, 10, 25, 50, 100, 500, 2500];

/// Counters of this process. They only grow, but for the requests under way.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    answered: Mutex<BTreeMap<u16, u64>>,
    buckets: [AtomicU64; BOUNDS_MS.len()],
    micros: AtomicU64,
    under_way: AtomicU64,
    pub(crate) scored: AtomicU64,
    pub(crate) sealed: AtomicU64,
    bad_looks: AtomicU64,
    pub(crate) is_draining: AtomicBool,
}

/// One request under way.
#[derive(Debug)]
pub(crate) struct UnderWay<'a>(&'a Counters);

impl Counters {
    pub(crate) fn begin(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(self)
    }

    /// A request was answered so, after so long.
    pub(crate) fn answered(&self, status: u16, took: Duration) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        *answered.entry(status).or_default() += 1;
        drop(answered);
        for (bound, bucket) in BOUNDS_MS.iter().zip(&self.buckets) {
            if took <= Duration::from_millis(u64::from(*bound)) {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn count_bad_look(&self) {
        self.bad_looks.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn text(&self) -> String {
        let mut page = String::new();
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let name = "zt_service_requests_total";
        family(
            &mut page,
            name,
            "counter",
            "Requests of callers, by status.",
        );
        for (status, count) in &*answered {
            let _cannot_fail = writeln!(page, "{name}{{status=\"{status}\"}} {count}");
        }
        let count: u64 = answered.values().sum();
        drop(answered);
        self.seconds(&mut page, count);
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for (name, kind, help, value) in [
            (
                "zt_service_requests_under_way",
                "gauge",
                "Requests of callers that are not answered yet.",
                number(&self.under_way),
            ),
            (
                "zt_service_rows_scored_total",
                "counter",
                "Loan applications that were scored.",
                number(&self.scored),
            ),
            (
                "zt_service_rows_sealed_total",
                "counter",
                "Of these, those whose answer was sealed.",
                number(&self.sealed),
            ),
            (
                "zt_service_bad_looks_total",
                "counter",
                "Looks at the tables that found no good ones.",
                number(&self.bad_looks),
            ),
            (
                "zt_service_draining",
                "gauge",
                "Whether the service was told to stop.",
                u64::from(self.is_draining.load(Ordering::Relaxed)),
            ),
        ] {
            family(&mut page, name, kind, help);
            let _cannot_fail = writeln!(page, "{name} {value}");
        }
        page
    }

    fn seconds(&self, page: &mut String, count: u64) {
        let name = "zt_service_request_seconds";
        family(
            page,
            name,
            "histogram",
            "How long requests of callers took.",
        );
        for (bound, bucket) in BOUNDS_MS.iter().zip(&self.buckets) {
            let (bound, below) = (f64::from(*bound) / 1e3, bucket.load(Ordering::Relaxed));
            let _cannot_fail = writeln!(page, "{name}_bucket{{le=\"{bound}\"}} {below}");
        }
        let _cannot_fail = writeln!(page, "{name}_bucket{{le=\"+Inf\"}} {count}");
        let micros = self.micros.load(Ordering::Relaxed);
        let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
        let _cannot_fail = writeln!(page, "{name}_sum {whole}.{rest:06}\n{name}_count {count}");
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

fn family(page: &mut String, name: &str, kind: &str, help: &str) {
    let _cannot_fail = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_stands_in_its_bucket_and_in_all_above() {
        let counters = Counters::default();
        let under_way = counters.begin();
        assert!(
            counters
                .text()
                .contains("zt_service_requests_under_way 1\n")
        );
        drop(under_way);
        counters.answered(200, Duration::from_millis(7));
        counters.answered(403, Duration::from_secs(60));
        let text = counters.text();
        for line in [
            "zt_service_requests_total{status=\"200\"} 1",
            "zt_service_requests_total{status=\"403\"} 1",
            "zt_service_request_seconds_bucket{le=\"0.005\"} 0",
            "zt_service_request_seconds_bucket{le=\"0.01\"} 1",
            "zt_service_request_seconds_bucket{le=\"2.5\"} 1",
            "zt_service_request_seconds_bucket{le=\"+Inf\"} 2",
            "zt_service_request_seconds_sum 60.007000",
            "zt_service_request_seconds_count 2",
            "zt_service_requests_under_way 0",
        ] {
            assert!(text.lines().any(|own| own == line), "{line} in {text}");
        }
    }
}
