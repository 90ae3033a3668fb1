//! The gate in front of one vault: how often it is called, and when it is not called at all.
//!
//! In: "may I call?" and how calls ended. Out: go, wait so long, or an error at once. Pure; the time is passed in. Three
//! reasons to hold calls back: the vault's limit (a token bucket; 4,000 calls in 10 s for a vault, Microsoft Learn, "Azure
//! Key Vault service limits", of which one process takes a tenth), the vault's own word (`Retry-After`), and a vault that
//! does not answer (a circuit breaker with one probe at a time).
//! Never: a caller that sleeps while a pause that the vault asked for runs.

use std::collections::VecDeque;
use std::time::Duration;

use super::VaultError;

/// What a gate lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateLimits {
    /// Calls in a second, over time: 40.
    pub calls_per_second: u32,
    /// Calls at once after a quiet time: 200.
    pub burst: u32,
    /// Calls under way at once: 16.
    pub concurrent: usize,
    /// The longest pause that a vault may ask for: 5 minutes.
    pub longest_pause: Duration,
    /// The pause after a "too many calls" that names none: 10 seconds, the window in which Key Vault counts.
    pub unnamed_pause: Duration,
    /// So many calls without an answer within [`failure_window`](Self::failure_window) open the breaker: 5.
    pub failures: usize,
    /// 30 seconds.
    pub failure_window: Duration,
    /// How long the breaker stays open at first: 10 seconds, doubled after each probe that fails.
    pub open_for: Duration,
    /// How long at most: 2 minutes.
    pub longest_open: Duration,
}

impl GateLimits {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            calls_per_second: 40,
            burst: 200,
            concurrent: 16,
            longest_pause: Duration::from_secs(300),
            unnamed_pause: Duration::from_secs(10),
            failures: 5,
            failure_window: Duration::from_secs(30),
            open_for: Duration::from_secs(10),
            longest_open: Duration::from_secs(120),
        }
    }
}

impl Default for GateLimits {
    fn default() -> Self {
        Self::new()
    }
}

/// What a gate answers.
#[derive(Debug)]
pub(super) enum Admission {
    /// Call.
    Go(Pass),
    /// Ask again after so long: the bucket is empty.
    Wait(Duration),
    /// Do not call, and do not wait.
    Closed(VaultError),
}

/// The right to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pass {
    is_probe: bool,
}

/// How a gate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GateState {
    /// Calls go through.
    Open,
    /// The vault asked for a pause, which ends in so long.
    Paused(Duration),
    /// The vault does not answer; the next probe may go in so long.
    Broken(Duration),
    /// One probe is under way.
    Probing,
}

impl GateState {
    /// The word of status and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paused(_) => "paused",
            Self::Broken(_) => "broken",
            Self::Probing => "probing",
        }
    }

    /// For how long it stays so, as far as is known.
    pub(super) const fn left(self) -> Duration {
        match self {
            Self::Open | Self::Probing => Duration::ZERO,
            Self::Paused(left) | Self::Broken(left) => left,
        }
    }
}

#[derive(Debug)]
pub(super) struct Gate {
    limits: GateLimits,
    /// Thousandths of calls that may still be made at `filled_at`.
    bucket: u64,
    filled_at: Duration,
    paused_until: Duration,
    failed_at: VecDeque<Duration>,
    breaker: Breaker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaker {
    Closed,
    /// Until a tick; the next time for so long.
    Open {
        until: Duration,
        pause: Duration,
    },
    /// A probe left at that tick.
    Probing {
        since: Duration,
        pause: Duration,
    },
}

impl Gate {
    pub(super) fn new(limits: GateLimits, now: Duration) -> Self {
        Self {
            limits,
            bucket: u64::from(limits.burst).saturating_mul(1000),
            filled_at: now,
            paused_until: Duration::ZERO,
            failed_at: VecDeque::new(),
            breaker: Breaker::Closed,
        }
    }

    /// Why nothing goes through, if nothing does.
    pub(super) fn refusal(&self, now: Duration) -> Option<VaultError> {
        match self.state(now) {
            GateState::Paused(left) => Some(VaultError::throttled(Some(left))),
            GateState::Broken(left) => Some(broken(left)),
            GateState::Probing => Some(broken(Duration::from_secs(1))),
            GateState::Open => None,
        }
    }

    /// Whether a call may be made at `now`.
    pub(super) fn ask(&mut self, now: Duration) -> Admission {
        if let Some(closed) = self.refusal(now) {
            return Admission::Closed(closed);
        }
        self.fill(now);
        let Some(left) = self.bucket.checked_sub(1000) else {
            let missing = 1000u64.saturating_sub(self.bucket);
            let rate = u64::from(self.limits.calls_per_second).max(1);
            return Admission::Wait(Duration::from_millis(missing.div_ceil(rate)));
        };
        self.bucket = left;
        let is_probe = match self.breaker {
            Breaker::Open { pause, .. } | Breaker::Probing { pause, .. } => {
                self.breaker = Breaker::Probing { since: now, pause };
                true
            }
            Breaker::Closed => false,
        };
        Admission::Go(Pass { is_probe })
    }

    /// Takes in how a call ended; `None` for an answer, whatever it says. Whether this closed the gate.
    pub(super) fn ended(&mut self, pass: Pass, error: Option<&VaultError>, now: Duration) -> bool {
        match error {
            Some(VaultError::Throttled { retry_in }) => {
                let pause = retry_in.unwrap_or(self.limits.unnamed_pause);
                let until = now.saturating_add(pause.min(self.limits.longest_pause));
                self.paused_until = self.paused_until.max(until);
                self.answered();
                true
            }
            Some(VaultError::Unavailable { retry_in, .. }) => {
                if let Some(pause) = retry_in {
                    let until = now.saturating_add((*pause).min(self.limits.longest_pause));
                    self.paused_until = self.paused_until.max(until);
                }
                let is_open = self.unanswered(pass, now);
                is_open || retry_in.is_some()
            }
            // Nothing was sent, or to nobody that we know: says nothing about the vault's health.
            Some(
                VaultError::NetworkRefused { .. }
                | VaultError::Tls { .. }
                | VaultError::Unauthenticated { .. },
            ) => {
                if pass.is_probe {
                    return self.unanswered(pass, now);
                }
                false
            }
            Some(VaultError::TokenPending { .. }) => {
                self.unheard(pass, now);
                false
            }
            Some(_) | None => {
                self.answered();
                false
            }
        }
    }

    /// A call that says nothing of the vault, because our own side took its time. Where it was the probe, the next call is.
    pub(super) fn unheard(&mut self, pass: Pass, now: Duration) {
        if let (true, Breaker::Probing { pause, .. }) = (pass.is_probe, self.breaker) {
            self.breaker = Breaker::Open { until: now, pause };
        }
    }

    /// A call that nobody heard of again.
    pub(super) fn lost(&mut self, pass: Pass, now: Duration) {
        let _is_closed = self.unanswered(pass, now);
    }

    pub(super) fn state(&self, now: Duration) -> GateState {
        if now < self.paused_until {
            return GateState::Paused(self.paused_until.saturating_sub(now));
        }
        match self.breaker {
            Breaker::Open { until, .. } if now < until => {
                GateState::Broken(until.saturating_sub(now))
            }
            // A probe that never came back frees its place.
            Breaker::Probing { since, pause } if now < since.saturating_add(pause) => {
                GateState::Probing
            }
            Breaker::Open { .. } | Breaker::Probing { .. } | Breaker::Closed => GateState::Open,
        }
    }

    fn answered(&mut self) {
        self.failed_at.clear();
        self.breaker = Breaker::Closed;
    }

    fn unanswered(&mut self, pass: Pass, now: Duration) -> bool {
        let open = |pause: Duration| Breaker::Open {
            until: now.saturating_add(pause),
            pause,
        };
        if let (true, Breaker::Probing { pause, .. }) = (pass.is_probe, self.breaker) {
            self.breaker = open(pause.saturating_mul(2).min(self.limits.longest_open));
            return true;
        }
        let window = self.limits.failure_window;
        self.failed_at.retain(|at| now.saturating_sub(*at) < window);
        self.failed_at.push_back(now);
        if self.breaker == Breaker::Closed && self.failed_at.len() >= self.limits.failures {
            self.breaker = open(self.limits.open_for);
            return true;
        }
        false
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.filled_at).as_millis();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        let gained = passed.saturating_mul(u64::from(self.limits.calls_per_second));
        let most = u64::from(self.limits.burst).saturating_mul(1000);
        self.bucket = self.bucket.saturating_add(gained).min(most);
        // Kept to the millisecond that was counted, so that many short looks lose nothing.
        self.filled_at = self.filled_at.saturating_add(Duration::from_millis(passed));
    }
}

fn broken(left: Duration) -> VaultError {
    VaultError::unavailable(
        "it did not answer a moment ago, and is not called",
        Some(left),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn gate() -> Gate {
        Gate::new(GateLimits::new(), Duration::ZERO)
    }

    fn pass(gate: &mut Gate, now: Duration) -> Pass {
        match gate.ask(now) {
            Admission::Go(pass) => pass,
            other @ (Admission::Wait(_) | Admission::Closed(_)) => panic!("{other:?}"),
        }
    }

    fn down() -> VaultError {
        VaultError::unavailable("503", None)
    }

    #[test]
    fn a_burst_goes_through_and_then_forty_a_second() {
        let mut gate = gate();
        for _ in 0..200 {
            pass(&mut gate, Duration::ZERO);
        }
        let Admission::Wait(wait) = gate.ask(Duration::ZERO) else {
            panic!("the bucket has no bottom");
        };
        assert_eq!(wait, Duration::from_millis(25));
        pass(&mut gate, wait);
        assert!(matches!(gate.ask(wait), Admission::Wait(_)));
        for _ in 0..40 {
            pass(&mut gate, SECOND + wait);
        }
        assert!(matches!(gate.ask(SECOND + wait), Admission::Wait(_)));
    }

    #[test]
    fn a_pause_that_the_vault_asks_for_is_kept_and_bounded() {
        let mut gate = gate();
        let going = pass(&mut gate, SECOND);
        let throttled = VaultError::throttled(Some(SECOND * 7));
        assert!(gate.ended(going, Some(&throttled), SECOND));
        match gate.ask(SECOND * 3) {
            Admission::Closed(VaultError::Throttled { retry_in }) => {
                assert_eq!(retry_in, Some(SECOND * 5));
            }
            other @ (Admission::Go(_) | Admission::Wait(_) | Admission::Closed(_)) => {
                panic!("{other:?}")
            }
        }
        let going = pass(&mut gate, SECOND * 8);
        let endless = VaultError::throttled(Some(SECOND * 100_000));
        gate.ended(going, Some(&endless), SECOND * 8);
        assert_eq!(gate.state(SECOND * 9), GateState::Paused(SECOND * 299));
        let going = Pass { is_probe: false };
        gate.ended(going, Some(&VaultError::throttled(None)), SECOND * 1000);
        assert_eq!(gate.state(SECOND * 1000), GateState::Paused(SECOND * 10));
    }

    #[test]
    fn five_failures_open_the_breaker_and_one_probe_closes_it() {
        let mut gate = gate();
        for n in 0..5 {
            let going = pass(&mut gate, SECOND * n);
            assert_eq!(gate.ended(going, Some(&down()), SECOND * n), n == 4);
        }
        assert_eq!(gate.state(SECOND * 4), GateState::Broken(SECOND * 10));
        assert!(matches!(
            gate.ask(SECOND * 13),
            Admission::Closed(VaultError::Unavailable { .. })
        ));
        let probe = pass(&mut gate, SECOND * 14);
        assert!(probe.is_probe);
        assert!(
            matches!(gate.ask(SECOND * 14), Admission::Closed(_)),
            "one probe at a time"
        );
        gate.ended(probe, Some(&down()), SECOND * 15);
        assert_eq!(gate.state(SECOND * 15), GateState::Broken(SECOND * 20));
        let probe = pass(&mut gate, SECOND * 35);
        gate.ended(probe, None, SECOND * 36);
        assert_eq!(gate.state(SECOND * 36), GateState::Open);
        assert!(!pass(&mut gate, SECOND * 36).is_probe);
    }

    #[test]
    fn the_breaker_stays_open_for_two_minutes_at_most() {
        let mut gate = gate();
        for _ in 0..5 {
            let going = pass(&mut gate, Duration::ZERO);
            gate.ended(going, Some(&down()), Duration::ZERO);
        }
        let mut now = Duration::ZERO;
        for _ in 0..8 {
            let GateState::Broken(left) = gate.state(now) else {
                panic!("closed by itself");
            };
            assert!(left <= SECOND * 120);
            now += left;
            let probe = pass(&mut gate, now);
            gate.ended(probe, Some(&down()), now);
        }
        assert_eq!(gate.state(now), GateState::Broken(SECOND * 120));
    }

    #[test]
    fn failures_that_lie_far_apart_and_answers_of_any_kind_open_nothing() {
        let mut gate = gate();
        for n in 0..20 {
            let going = pass(&mut gate, SECOND * (n * 8));
            gate.ended(going, Some(&down()), SECOND * (n * 8));
        }
        assert_eq!(gate.state(SECOND * 160), GateState::Open);
        for n in 0..20 {
            let at = SECOND * 200 + Duration::from_millis(n);
            let going = pass(&mut gate, at);
            let said = if n % 4 == 3 {
                VaultError::integrity("kv", "not JSON")
            } else {
                down()
            };
            gate.ended(going, Some(&said), at);
        }
        assert_eq!(gate.state(SECOND * 201), GateState::Open);
    }

    #[test]
    fn what_our_own_side_delays_counts_for_nothing_and_leaves_the_probe_to_the_next_call() {
        let mut gate = gate();
        let late = VaultError::token_pending("managed identity", SECOND);
        for _ in 0..20 {
            let going = pass(&mut gate, SECOND);
            assert!(!gate.ended(going, Some(&late), SECOND));
            let going = pass(&mut gate, SECOND);
            gate.unheard(going, SECOND);
        }
        assert_eq!(gate.state(SECOND), GateState::Open);
        for _ in 0..5 {
            let going = pass(&mut gate, SECOND);
            gate.ended(going, Some(&down()), SECOND);
        }
        for at in [SECOND * 11, SECOND * 12] {
            let probe = pass(&mut gate, at);
            assert!(probe.is_probe);
            assert!(matches!(gate.ask(at), Admission::Closed(_)));
            assert!(!gate.ended(probe, Some(&late), at));
        }
        let probe = pass(&mut gate, SECOND * 13);
        assert!(gate.ended(probe, Some(&down()), SECOND * 13));
        let doubled_once = GateState::Broken(SECOND * 20);
        assert_eq!(gate.state(SECOND * 13), doubled_once);
    }

    #[test]
    fn a_probe_that_is_lost_does_not_close_the_gate_for_ever() {
        let mut gate = gate();
        for _ in 0..5 {
            let going = pass(&mut gate, Duration::ZERO);
            gate.ended(going, Some(&down()), Duration::ZERO);
        }
        let _lost = pass(&mut gate, SECOND * 10);
        assert!(matches!(gate.ask(SECOND * 19), Admission::Closed(_)));
        assert!(pass(&mut gate, SECOND * 20).is_probe);
    }
}
