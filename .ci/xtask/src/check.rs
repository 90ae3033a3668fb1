//! What must hold of the text itself: structure, documentation, licences. Each check answers with its findings.

pub(crate) mod architecture;
pub(crate) mod book;
pub(crate) mod licences;
pub(crate) mod prose;

use std::io;
use std::path::Path;

use crate::source::{self, Source};

/// All committed text.
pub(crate) struct Tree {
    sources: Vec<Source>,
}

impl Tree {
    /// Reads it.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let sources = source::walk(root)?;
        Ok(Self { sources })
    }

    /// Every file.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter()
    }

    /// Every Rust file.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &Source> {
        self.all().filter(|source| source.is("rs"))
    }

    /// The text of one file; empty when there is none, so that every check on it complains.
    pub(crate) fn text(&self, path: &str) -> &str {
        let found = self.all().find(|source| source.path == path);
        found.map_or("", |source| source.text.as_str())
    }

    /// Files made from pairs of path and text.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let sources = files.iter().map(|(path, text)| Source {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        });
        Self {
            sources: sources.collect(),
        }
    }
}

/// A check: its name, and what it finds.
pub(crate) type Check = (&'static str, fn(&Tree) -> Vec<String>);

/// Every check that needs nothing but the text.
pub(crate) const ALL: &[Check] = &[
    ("unsafe stands where it may", architecture::unsafe_code),
    (
        "adapters are named by the builder alone",
        architecture::adapters,
    ),
    ("files are short", architecture::lengths),
    ("nothing is left unfinished", architecture::unfinished),
    ("no machine's paths", architecture::machine_paths),
    ("every setting is documented", book::settings),
    ("every error code is documented", book::codes),
    ("every table, column and action is documented", book::tables),
    (
        "the auditor's program is the one of the source",
        book::program,
    ),
    (
        "every test that the threat model names exists",
        book::evidence,
    ),
    ("links lead somewhere", prose::links),
    ("README shows its commands", prose::readme),
    ("the changelog has its headings", prose::changelog),
];
