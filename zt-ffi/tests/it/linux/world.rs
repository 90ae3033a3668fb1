//! A copy of the sample world with a secret in its vault and tokens for its people.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use zt_core::id::SecretRef;
use zt_core::runtime::{self, Config};
use zt_core::secrets::{SecretId, Validity};
use zt_core::testing;

/// As `contract.c` knows it.
pub(crate) const NEEDLE: &str = "zt-needle-bureau-3f0c";

/// The sample tables let nobody read the audit log.
const AUDITORS: &str = r#"
[[Access_Policies]]
id = "AP-90"
principal = "role:security_admin"
action = "audit.read"
resource = "audit:log"
effect = "allow"
"#;

/// Nobody listens where the machine's metadata endpoint would: a test has no identity of the machine that it runs on.
const NO_MACHINE: &str = r#"
[development]
azure_plain = "127.0.0.1:9"
"#;

pub(crate) struct World {
    folder: TempDir,
    tokens: Vec<(&'static str, String)>,
}

impl World {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/world");
        let folder = tempfile::tempdir()?;
        let tables = fs::read_to_string(sample.join("brindlewick.toml"))?;
        fs::write(folder.path().join("brindlewick.toml"), tables + AUDITORS)?;
        fs::create_dir(folder.path().join(".zt"))?;
        fs::create_dir(folder.path().join("data"))?;
        let config = fs::read_to_string(sample.join("zt.toml"))?;
        fs::write(folder.path().join("zt.toml"), config + NO_MACHINE)?;
        let data = "data/loans_reference.csv";
        fs::copy(sample.join(data), folder.path().join(data))?;

        let config = Config::load(folder.path())?;
        let executor = tokio::runtime::Builder::new_multi_thread().build()?;
        let snapshot = executor.block_on(runtime::tables(&config))?.current();
        let row = snapshot
            .secret_reference(&SecretRef::new("bureau-api-key"))
            .ok_or("the sample world has no `bureau-api-key`")?;
        let id = SecretId::new(row.vault.clone(), row.name.clone());
        let value = NEEDLE.as_bytes().to_vec().into();
        let vault = runtime::local_vault(&config)?;
        vault.set(&id, value, Validity::ALWAYS)?;
        let row = snapshot
            .secret_reference(&SecretRef::new("scores-kek"))
            .ok_or("the sample world has no `scores-kek`")?;
        vault.create_key(&SecretId::new(row.vault.clone(), row.name.clone()))?;

        let hour = Duration::from_secs(3600);
        let sign_in = |who: &str| -> Result<String, Box<dyn Error>> {
            Ok(testing::sign_in(&config, &snapshot, &who.parse()?, hour)?)
        };
        let tokens = vec![
            ("ZT_MAYA", sign_in("user:maya")?),
            ("ZT_PRIYA", sign_in("user:priya")?),
            ("ZT_ELIN", sign_in("user:elin")?),
            ("ZT_JONAS", sign_in("user:jonas")?),
            ("ZT_INES", sign_in("user:ines")?),
            ("ZT_SCORE", sign_in("sp:sp-score-201")?),
        ];
        Ok(Self { folder, tokens })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A folder without `zt.toml`.
    pub(crate) fn nowhere(&self) -> PathBuf {
        self.folder().join("nowhere")
    }

    /// The tokens, and the variables of the environment that they go into.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tokens
            .iter()
            .map(|(name, token)| (*name, token.as_str()))
    }

    /// The token that goes into a variable.
    pub(crate) fn token(&self, variable: &str) -> &str {
        let mut tokens = self.tokens();
        let found = tokens.find(|(name, _)| *name == variable);
        found.map_or("", |(_, token)| token)
    }

    /// The scoring job's token.
    pub(crate) fn job_token(&self) -> &str {
        self.token("ZT_SCORE")
    }

    /// Whether the secret's value stands in any file of the audit log.
    pub(crate) fn audit_leaks(&self) -> Result<bool, Box<dyn Error>> {
        let needle = NEEDLE.as_bytes();
        for file in fs::read_dir(self.folder().join(".zt/audit"))? {
            let path = file?.path();
            if path.is_file()
                && fs::read(path)?
                    .windows(needle.len())
                    .any(|part| part == needle)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The task runner's search of everything that tests leave behind wants to see it.
impl Drop for World {
    fn drop(&mut self) {
        let keep = std::env::var_os("ZT_KEEP_WORLDS").is_some();
        self.folder.disable_cleanup(keep);
    }
}
