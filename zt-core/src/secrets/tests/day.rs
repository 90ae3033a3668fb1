//! A day of random faults: readers with different times at random moments, a vault that does whatever a vault may do, and an
//! oracle that knows what it said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::*;

mod books;

use books::{Books, MOODS, Mood, Vaults, Version};

const SECOND: Duration = Duration::from_secs(1);
const NAMES: [&str; 6] = ["s0", "s1", "s2", "s3", "s4", "s5"];

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
        self.secrets.declare_where(NAMES.map(Self::request), |id| {
            forbidden
                .contains(id.name().as_str())
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

    /// The next few seconds, and how many they were.
    async fn step(&self, most: u64) -> u64 {
        let seconds = if most > 1 { 1 + self.draw(most) } else { 1 };
        let passed = Duration::from_secs(seconds);
        self.clock.advance(passed);
        self.happen();
        self.secrets.sweep();
        if self.draw(3) == 0 {
            self.read();
        }
        tokio::time::sleep(passed).await;
        seconds
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

/// Runs so many seconds, in steps of so many at most, and counts what was served, what of it stale, and calls.
async fn run(seed: u64, seconds: u64, most: u64) -> (u64, u64, u64) {
    let day = Day::new(seed);
    let mut passed = 0;
    while passed < seconds {
        passed += day.step(most).await;
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
    let (served, stale, calls) = run(2026, 24 * 60 * 60, 10).await;
    assert!(
        served > 1000 && stale > 10,
        "{served} served, {stale} of them stale"
    );
    // Readers came 5,000 times; the slots themselves refresh and try again.
    assert!(calls < 10_000, "{calls} calls");
}

#[tokio::test(start_paused = true)]
async fn short_days_of_many_seeds_do_neither() {
    for (seed, seconds) in [(1000, 1000), (1001, 1000), (1002, 1000), (1004, 2000)] {
        let (served, _, _) = run(seed, seconds, 1).await;
        assert!(served > 0);
    }
}
