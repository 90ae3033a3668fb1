//! The sample world's folder with a simulator of its own: one clock for both, everything else as an operator would set it up.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use zt_azure_simulator::{Options, Simulator, TokenOptions};
use zt_core::audit::{self, Entry};
use zt_core::clock::{Clock, SystemClock, Timestamp};
use zt_core::identity::{KeyHealth, TokenCredential};
use zt_core::runtime::{Config, Runtime, RuntimeBuilder};
use zt_core::testing::ManualClock;
use zt_core::{Error, Result, Session};

use crate::client::{API, TENANT};
use crate::own::Own;

const TABLES: &str = include_str!("../../../../world/brindlewick.toml");

/// See the module.
pub(crate) struct Office {
    pub(crate) sim: Arc<Simulator>,
    pub(crate) clock: Arc<ManualClock>,
    folder: TempDir,
    tokens: Mutex<Vec<String>>,
    errors: Mutex<Vec<String>>,
}

impl Office {
    /// With further lines of `[identity]`.
    pub(crate) fn new(settings: &str) -> Self {
        let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
        let time = Arc::clone(&clock);
        let options = Options::new()
            .with_clock(move || time.now().as_secs())
            .with_device_codes(Duration::from_secs(1), Duration::from_secs(900));
        let office = Self {
            sim: Arc::new(Simulator::start(options).unwrap()),
            clock,
            folder: TempDir::new().unwrap(),
            tokens: Mutex::default(),
            errors: Mutex::default(),
        };
        fs::write(office.path("brindlewick.toml"), TABLES).unwrap();
        fs::write(office.path("ca.pem"), office.sim.ca_pem()).unwrap();
        office.configure(&office.config(settings));
        office
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The text of a `zt.toml` that takes the simulator for Azure.
    pub(crate) fn config(&self, settings: &str) -> String {
        let (tls, plain) = (self.sim.https_addr(), self.sim.http_addr());
        format!(
            r#"mode = "development"
tables = "brindlewick.toml"

[identity]
cloud = "public"
tenant = "{TENANT}"
audience = "{API}"
{settings}

[development]
azure = "{tls}"
azure_plain = "{plain}"
azure_ca = "ca.pem"
"#
        )
    }

    pub(crate) fn configure(&self, text: &str) {
        fs::write(self.path("zt.toml"), text).unwrap();
    }

    /// Adds rows to the tables.
    pub(crate) fn add_rows(&self, rows: &str) {
        let file = self.path("brindlewick.toml");
        let tables = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("{tables}\n{rows}\n")).unwrap();
    }

    /// Changes a text of the tables that stands there once.
    pub(crate) fn edit_tables(&self, old: &str, new: &str) {
        let file = self.path("brindlewick.toml");
        let tables = fs::read_to_string(&file).unwrap();
        assert_eq!(tables.matches(old).count(), 1, "`{old}`");
        fs::write(file, tables.replace(old, new)).unwrap();
    }

    pub(crate) fn builder(&self) -> Result<RuntimeBuilder> {
        let config = Config::load(self.folder.path())?;
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        Ok(RuntimeBuilder::new(config).with_clock(clock))
    }

    /// Opened, with the keys of every tenant and format there.
    pub(crate) async fn open(&self) -> Runtime {
        let zt = self.builder().unwrap().open().await.unwrap();
        ready(&zt).await;
        zt
    }

    /// The same with the application itself as the process's identity, which may read groups.
    pub(crate) async fn open_as_zt(&self) -> Runtime {
        let builder = self.builder().unwrap();
        let builder = builder.with_credential(self.credential("zt"));
        let zt = builder.open().await.unwrap();
        ready(&zt).await;
        zt
    }

    pub(crate) fn credential(&self, name: &'static str) -> Arc<dyn TokenCredential> {
        let sim = Arc::clone(&self.sim);
        Arc::new(Own { sim, name })
    }

    pub(crate) fn token(&self, name: &str, options: &TokenOptions) -> String {
        let token = self.sim.token_for(name, options).unwrap();
        self.tokens.lock().unwrap().push(token.clone());
        token
    }

    /// A session with an ordinary token.
    pub(crate) async fn sign_in(&self, zt: &Runtime, name: &str) -> Session {
        let token = self.token(name, &TokenOptions::new());
        zt.authenticate(&token).await.unwrap()
    }

    /// The refusal of a token.
    pub(crate) async fn refused(&self, zt: &Runtime, token: &str) -> Error {
        let error = zt.authenticate(token).await.unwrap_err();
        self.keep(&error);
        error
    }

    /// Remembers what an error says, for [`assert_no_leaks`](Self::assert_no_leaks).
    pub(crate) fn keep(&self, error: &Error) {
        let mut text = format!("{error}\n{error:?}\n{}", error.public_message());
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text.push_str(&format!("\n{cause}\n{cause:?}"));
            source = cause.source();
        }
        self.errors.lock().unwrap().push(text);
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Now, as a cell of the tables.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// No token, no secret and no name of a person stands in the audit log, in what the runtime keeps or in an error.
    pub(crate) fn assert_no_leaks(&self, further: &[&str]) {
        let tokens = self.tokens.lock().unwrap().clone();
        let mut needles: Vec<&str> = tokens
            .iter()
            .flat_map(|token| token.split('.').skip(1))
            .collect();
        needles.extend(["Lindqvist", "Adeyemi", "Varga", "@brindlewick.example"]);
        needles.push(crate::client::SECRET);
        needles.extend(further);
        let mut texts = self.errors.lock().unwrap().clone();
        read_all(&self.path(".zt"), &mut texts);
        for text in &texts {
            for needle in &needles {
                assert!(!text.contains(needle), "`{needle}` stands in: {text}");
            }
        }
    }
}

/// Everything below a folder.
fn read_all(folder: &std::path::Path, texts: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => read_all(&path, texts),
            false => texts.push(String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()),
        }
    }
}

/// The newest records, oldest first.
pub(crate) fn log(zt: &Runtime) -> Vec<Entry> {
    audit::tail(zt.audit_folder(), 10_000, |_| true).unwrap()
}

/// Ends the runtime, so that all of its records are on disk; the newest of them, oldest first.
pub(crate) async fn end(zt: Runtime) -> Vec<Entry> {
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(60)).await.unwrap();
    audit::tail(folder, 10_000, |_| true).unwrap()
}

/// Waits until something is so; a minute is for a machine that is busy with other things.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1200 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(is_so(), "never: {what}");
}

pub(crate) async fn ready(zt: &Runtime) {
    until("the keys are there", || zt.ready().is_ok()).await;
}

pub(crate) fn only_health(zt: &Runtime) -> KeyHealth {
    let mut all = zt.key_health();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// Runs a test below this module in a process of its own, whose environment is ours.
pub(crate) fn alone(name: &str, variables: &[(&str, &str)]) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let name = format!("runtime::{name}");
    child.args(["--exact", "--ignored", "--nocapture", &name]);
    for variable in [
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_AUTHORITY_HOST",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
    ] {
        child.env_remove(variable);
    }
    // No command line of Azure is found.
    child.env("PATH", "");
    let output = child.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let is_good = output.status.success() && text.contains("1 passed");
    assert!(is_good, "{text}\n{errors}");
}
