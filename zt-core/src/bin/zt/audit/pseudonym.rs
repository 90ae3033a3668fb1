//! `zt audit pseudonym` and `zt audit rotate-pseudonyms`, and the fact that `--fact` asks for.

use std::io::Read as _;

use anstream::println;
use clap::Args;
use zeroize::Zeroizing;
use zt_core::audit::FactFilter;
use zt_core::runtime::{self, Config, ConfigKey};
use zt_core::{Code, Error, Result};

use crate::Answer;

#[derive(Debug, Args)]
pub(crate) struct Pseudonym {
    /// The attribute's full name, such as `context.case`.
    name: String,
}

/// The longest value that is read.
const MOST_BYTES: u64 = 64 * 1024;

impl Pseudonym {
    pub(super) fn run(self, config: &Config) -> Result<Answer> {
        let Some(keys) = runtime::pseudonyms(config)? else {
            let file = config.pseudonym_keys_file();
            let message = format!("there are no keys of pseudonyms at `{}`", file.display());
            let key = ConfigKey::AuditPseudonymKeys;
            return Err(Error::new(Code::Config, message)
                .with_help(format!("`{key}` names the file that the runtime made")));
        };
        let value = read_value()?;
        for (form, said) in FactFilter::new(&self.name, &value, Some(&keys)).pseudonyms() {
            println!("{form:<8}{said}");
        }
        Ok(Answer::Yes)
    }
}

/// Adds a key.
pub(super) fn rotate(config: &Config) -> Result<Answer> {
    let keys = runtime::rotate_pseudonyms(config)?;
    println!("{keys:?} from the next start on; the older ones are kept for searches");
    Ok(Answer::Yes)
}

/// `NAME=VALUE`, or `NAME` and the value in standard input. Without keys the value is searched in clear alone.
pub(super) fn fact(text: &str, config: &impl Fn() -> Result<Config>) -> Result<FactFilter> {
    let keys = match config() {
        Ok(config) => runtime::pseudonyms(&config)?,
        // A log without its configuration beside it.
        Err(_) => None,
    };
    Ok(match text.split_once('=') {
        Some((name, value)) => FactFilter::new(name, value, keys.as_ref()),
        None => FactFilter::new(text, &read_value()?, keys.as_ref()),
    })
}

fn read_value() -> Result<Zeroizing<String>> {
    let mut value = Zeroizing::new(String::with_capacity(4096));
    let read = std::io::stdin().take(MOST_BYTES).read_to_string(&mut value);
    read.map_err(|why| {
        Error::new(Code::InvalidArgument, "standard input has no value as text").with_source(why)
    })?;
    Ok(Zeroizing::new(
        value.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}
