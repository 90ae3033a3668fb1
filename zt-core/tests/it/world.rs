//! A copy of the sample world in a folder of the test's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;
use zeroize::Zeroizing;
use zt_core::id::SecretRef;
use zt_core::runtime::{self, Config, Runtime};
use zt_core::secrets::{SecretId, Validity};
use zt_core::{Session, testing};

/// Every secret of the tests holds this marker; the suite's output, logs and errors are searched for it.
pub(crate) const NEEDLE: &str = "zt-needle-bureau-4711";

pub(crate) fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/world")
}

/// The development issuer of all tests: its key is slow to make, so it is made once.
fn issuer() -> &'static TempDir {
    static ISSUER: OnceLock<TempDir> = OnceLock::new();
    ISSUER.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        testing::DevIssuer::open(folder.path()).unwrap();
        folder
    })
}

/// The world's tables and configuration, a vault with one secret, the development issuer's key.
pub(crate) struct World {
    folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self {
            folder: TempDir::new().unwrap(),
        };
        for file in ["brindlewick.toml", "zt.toml"] {
            fs::copy(sample().join(file), world.path().join(file)).unwrap();
        }
        let state = world.path().join(".zt");
        fs::create_dir(&state).unwrap();
        for file in ["dev-issuer.key", "dev-issuer.jwks.json"] {
            fs::copy(issuer().path().join(file), state.join(file)).unwrap();
        }
        world
    }

    /// The same with the loans of `data/`.
    pub(crate) fn with_data() -> Self {
        let world = Self::new();
        fs::create_dir(world.path().join("data")).unwrap();
        for file in ["data/loans.csv", "data/loans_reference.csv"] {
            fs::copy(sample().join(file), world.path().join(file)).unwrap();
        }
        world
    }

    /// The same with a signing key that no other world has.
    pub(crate) fn with_its_own_issuer() -> Self {
        let world = Self::new();
        let state = world.path().join(".zt");
        fs::remove_file(state.join("dev-issuer.key")).unwrap();
        testing::DevIssuer::open(&state).unwrap();
        world
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn config(&self) -> Config {
        Config::load_with(self.path(), |_| None).unwrap()
    }

    pub(crate) fn tables(&self) -> PathBuf {
        self.path().join("brindlewick.toml")
    }

    /// Changes the text of the tables.
    pub(crate) fn edit(&self, change: impl FnOnce(String) -> String) {
        let text = fs::read_to_string(self.tables()).unwrap();
        fs::write(self.tables(), change(text)).unwrap();
    }

    /// Where the vault keeps what a reference names.
    pub(crate) async fn id_of(&self, reference: &str) -> SecretId {
        let snapshot = runtime::tables(&self.config()).await.unwrap().current();
        let row = snapshot
            .secret_reference(&SecretRef::new(reference))
            .unwrap();
        SecretId::new(row.vault.clone(), row.name.clone())
    }

    pub(crate) async fn with_key(self, reference: &str) -> Self {
        let id = self.id_of(reference).await;
        let vault = runtime::local_vault(&self.config()).unwrap();
        vault.create_key(&id).unwrap();
        self
    }

    pub(crate) async fn with_secret(self, reference: &str) -> Self {
        let id = self.id_of(reference).await;
        let value = Zeroizing::new(NEEDLE.as_bytes().to_vec());
        runtime::local_vault(&self.config())
            .unwrap()
            .set(&id, value, Validity::ALWAYS)
            .unwrap();
        self
    }

    pub(crate) async fn open(&self) -> Runtime {
        runtime::RuntimeBuilder::new(self.config())
            .open()
            .await
            .unwrap()
    }
}

/// Nothing that a test leaves behind holds the value: not the log, not the vault, not a forgotten file.
impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            search(self.path());
        }
        // The whole suite's search wants to see them too.
        self.folder
            .disable_cleanup(std::env::var_os("ZT_KEEP_WORLDS").is_some());
    }
}

fn search(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let found = bytes
            .windows(NEEDLE.len())
            .any(|window| window == NEEDLE.as_bytes());
        assert!(!found, "a secret stands in {}", path.display());
    }
}

pub(crate) fn token(zt: &Runtime, name: &str) -> String {
    let lifetime = Duration::from_secs(3600);
    testing::sign_in(
        zt.config(),
        &zt.snapshot(),
        &name.parse().unwrap(),
        lifetime,
    )
    .unwrap()
}

pub(crate) async fn sign_in(zt: &Runtime, name: &str) -> Session {
    zt.authenticate(&token(zt, name)).await.unwrap()
}
