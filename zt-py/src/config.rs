//! Keywords of `zt.open`: the keys of `zt.toml`, with `_` for `.`.

use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt};
use zeroize::Zeroizing;
use zt_core::Result;
use zt_core::runtime::{Config, ConfigKey};

/// What was given to `open`.
#[derive(Debug)]
pub(crate) struct Given {
    folder: PathBuf,
    settings: Vec<(ConfigKey, Setting)>,
}

/// A value that may be the vault's passphrase, and so is never printed, and wiped when nobody took it.
struct Setting(Zeroizing<String>);

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[setting]")
    }
}

impl Given {
    /// Reads the keywords. None stands for "not given".
    pub(crate) fn new(folder: PathBuf, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut settings = Vec::new();
        for (name, value) in keywords.into_iter().flatten() {
            let name: String = name.extract()?;
            let key = ConfigKey::ALL.iter().find(|key| keyword(**key) == name);
            let Some(key) = key else {
                let known: Vec<String> = ConfigKey::ALL.iter().map(|key| keyword(*key)).collect();
                let message = format!(
                    "open() has no keyword `{name}`; it has {}",
                    known.join(", ")
                );
                return Err(PyTypeError::new_err(message));
            };
            if !value.is_none() {
                settings.push((*key, Setting(Zeroizing::new(text(&name, &value)?))));
            }
        }
        // In order of the keys, the mode first: the order of keywords decides nothing.
        settings.sort_by_key(|(key, _)| *key);
        Ok(Self { folder, settings })
    }

    /// Reads the file and the environment, then adds the keywords.
    pub(crate) fn load(self) -> Result<Config> {
        let config = Config::load(&self.folder)?;
        let mut settings = self.settings.into_iter();
        settings.try_fold(config, |config, (key, mut value)| {
            config.set(key, std::mem::take(&mut *value.0))
        })
    }
}

/// Each keyword of `open` and what it means.
#[pyfunction]
#[pyo3(name = "_config_keys")]
pub(crate) fn config_keys(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let keys = PyDict::new(py);
    for key in ConfigKey::ALL {
        keys.set_item(keyword(*key), key.doc().trim())?;
    }
    Ok(keys)
}

fn keyword(key: ConfigKey) -> String {
    key.as_str().replace('.', "_")
}

/// The message shows the type alone: the value may be a passphrase.
fn text(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = value.extract::<String>() {
        return Ok(text);
    }
    // `True` is an int in Python and no number of seconds.
    if value.is_exact_instance_of::<PyInt>() {
        return Ok(value.str()?.to_string());
    }
    let path = value
        .call_method0("__fspath__")
        .and_then(|path| path.extract::<String>());
    path.map_err(|_| {
        let kind = value.get_type();
        PyTypeError::new_err(format!("`{name}` must be str, int or a path, not {kind}"))
    })
}
