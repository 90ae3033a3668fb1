//! Laws of the state machine, under any sequence of events: what a reader may be given, told by a model that remembers less.

use proptest::prelude::*;

use super::state::{Event, Now, State};
use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// A fetch gave a value: for a reader with this TTL and stale window, of the same version as the last or a new one,
    /// ending so many seconds from now.
    Value {
        ttl: u64,
        stale: u64,
        is_same: bool,
        ends_in: Option<u64>,
    },
    Failure(Failure),
    Pass(u64),
    /// The wall clock is set, by so many seconds.
    Set(i64),
    Sleep(u64),
    Look(bool),
    Forget,
    Rule(bool),
    Redeclare(u64, u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Down,
    Throttled,
    Unknown,
    Garbage,
    Tls,
    Firewall,
    Refused,
    Missing,
    Early,
    Denied,
    Disabled,
    Expired,
}

const FAILURES: [Failure; 12] = [
    Failure::Down,
    Failure::Throttled,
    Failure::Unknown,
    Failure::Garbage,
    Failure::Tls,
    Failure::Firewall,
    Failure::Refused,
    Failure::Missing,
    Failure::Early,
    Failure::Denied,
    Failure::Disabled,
    Failure::Expired,
];

impl Failure {
    fn error(self, wall: Timestamp) -> VaultError {
        let id = id("bureau-api-key");
        match self {
            Self::Down => VaultError::unavailable("503", None),
            Self::Throttled => VaultError::throttled(Some(MINUTE)),
            Self::Unknown => VaultError::unauthenticated("401"),
            Self::Garbage => VaultError::integrity("kv", "not JSON"),
            Self::Tls => VaultError::tls("another name"),
            Self::Firewall => VaultError::firewall("kv", "ForbiddenByFirewall"),
            Self::Refused => VaultError::network_refused("no rule"),
            Self::Missing => VaultError::not_found(&id),
            Self::Early => VaultError::NotYetValid {
                id,
                not_before: wall.after(MINUTE),
            },
            Self::Denied => VaultError::denied(&id, "ForbiddenByRbac"),
            Self::Disabled => VaultError::disabled(&id),
            Self::Expired => VaultError::Expired { id, expires: wall },
        }
    }

    const fn is_no(self) -> bool {
        matches!(self, Self::Denied | Self::Disabled | Self::Expired)
    }
}

fn step() -> impl Strategy<Value = Step> {
    let seconds = || prop_oneof![Just(0u64), 1u64..120, 60u64..4000];
    prop_oneof![
        4 => (seconds(), seconds(), any::<bool>(), prop::option::of(0u64..2000)).prop_map(
            |(ttl, stale, is_same, ends_in)| Step::Value { ttl, stale, is_same, ends_in }
        ),
        4 => prop::sample::select(&FAILURES[..]).prop_map(Step::Failure),
        6 => prop_oneof![0u64..5000, 10_000u64..2_000_000].prop_map(Step::Pass),
        1 => (-4000i64..4000).prop_map(Step::Set),
        1 => (0u64..4000).prop_map(Step::Sleep),
        2 => any::<bool>().prop_map(Step::Look),
        1 => Just(Step::Forget),
        1 => any::<bool>().prop_map(Step::Rule),
        1 => (seconds(), seconds()).prop_map(|(ttl, stale)| Step::Redeclare(ttl, stale)),
    ]
}

/// What may be served at most: the last value, and what has happened since.
#[derive(Debug)]
struct Known {
    version: SecretVersion,
    since: Duration,
    slept: Duration,
    /// By the wall clock, and by the tick when it landed.
    ends: Option<(Timestamp, Duration)>,
    is_in_trouble: bool,
    missed_at: Option<Duration>,
}

struct Model {
    clock: ManualClock,
    state: State,
    timing: Timing,
    spread: spread::Spread,
    versions: u128,
    known: Option<Known>,
    is_forbidden: bool,
}

fn terms(ttl: u64, stale: u64) -> Terms {
    SecretRequest::new(id("bureau-api-key"))
        .with_ttl(Duration::from_secs(ttl))
        .with_max_stale(Duration::from_secs(stale))
        .terms_under(&Timing::new())
}

impl Model {
    fn new(salt: u64) -> Self {
        Self {
            clock: ManualClock::new(START),
            state: State::Absent,
            timing: Timing::new(),
            spread: spread::Spread::of(SecretRequest::new(id("bureau-api-key")).key(), salt),
            versions: 1,
            known: None,
            is_forbidden: false,
        }
    }

    fn apply(&mut self, event: &Event<'_>) {
        let now = Now::read(&self.clock);
        if let Some(next) = self.state.next(event, now, &self.timing, self.spread) {
            self.state = next;
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Value {
                ttl,
                stale,
                is_same,
                ends_in,
            } => self.value(terms(ttl, stale), is_same, ends_in.map(Duration::from_secs)),
            Step::Failure(failure) => self.failure(failure),
            Step::Pass(ms) => self.clock.advance(Duration::from_millis(ms)),
            Step::Set(seconds) => {
                let wall = self.clock.now().as_millis() + seconds * 1000;
                self.clock.jump_to(Timestamp::from_millis(wall));
            }
            Step::Sleep(seconds) => {
                let slept = Duration::from_secs(seconds);
                self.clock.jump_to(self.clock.now().after(slept));
                self.apply(&Event::Slept(slept));
                if let Some(known) = &mut self.known {
                    known.slept += slept;
                }
            }
            Step::Look(is_idle) => self.apply(&Event::Looked { is_idle }),
            Step::Forget => {
                self.apply(&Event::Forgotten);
                self.known = None;
            }
            Step::Rule(is_refused) => {
                let refused = is_refused.then(|| VaultError::network_refused("no rule"));
                self.apply(&Event::Ruled(refused.as_ref()));
                if is_refused {
                    self.known = None;
                }
                self.is_forbidden = is_refused;
            }
            Step::Redeclare(ttl, stale) => {
                self.apply(&Event::Redeclared(terms(ttl, stale)));
                if ttl == 0 {
                    self.known = None;
                }
            }
        }
    }

    fn value(&mut self, terms: Terms, is_same: bool, ends_in: Option<Duration>) {
        if !is_same {
            self.versions += 1;
        }
        let (wall, tick) = (self.clock.now(), self.clock.elapsed());
        let ends = ends_in.map(|by| wall.after(by));
        let validity = ends.map_or(Validity::ALWAYS, |at| Validity::ALWAYS.ending(at));
        let version = SecretVersion::from_u128(self.versions);
        let fetched =
            Fetched::new(SecretBytes::copy_of(b"zt-needle-law"), version).with_validity(validity);
        let outcome = Secret::admit(&id("bureau-api-key"), fetched, wall)
            .map_err(|error| FetchError::new(error, None));
        let is_expired = outcome.is_err();
        self.apply(&Event::Landed(&outcome, terms));
        if self.is_forbidden {
            return;
        }
        if is_expired {
            self.known = None;
            return;
        }
        let margin = self.timing.expiry_margin;
        let lifetime = terms
            .ttl
            .min(ends_in.map_or(Duration::MAX, |left| left.saturating_sub(margin)));
        if lifetime.is_zero() {
            // Nobody may keep it; what is kept for others stays if it is the same.
            self.known = self.known.take().filter(|known| {
                known.version == version && known.ends.map(|(wall, _)| wall) == ends
            });
            if let Some(known) = &mut self.known {
                (known.is_in_trouble, known.missed_at) = (false, None);
            }
            return;
        }
        self.known = Some(Known {
            version,
            since: tick,
            slept: Duration::ZERO,
            ends: ends.zip(ends_in),
            is_in_trouble: false,
            missed_at: None,
        });
        let served = self.state.serve(&terms, tick, &self.clock);
        assert!(
            served.is_some_and(|serving| serving.secret.version() == version && !serving.is_due)
        );
    }

    fn failure(&mut self, failure: Failure) {
        let error = FetchError::new(failure.error(self.clock.now()), None);
        let outcome = Err(error);
        self.apply(&Event::Landed(&outcome, terms(60, 60)));
        let tick = self.clock.elapsed();
        if self.is_forbidden {
            return;
        }
        let grace = self.timing.missing_grace;
        let is_sure = |known: &Known| known.missed_at.is_some_and(|at| tick - at >= grace);
        match &mut self.known {
            Some(known) if failure.is_no() || failure == Failure::Missing && is_sure(known) => {
                self.known = None;
            }
            Some(known) => {
                known.is_in_trouble = true;
                if failure == Failure::Missing {
                    known.missed_at = known.missed_at.or(Some(tick));
                }
            }
            None => {}
        }
        if failure.is_no() {
            assert!(!matches!(self.state, State::Held(_)));
        }
    }

    /// No reader, whatever their times, gets what the laws forbid.
    fn check(&self) {
        let (wall, tick) = (self.clock.now(), self.clock.elapsed());
        for (ttl, stale) in [
            (0, 0),
            (0, 4000),
            (1, 0),
            (60, 0),
            (60, 3600),
            (600, 60),
            (100_000, 0),
            (100_000, 100_000),
        ] {
            let terms = terms(ttl, stale);
            let Some(serving) = self.state.serve(&terms, tick, &self.clock) else {
                continue;
            };
            let secret = serving.secret;
            assert!(!self.is_forbidden, "of a forbidden vault");
            let known = self.known.as_ref().expect("after a no, a forget or a rule");
            assert!(secret.version() == known.version, "an older version");
            let age = tick - known.since + known.slept;
            assert!(!terms.ttl.is_zero(), "kept for who keeps nothing");
            if let Some((end, left)) = known.ends {
                assert!(wall < end && age < left, "after its end");
            }
            if age >= terms.ttl {
                assert!(known.is_in_trouble, "older than its TTL without trouble");
                assert!(known.missed_at.is_none(), "bridged although there was none");
                assert!(secret.stale_for().is_some(), "and it does not say so");
            }
            assert!(
                age < terms.ttl + terms.max_stale,
                "older than all its times"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_slot_keeps_the_laws(salt: u64, steps in prop::collection::vec(step(), 1..60)) {
        let mut model = Model::new(salt);
        for step in &steps {
            model.take(step);
            model.check();
        }
    }

    /// What is over is wiped by a look, whoever could still have been served before.
    #[test]
    fn a_look_leaves_nothing_that_nobody_may_have(salt: u64, steps in prop::collection::vec(step(), 1..60)) {
        let mut model = Model::new(salt);
        for step in &steps {
            model.take(step);
        }
        model.apply(&Event::Looked { is_idle: false });
        if let State::Held(held) = &model.state {
            let wall = model.clock.now();
            assert!(held.secret.expires_at().is_none_or(|end| wall < end));
            let known = model.known.expect("held");
            let age = model.clock.elapsed() - known.since + known.slept;
            assert!(known.ends.is_none_or(|(_, left)| age < left));
        }
    }
}
