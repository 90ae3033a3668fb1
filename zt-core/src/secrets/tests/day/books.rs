//! A vault in moods, and the books in which it writes what it was asked and what it said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use super::super::*;
use super::{SECOND, second};
use crate::port::BoxFuture;

/// What the vault does for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Well,
    Throttling,
    Down,
    Hanging,
    Garbage,
    Denying,
    Missing,
    Firewall,
    /// A different one for each call.
    Wild,
}

pub(super) const MOODS: [Mood; 9] = [
    Mood::Well,
    Mood::Throttling,
    Mood::Down,
    Mood::Hanging,
    Mood::Garbage,
    Mood::Denying,
    Mood::Missing,
    Mood::Firewall,
    Mood::Wild,
];

#[derive(Debug)]
pub(super) struct Version {
    pub(super) version: SecretVersion,
    pub(super) validity: Validity,
    /// The wall clock when a newer one was written.
    pub(super) superseded: Option<Timestamp>,
}

/// What the vault was asked and said, in order; and what must not have happened.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) random: u64,
    pub(super) moods: [Mood; 2],
    pub(super) versions: BTreeMap<String, Vec<Version>>,
    pub(super) closed_until: [Duration; 2],
    pub(super) step: u64,
    /// For each slot: the last version that was given, and when; the last "no"; the last "there is none".
    pub(super) given: BTreeMap<String, (SecretVersion, u64)>,
    pub(super) refused: BTreeMap<String, u64>,
    pub(super) missing: BTreeMap<String, u64>,
    pub(super) forgotten: BTreeMap<String, u64>,
    pub(super) forbidden: BTreeSet<String>,
    pub(super) calls: u64,
    pub(super) served: u64,
    pub(super) stale: u64,
    pub(super) wrong: Vec<String>,
}

impl Books {
    /// xorshift64*: the same day for the same seed.
    pub(super) fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
    }

    pub(super) fn step(&mut self) -> u64 {
        self.step += 1;
        self.step
    }
}

#[derive(Debug)]
pub(super) struct Vaults {
    pub(super) clock: Arc<ManualClock>,
    pub(super) books: Mutex<Books>,
}

/// The value of a version says which secret and which version it is.
fn value_of(name: &str, version: SecretVersion) -> Vec<u8> {
    format!("zt-needle-{name}-{version}").into_bytes()
}

fn slot_key(id: &SecretId) -> String {
    id.version().map_or_else(
        || id.name().to_string(),
        |version| format!("{}@{version}", id.name()),
    )
}

impl Vaults {
    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// The answer of one call; none if it hangs.
    fn answer(&self, id: &SecretId) -> Option<Result<Fetched, VaultError>> {
        let mut books = self.books();
        let vault = usize::from(id.vault() == &second());
        let tick = self.clock.elapsed();
        books.calls += 1;
        if tick < books.closed_until[vault] {
            books.wrong.push(format!("a call in a pause, for {id}"));
        }
        if books.forbidden.contains(id.name().as_str()) {
            books
                .wrong
                .push(format!("a call to what is forbidden, for {id}"));
        }
        let mut mood = books.moods[vault];
        if mood == Mood::Wild {
            mood = MOODS[usize::try_from(books.draw(8)).unwrap()];
        }
        let answer = match mood {
            Mood::Well | Mood::Wild => look_up(&books, id),
            Mood::Hanging => return None,
            Mood::Throttling => {
                let told =
                    (books.draw(3) > 0).then(|| SECOND * u32::try_from(books.draw(400)).unwrap());
                let pause = told.unwrap_or(10 * SECOND).min(300 * SECOND);
                books.closed_until[vault] = tick + pause;
                Err(VaultError::throttled(told))
            }
            Mood::Down => Err(VaultError::unavailable("503", None)),
            Mood::Garbage => Err(VaultError::integrity("kv", "not JSON")),
            Mood::Denying => Err(VaultError::denied(id, "ForbiddenByRbac")),
            Mood::Missing => Err(VaultError::not_found(id)),
            Mood::Firewall => Err(VaultError::firewall("kv", "ForbiddenByFirewall")),
        };
        self.enter(&mut books, id, &answer);
        Some(answer)
    }

    /// What an answer means, by the failure table. The word of the second vault ends nothing.
    fn enter(&self, books: &mut Books, id: &SecretId, answer: &Result<Fetched, VaultError>) {
        let (key, step) = (slot_key(id), books.step());
        let is_first = id.vault() != &second();
        let wall = self.clock.now();
        match answer {
            Ok(fetched) => match fetched.validity.check(id, wall) {
                Ok(()) => drop(books.given.insert(key, (fetched.version, step))),
                Err(VaultError::NotYetValid { .. }) => {}
                Err(_) if is_first => drop(books.refused.insert(key, step)),
                Err(_) => {}
            },
            Err(VaultError::Denied { .. }) if is_first => drop(books.refused.insert(key, step)),
            Err(VaultError::NotFound { .. }) if is_first => drop(books.missing.insert(key, step)),
            Err(_) => {}
        }
    }

    /// Whether a reader with these times may have what it got.
    pub(super) fn check(&self, request: &SecretRequest, secret: &Secret) {
        let mut books = self.books();
        let id = request.key().id();
        let (name, key, wall) = (id.name().as_str(), slot_key(id), self.clock.now());
        let terms = request.terms_under(&Timing::new());
        let wrong = |books: &mut Books, what: &str| {
            books.wrong.push(format!("{key} at {wall}: {what}"));
        };
        books.served += 1;
        books.stale += u64::from(secret.stale_for().is_some());
        if secret.reveal() != value_of(name, secret.version()) {
            wrong(&mut books, "other bytes");
        }
        if secret.expires_at().is_some_and(|end| end <= wall) {
            wrong(&mut books, "expired");
        }
        if books.forbidden.contains(name) {
            wrong(&mut books, "forbidden");
        }
        let given = books.given.get(&slot_key(id)).copied();
        let Some((version, step)) = given.filter(|(version, _)| *version == secret.version())
        else {
            return wrong(&mut books, "not what was given last");
        };
        let since =
            |log: &BTreeMap<String, u64>, key: &str| log.get(key).is_some_and(|at| *at > step);
        if since(&books.refused, &slot_key(id)) {
            wrong(&mut books, "after a no");
        }
        if since(&books.forgotten, name) {
            wrong(&mut books, "forgotten");
        }
        if secret.stale_for().is_some() && since(&books.missing, &slot_key(id)) {
            wrong(&mut books, "stale, although there was none");
        }
        if id.version().is_some_and(|pinned| pinned != version) {
            wrong(&mut books, "another version");
        }
        // As old as allowed, and the few seconds of a call and of what counts as drift.
        let allowed = match secret.stale_for() {
            Some(_) => terms.ttl + terms.max_stale,
            None => terms.ttl,
        };
        let oldest = wall.as_millis() - i64::try_from((allowed + 9 * SECOND).as_millis()).unwrap();
        let known = books.versions[name]
            .iter()
            .find(|known| known.version == version);
        let superseded = known.and_then(|known| known.superseded);
        if id.version().is_none() && superseded.is_some_and(|at| at.as_millis() < oldest) {
            wrong(&mut books, "too old");
        }
        if secret
            .stale_for()
            .is_some_and(|past| past >= terms.max_stale)
        {
            wrong(&mut books, "stale for too long");
        }
    }
}

impl SecretVault for Vaults {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        _attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        Box::pin(async move {
            match self.answer(id) {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}

fn look_up(books: &Books, id: &SecretId) -> Result<Fetched, VaultError> {
    let versions = &books.versions[id.name().as_str()];
    let found = match id.version() {
        Some(pinned) => versions.iter().find(|known| known.version == pinned),
        None => versions.last(),
    };
    let found = found.ok_or_else(|| VaultError::not_found(id))?;
    let value = SecretBytes::copy_of(&value_of(id.name().as_str(), found.version));
    Ok(Fetched::new(value, found.version).with_validity(found.validity))
}
