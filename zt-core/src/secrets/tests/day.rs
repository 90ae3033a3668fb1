//! A day of random faults: readers with different times at random moments, a vault that does whatever a vault may do, and an
//! oracle that knows what it said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use super::*;
use crate::port::BoxFuture;

const SECOND: Duration = Duration::from_secs(1);
const NAMES: [&str; 6] = ["s0", "s1", "s2", "s3", "s4", "s5"];

/// What the vault does for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
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

const MOODS: [Mood; 9] = [
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
struct Version {
    version: SecretVersion,
    validity: Validity,
    /// The wall clock when a newer one was written.
    superseded: Option<Timestamp>,
}

/// What the vault was asked and said, in order; and what must not have happened.
#[derive(Debug)]
struct Books {
    random: u64,
    moods: [Mood; 2],
    versions: BTreeMap<String, Vec<Version>>,
    closed_until: [Duration; 2],
    step: u64,
    /// For each slot: the last version that was given, and when; the last "no"; the last "there is none".
    given: BTreeMap<String, (SecretVersion, u64)>,
    refused: BTreeMap<String, u64>,
    missing: BTreeMap<String, u64>,
    forgotten: BTreeMap<String, u64>,
    forbidden: BTreeSet<String>,
    calls: u64,
    served: u64,
    stale: u64,
    wrong: Vec<String>,
}

impl Books {
    /// xorshift64*: the same day for the same seed.
    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
    }

    fn step(&mut self) -> u64 {
        self.step += 1;
        self.step
    }
}

#[derive(Debug)]
struct Vaults {
    clock: Arc<ManualClock>,
    books: Mutex<Books>,
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
    fn books(&self) -> MutexGuard<'_, Books> {
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
            Mood::Well | Mood::Wild => self.look_up(&mut books, id),
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

    fn look_up(&self, books: &mut Books, id: &SecretId) -> Result<Fetched, VaultError> {
        let versions = &books.versions[id.name().as_str()];
        let found = match id.version() {
            Some(pinned) => versions.iter().find(|known| known.version == pinned),
            None => versions.last(),
        };
        let found = found.ok_or_else(|| VaultError::not_found(id))?;
        let value = SecretBytes::copy_of(&value_of(id.name().as_str(), found.version));
        Ok(Fetched::new(value, found.version).with_validity(found.validity))
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
    fn check(&self, request: &SecretRequest, secret: &Secret) {
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

fn second() -> VaultUrl {
    "https://kv-brindlewick-dr.vault.azure.net".parse().unwrap()
}

struct Day {
    vaults: Arc<Vaults>,
    clock: Arc<ManualClock>,
    secrets: Arc<Secrets>,
}

impl Day {
    fn new(seed: u64) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let books = Books {
            random: seed | 1,
            moods: [Mood::Well; 2],
            versions: BTreeMap::new(),
            closed_until: [Duration::ZERO; 2],
            step: 0,
            given: BTreeMap::new(),
            refused: BTreeMap::new(),
            missing: BTreeMap::new(),
            forgotten: BTreeMap::new(),
            forbidden: BTreeSet::new(),
            calls: 0,
            served: 0,
            stale: 0,
            wrong: Vec::new(),
        };
        let vaults = Arc::new(Vaults {
            clock: Arc::clone(&clock),
            books: Mutex::new(books),
        });
        let secrets = Arc::new(
            Secrets::new(
                Arc::clone(&vaults) as Arc<dyn SecretVault>,
                Arc::clone(&clock) as Arc<dyn Clock>,
            )
            .with_timing(Timing::new().salted(seed)),
        );
        let day = Self {
            vaults,
            clock,
            secrets,
        };
        NAMES
            .into_iter()
            .for_each(|name| day.write(name, Validity::ALWAYS));
        day.declare();
        day
    }

    fn draw(&self, below: u64) -> u64 {
        self.vaults.books().draw(below)
    }

    fn name(&self) -> &'static str {
        NAMES[usize::try_from(self.draw(6)).unwrap()]
    }

    /// The row of a name: the last two have a second vault, each has its own TTL.
    fn request(name: &str) -> SecretRequest {
        let minutes = match name {
            "s0" => 1,
            "s1" | "s4" => 10,
            "s2" => 60,
            _ => 15,
        };
        let request = SecretRequest::new(id(name)).with_ttl(minutes * MINUTE);
        match name {
            "s3" => request.with_max_stale(Duration::ZERO),
            "s4" | "s5" => request.with_fallback(second()),
            _ => request,
        }
    }

    fn declare(&self) {
        let forbidden = self.vaults.books().forbidden.clone();
        let refused = VaultError::network_refused("no rule names it");
        self.secrets
            .declare_where(NAMES.map(Self::request), |request| {
                forbidden
                    .contains(request.key().id().name().as_str())
                    .then(|| refused.clone())
            });
    }

    fn write(&self, name: &str, validity: Validity) {
        let wall = self.clock.now();
        let mut books = self.vaults.books();
        let version = SecretVersion::from_u128(u128::from(books.step()));
        let versions = books.versions.entry(name.to_owned()).or_default();
        if let Some(last) = versions.last_mut() {
            last.superseded = Some(wall);
        }
        versions.push(Version {
            version,
            validity,
            superseded: None,
        });
    }

    /// Something happens, now and then.
    fn happen(&self) {
        let name = self.name();
        match self.draw(4000) {
            0..20 => {
                let mood = MOODS[usize::try_from(self.draw(9)).unwrap()];
                let vault = usize::from(self.draw(3) == 0);
                self.vaults.books().moods[vault] = mood;
            }
            20..40 => self.vaults.books().moods = [Mood::Well; 2],
            40..43 => {
                let later = self.clock.now().after(SECOND * u32::try_from(self.draw(7200)).unwrap());
                self.write(name, Validity::ALWAYS.ending(later));
            }
            43..46 => self.write(name, Validity::ALWAYS),
            46 => {
                let later = self.clock.now().after(SECOND * u32::try_from(self.draw(600)).unwrap());
                self.write(name, Validity::ALWAYS.starting(later));
            }
            47 => self.write(name, Validity::ALWAYS.disabled()),
            48 => {
                let mut books = self.vaults.books();
                let step = books.step();
                books.forgotten.insert(name.to_owned(), step);
                drop(books);
                self.secrets.invalidate(&name.parse().unwrap());
            }
            49 => {
                self.vaults.books().forbidden.insert(name.to_owned());
                self.declare();
            }
            50..55 => {
                self.vaults.books().forbidden.clear();
                self.declare();
            }
            55 => {
                let by = SECOND * u32::try_from(self.draw(10_000)).unwrap();
                self.clock.jump_to(self.clock.now().after(by));
            }
            56 => drop(self.secrets.on_event(
                format!(r#"{{"type": "Microsoft.KeyVault.SecretNewVersionCreated", "data": {{"Id": "{}"}}}}"#, id(name)).as_bytes(),
            )),
            _ => {}
        }
    }

    /// One reader, with the times of the row or others.
    fn read(&self) {
        let name = self.name();
        let row = Self::request(name);
        let request = match self.draw(8) {
            0 => row.with_ttl(Duration::ZERO),
            1 => row.with_ttl(MINUTE).with_max_stale(Duration::ZERO),
            2 => row.with_ttl(30 * MINUTE),
            _ => row,
        };
        let (secrets, vaults) = (Arc::clone(&self.secrets), Arc::clone(&self.vaults));
        let kind = self.draw(40);
        let versions = u64::try_from(self.vaults.books().versions[name].len()).unwrap();
        let pick = usize::try_from(self.draw(versions)).unwrap();
        let version = self.vaults.books().versions[name][pick].version;
        drop(tokio::spawn(async move {
            let (read, request) = match kind {
                0 => (secrets.refresh(&request).await, request),
                1 => (
                    secrets.get_version(&request, version).await,
                    request.at(version),
                ),
                _ => (secrets.get(&request).await, request),
            };
            if let Ok(secret) = read {
                vaults.check(&request, &secret);
            }
        }));
    }

    async fn second(&self) {
        self.clock.advance(SECOND);
        self.happen();
        self.secrets.sweep();
        if self.draw(3) == 0 {
            self.read();
        }
        tokio::time::sleep(SECOND).await;
    }

    /// Everything is well again, and all slots are.
    async fn recover(&self) {
        {
            let mut books = self.vaults.books();
            books.moods = [Mood::Well; 2];
            books.forbidden.clear();
        }
        self.declare();
        NAMES
            .into_iter()
            .for_each(|name| self.write(name, Validity::ALWAYS));
        for _ in 0..6 * 60 {
            self.clock.advance(SECOND);
            self.secrets.sweep();
            self.read();
            tokio::time::sleep(SECOND).await;
        }
        for name in NAMES {
            let fresh = Self::request(name).with_ttl(MINUTE);
            let secret = self.secrets.get(&fresh).await.unwrap();
            self.vaults.check(&fresh, &secret);
            assert_eq!(slot_of(&self.secrets, name).failures, 0, "{name}");
            assert!(slot_of(&self.secrets, name).version.is_some(), "{name}");
        }
        assert!(
            self.secrets
                .health()
                .gates
                .iter()
                .all(|gate| gate.state == "open")
        );
    }
}

/// Runs so many seconds and counts what was served, what of it stale, and calls.
async fn run(seed: u64, seconds: u64) -> (u64, u64, u64) {
    let day = Day::new(seed);
    for _ in 0..seconds {
        day.second().await;
        let books = day.vaults.books();
        assert_eq!(books.wrong, Vec::<String>::new(), "seed {seed}");
    }
    day.recover().await;
    let books = day.vaults.books();
    assert_eq!(books.wrong, Vec::<String>::new(), "seed {seed}");
    (books.served, books.stale, books.calls)
}

#[tokio::test(start_paused = true)]
async fn a_day_of_faults_gives_nobody_what_they_must_not_have() {
    for seed in [7, 2026] {
        let (served, stale, calls) = run(seed, 24 * 60 * 60).await;
        assert!(
            served > 15_000 && stale > 50,
            "{served} served, {stale} of them stale"
        );
        // Readers came 29,000 times; those who keep nothing, an eighth, may each make two calls.
        assert!(calls < 29_000, "{calls} calls");
    }
}

#[tokio::test(start_paused = true)]
async fn short_days_of_many_seeds_do_neither() {
    for seed in 1000..1012 {
        let (served, _, _) = run(seed, 2000).await;
        assert!(served > 0);
    }
}
