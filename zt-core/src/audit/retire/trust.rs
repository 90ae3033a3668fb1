//! Whose word retention takes, and what could not be read of it.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::folder::Folder;
use super::super::verify::claims::{Claims, Retirement};
use super::super::verify::known::{Keys, Known, is_vouched_for, know, newest_endorsed};
use super::super::{AuditError, PublicKey, SignError};

/// The audit keys, and the logs that each may vouch for.
pub(super) struct Trust<'a> {
    pub(super) folder: &'a Path,
    pub(super) found: &'a Folder,
    /// Tells the audit keys; asked once, when something seems to be old.
    ask: &'a dyn Fn() -> Result<Keys, SignError>,
    pub(super) keys: Option<Result<Keys, SignError>>,
    /// The first log of the key now, once it was looked for.
    first: Option<Option<String>>,
    /// Logs that cannot be read, and why.
    pub(super) unread: BTreeMap<String, String>,
}

impl<'a> Trust<'a> {
    pub(super) fn new(
        folder: &'a Path,
        found: &'a Folder,
        ask: &'a dyn Fn() -> Result<Keys, SignError>,
    ) -> Self {
        Self {
            folder,
            found,
            ask,
            keys: None,
            first: None,
            unread: BTreeMap::new(),
        }
    }

    /// One log that cannot be read is no reason to leave all others; what another process removes just now is no trouble.
    pub(super) fn pass_over(&mut self, writer: &str, why: &AuditError) {
        if !why.is_gone() {
            self.unread
                .entry(writer.to_owned())
                .or_insert_with(|| why.to_string());
        }
    }

    /// Who may vouch for this log.
    fn keys_for(&mut self, writer: &str) -> Vec<PublicKey> {
        let Ok(keys) = self.keys.get_or_insert_with(self.ask) else {
            return Vec::new();
        };
        let (now, former) = (keys.now.clone(), keys.former.clone());
        // Names begin with when their logs did.
        let is_before = |first: Option<&str>| first.is_none_or(|first| writer < first);
        let is_former = !former.is_empty() && is_before(self.first(&now));
        let former = former.into_iter().filter(|_| is_former);
        [now].into_iter().chain(former).collect()
    }

    /// The oldest log that the key now vouches for: that key was in use from there on. One that cannot be read may be it.
    fn first(&mut self, now: &PublicKey) -> Option<&str> {
        if self.first.is_none() {
            let found = self.found;
            let first = found.signed.iter().find(|writer| {
                let is_it = is_vouched_for(self.folder, found, writer, now);
                is_it.unwrap_or_else(|error| {
                    self.pass_over(writer, &error);
                    !error.is_gone()
                })
            });
            self.first = Some(first.cloned());
        }
        self.first.as_ref().and_then(Option::as_deref)
    }

    /// How many records of a log one of the keys says to vouch for.
    pub(super) fn vouched(&mut self, writer: &str) -> u64 {
        let keys = self.keys_for(writer);
        let newest = newest_endorsed(self.folder, self.found, writer).unwrap_or_else(|error| {
            self.pass_over(writer, &error);
            None
        });
        let newest = newest
            .filter(|note| keys.iter().any(|key| note.is_endorsed_by(key)) && note.is_signed());
        newest.map_or(0, |note| note.head.size)
    }
}

/// What the folder says, and what of it was verified.
pub(super) struct Look<'a> {
    pub(super) trust: Trust<'a>,
    pub(super) claims: &'a Claims,
    pub(super) known: BTreeMap<String, Known>,
}

impl Look<'_> {
    /// What of a log is verified: nothing, where it cannot be read.
    pub(super) fn know(&mut self, writer: &str) -> &Known {
        if !self.known.contains_key(writer) {
            let keys = self.trust.keys_for(writer);
            let (folder, found) = (self.trust.folder, self.trust.found);
            let known = know(folder, found, self.claims, writer, &keys).unwrap_or_else(|error| {
                self.trust.pass_over(writer, &error);
                Known::default()
            });
            self.known.insert(writer.to_owned(), known);
        }
        self.known.entry(writer.to_owned()).or_default()
    }

    /// Whether a verified record of another log, under a checkpoint, says that this part was removed.
    pub(super) fn is_vouched_for(&mut self, said: &Retirement) -> bool {
        said.by.iter().any(|(by, seq)| {
            let known = self.know(by);
            *by != said.retired.writer && known.removals.contains(seq) && known.signed >= *seq
        })
    }
}
