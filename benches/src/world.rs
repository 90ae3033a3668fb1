//! The sample company in a folder of the run's own, with a filled vault.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Runtime as Executor;
use zeroize::Zeroizing;
use zt_core::metadata::SecretKind;
use zt_core::runtime::{self, Config};
use zt_core::secrets::{SecretId, Validity};
use zt_core::{Runtime, Session, testing};

use crate::Outcome;

/// The company, its folder and the executor that asks for it.
pub struct World {
    folder: TempDir,
    pub executor: Executor,
}

impl World {
    pub fn new() -> Outcome<Self> {
        let folder = TempDir::new()?;
        for file in ["brindlewick.toml", "zt.toml"] {
            fs::copy(sample().join(file), folder.path().join(file))?;
        }
        fs::create_dir(folder.path().join("data"))?;
        for file in ["data/loans.csv", "data/loans_reference.csv"] {
            fs::copy(sample().join(file), folder.path().join(file))?;
        }
        let executor = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let world = Self { folder, executor };
        world.fill_the_vault()?;
        Ok(world)
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn open(&self) -> Outcome<Runtime> {
        Ok(self.executor.block_on(Runtime::open(self.path()))?)
    }

    pub fn token(&self, zt: &Runtime, name: &str) -> Outcome<String> {
        let lifetime = Duration::from_secs(3600);
        Ok(testing::sign_in(
            zt.config(),
            &zt.snapshot(),
            &name.parse()?,
            lifetime,
        )?)
    }

    pub fn sign_in(&self, zt: &Runtime, name: &str) -> Outcome<Session> {
        let token = self.token(zt, name)?;
        Ok(self.executor.block_on(zt.authenticate(&token))?)
    }

    fn fill_the_vault(&self) -> Outcome {
        let config = Config::load(self.path())?;
        let snapshot = self.executor.block_on(runtime::tables(&config))?.current();
        let vault = runtime::local_vault(&config)?;
        for row in &snapshot.tables().secret_references {
            let id = SecretId::new(row.vault.clone(), row.name.clone());
            match row.kind {
                SecretKind::Secret => {
                    vault.set(&id, Zeroizing::new(vec![b'x'; 24]), Validity::ALWAYS)?;
                }
                _ => {
                    vault.create_key(&id)?;
                }
            }
        }
        Ok(())
    }
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/world")
}
