//! `zt audit key`, `zt audit prove` and `zt audit verify-bundle`.

use std::path::{Path, PathBuf};

use anstream::println;
use clap::Args;
use zt_core::audit::{self, Bundle, PublicKey};
use zt_core::runtime::{self, Config};
use zt_core::text::shown;
use zt_core::{Code, Error, Result};

use crate::{Answer, paint};

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// The record: `LOG:NUMBER`, or the id of a decision, whose first record is meant.
    record: String,
    /// The folder of the log; default: that of `zt.toml`.
    #[arg(id = "log", long = "log", value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyBundle {
    /// The bundle, a file.
    bundle: PathBuf,
    /// The audit key to trust, a file in PEM. What stands in the bundle is only a hint.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

pub(super) async fn key(config: &Config) -> Result<Answer> {
    let Some(key) = runtime::audit_key(config).await? else {
        let file = config.audit_key_file();
        let message = format!("there is no audit key `{}` yet", file.display());
        return Err(Error::new(Code::NotFound, message)
            .with_help("the first runtime of this configuration makes it"));
    };
    println!("{}", key.to_pem().trim_end());
    Ok(Answer::Yes)
}

impl Prove {
    pub(super) async fn run(self, config: impl Fn() -> Result<Config>) -> Result<Answer> {
        let (folder, key) = match self.folder {
            Some(folder) => (folder, None),
            None => {
                let config = config()?;
                (config.audit_folder(), runtime::audit_key(&config).await?)
            }
        };
        let (writer, seq) = match self.record.rsplit_once(':') {
            Some((writer, seq)) if seq.bytes().all(|byte| byte.is_ascii_digit()) => {
                let seq = seq.parse().ok();
                let seq = seq.ok_or_else(|| not_found(&self.record))?;
                (writer.to_owned(), seq)
            }
            Some(_) | None => find(&folder, &self.record)?,
        };
        let bundle = audit::prove(folder, &writer, seq, key.as_ref())?;
        println!("{:#}", serde_json::json!(bundle));
        Ok(Answer::Yes)
    }
}

fn find(folder: &Path, decision: &str) -> Result<(String, u64)> {
    let mut found = None;
    audit::each_forward(folder, |entry| {
        if found.is_none() && entry.decision.as_deref() == Some(decision) {
            found = Some((entry.writer, entry.seq));
        }
    })?;
    found.ok_or_else(|| not_found(decision))
}

fn not_found(record: &str) -> Error {
    let message = format!("no record is `{}`", shown(record));
    Error::new(Code::NotFound, message).with_help(
        "name it as `LOG:NUMBER`, or by the id of its decision; `zt audit query` prints both",
    )
}

impl VerifyBundle {
    pub(super) fn run(self) -> Result<Answer> {
        let key = read_key(&self.key)?;
        let wrong = |why: String| {
            let file = self.bundle.display();
            Error::new(
                Code::InvalidArgument,
                format!("`{file}` is no bundle: {why}"),
            )
        };
        let text = std::fs::read_to_string(&self.bundle).map_err(|why| wrong(why.to_string()))?;
        let bundle: Bundle = serde_json::from_str(&text).map_err(|why| wrong(why.to_string()))?;
        let (good, bad) = (paint::GOOD, paint::BAD);
        match bundle.verify(&key) {
            Ok(entry) => {
                let place = format!("record {} of {}", entry.seq, shown(&entry.writer));
                println!("{good}proven{good:#}: {place}");
                super::print_entry(&entry, super::is_refusal(&entry));
                Ok(Answer::Yes)
            }
            Err(why) => {
                println!("{bad}not proven{bad:#}: {why}");
                Ok(Answer::No)
            }
        }
    }
}

/// A public key of a file in PEM.
pub(super) fn read_key(file: &Path) -> Result<PublicKey> {
    let wrong = |why: &str| {
        let message = format!("`{}` {why}", file.display());
        Error::new(Code::InvalidArgument, message)
            .with_help("`zt audit key` prints the key of a configuration")
    };
    let text =
        std::fs::read_to_string(file).map_err(|why| wrong("cannot be read").with_source(why))?;
    PublicKey::from_pem(&text).ok_or_else(|| wrong("holds no P-256 public key in PEM"))
}
