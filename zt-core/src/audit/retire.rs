//! Removes old segments by rule, in a way that an auditor can follow.
//!
//! In: the folder, before a new log is opened in it, and an age. Out: records `audit.retired` for the new log, each with where
//! the removed part ended: number, hash and tree, from which the rest verifies on. Files go once those records are under a
//! checkpoint that the audit key vouches for: what goes earlier could never be told from tampering. Never removed: what is
//! younger, what no checkpoint covers, a log whose checkpoints neither the audit key nor one before it vouches for, a log whose
//! beginning is gone and nobody vouches for why, what a sink lacks, what does not verify, the end of a log that was not closed,
//! and anything of the newest log.

mod age;
mod removal;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cursor::Cursor;
use super::disk::Disk;
use super::folder::{Folder, segment_name};
use super::record::to_fields;
use super::recover::End;
use super::scan::Header;
use super::verify::claims::Claims;
use super::verify::known::{Keys, Signer};
use super::verify::open;
use super::{AuditError, Kind, Outcome, Record, SignError};
use crate::clock::Timestamp;
use removal::{Removal, name_of, other_sinks, waiting};
use trust::{Look, Trust};

/// What a record `audit.retired` says about the segments that it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Retired {
    pub(super) writer: String,
    /// The last segment that is gone.
    pub(super) segment: u32,
    /// Its last record.
    pub(super) seq: u64,
    /// The chain's hash there.
    pub(super) head: String,
    /// The tree over the records up to it, as the roots of its perfect subtrees.
    pub(super) peaks: Vec<String>,
    /// When the newest record up to it was written: one before it, where the clock was set back.
    pub(super) last: String,
    /// Whether it closed the log.
    pub(super) is_closed: bool,
}

/// What is going to be removed.
#[derive(Debug, Default)]
pub(super) struct Plan {
    records: Vec<Retired>,
    removal: Removal,
    /// Logs, and up to which record they go.
    going: Vec<(String, u64)>,
    /// Sinks that this configuration does not name, and that lack what could go otherwise.
    waits_for: BTreeSet<String>,
    /// Old logs that an unknown audit key vouches for.
    strangers: BTreeSet<String>,
    /// Old logs that nobody vouches for.
    orphans: BTreeSet<String>,
    /// Old logs whose beginning is gone by the word of nobody.
    unfounded: BTreeSet<String>,
    /// Why the audit key is not known.
    no_key: Option<SignError>,
    /// Logs that cannot be read, and why.
    unread: BTreeMap<String, String>,
}

/// What may go at all.
struct Rule<'a> {
    limit: Timestamp,
    sinks: &'a [PathBuf],
    others: Vec<PathBuf>,
}

impl Rule<'_> {
    /// Whether this part is old, and every sink has it.
    fn is_over(&self, end: &Retired) -> bool {
        let is_old = super::entry::timestamp(&end.last).is_some_and(|at| at < self.limit);
        is_old && end.seq <= Cursor::acknowledged_by_all(self.sinks, &end.writer)
    }
}

impl Plan {
    /// What is older than `age` and may go; what one of the sinks lacks, whose folders of cursors these are, may not, nor what
    /// a sink of another configuration lacks. `ask` tells the audit key and those before it: what none of them vouches for stays,
    /// or a log that somebody put in the place of another could be made one that was removed by rule.
    pub(super) fn make(
        folder: &Path,
        now: Timestamp,
        age: Duration,
        sinks: &[PathBuf],
        ask: &dyn Fn() -> Result<Keys, SignError>,
    ) -> Result<Self, AuditError> {
        let found = Folder::read(folder)?;
        let mut claims = Claims::read(folder, &found);
        let mut trust = Trust::new(folder, &found, ask);
        let unread = std::mem::take(&mut claims.unread);
        for (writer, error) in &unread {
            trust.pass_over(writer, error);
        }
        claims.choose(&found, |by| Ok(trust.vouched(by)))?;
        let mut look = Look {
            trust,
            claims: &claims,
            known: BTreeMap::new(),
        };
        let rule = Rule {
            limit: age::limit(folder, &found, &claims, now, age),
            sinks,
            others: other_sinks(folder, sinks)?,
        };
        let mut plan = Self {
            removal: Removal::new(sinks),
            ..Self::default()
        };
        let newest = found.writers.keys().next_back();
        for (writer, numbers) in &found.writers {
            if Some(writer) != newest && !unread.contains_key(writer) {
                plan.log(&mut look, &rule, writer, numbers);
            }
        }
        plan.say_again(&mut look);
        plan.no_key = look.trust.keys.and_then(Result::err);
        plan.unread = look.trust.unread;
        Ok(plan)
    }

    /// What of one log goes.
    fn log(&mut self, look: &mut Look<'_>, rule: &Rule<'_>, writer: &str, numbers: &[u32]) {
        let said = look.claims.retired(writer, numbers);
        let gone = said.map_or(0, |said| said.retired.segment);
        let (left, kept) = numbers.split_at(numbers.partition_point(|number| *number <= gone));
        // What an interrupted removal left is over as the rest is, and said again; nobody removes on another's word alone.
        if let Some(said) = said.filter(|_| !left.is_empty())
            && rule.is_over(&said.retired)
            && self.is_everywhere(rule, &said.retired)
            && look.is_vouched_for(said)
        {
            self.removal.add(writer, said.retired.seq, left);
            self.say(said.retired.clone());
        }
        if !has_old(look.trust.folder, writer, kept, rule.limit) {
            return;
        }
        // Else a removal that nobody vouches for would be hidden behind one that somebody does.
        if said.is_some_and(|said| !look.is_vouched_for(said)) {
            self.unfounded.insert(format!("`{writer}`"));
            return;
        }
        let known = look.know(writer);
        match known.signer {
            Signer::Known => {}
            Signer::Unknown(id) => {
                let id = super::chain::hex(&id);
                self.strangers.insert(format!("`{writer}` (key {id})"));
            }
            Signer::Nobody => drop(self.orphans.insert(format!("`{writer}`"))),
        }
        let is_over = |end: &&Retired| {
            let is_last = numbers.last() == Some(&end.segment);
            rule.is_over(end) && end.seq <= known.signed && (!is_last || end.is_closed)
        };
        let Some(end) = known.ends.iter().take_while(is_over).last().cloned() else {
            return;
        };
        if self.is_everywhere(rule, &end) {
            let going = kept.partition_point(|number| *number <= end.segment);
            let going = kept.get(..going).unwrap_or_default();
            self.removal.add(writer, end.seq, going);
            self.going.push((writer.to_owned(), end.seq));
            self.say(end);
        }
    }

    /// Whether every sink that lacks nothing of other configurations has it.
    fn is_everywhere(&mut self, rule: &Rule<'_>, end: &Retired) -> bool {
        let lacks = |sink: &&PathBuf| Cursor::acknowledged_by(sink, &end.writer) < end.seq;
        let lacking: Vec<_> = rule.others.iter().filter(lacks).collect();
        self.waits_for
            .extend(lacking.iter().filter_map(|sink| name_of(sink)));
        lacking.is_empty()
    }

    fn say(&mut self, retired: Retired) {
        if !self.records.contains(&retired) {
            self.records.push(retired);
        }
    }

    /// What only records say that go now is said again, once; what was not verified is not.
    fn say_again(&mut self, look: &mut Look<'_>) {
        if self.going.is_empty() {
            return;
        }
        let claims = look.claims;
        for writer in claims.retired_logs() {
            let numbers = look.trust.found.writers.get(writer);
            let numbers = numbers.map_or(&[][..], Vec::as_slice);
            // The one that counts, and those of larger parts, whose removal may be under way.
            for said in claims.retired_from(writer, numbers) {
                let (mut is_lost, mut is_kept) = (false, false);
                for (by, seq) in &said.by {
                    let known = look.know(by);
                    if known.removals.contains(seq) {
                        let goes = |(going, up_to): &(String, u64)| going == by && seq <= up_to;
                        let is_going = self.going.iter().any(goes);
                        is_lost |= is_going;
                        is_kept |= !is_going && known.signed >= *seq;
                    }
                }
                if is_lost && !is_kept {
                    self.say(said.retired.clone());
                }
            }
        }
    }

    /// What an operator must know: what retention waits for that does not come by itself.
    pub(super) fn blocked(&self) -> Option<String> {
        if let Some(why) = &self.no_key {
            return Some(format!("retention removes nothing: {why}"));
        }
        let list = |names: &BTreeSet<String>| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        let strangers = list(&self.strangers).map(|names| {
            format!(
                "retention leaves old logs that no known audit key vouches for: {names}; name the public parts of earlier audit \
                 keys with `audit.former_keys`; one counts for logs that began before the first log of the key now"
            )
        });
        let orphans = list(&self.orphans).map(|names| {
            format!(
                "retention leaves old logs that no audit key vouches for, because they were never signed or ended before it answered: \
                 {names}; no key can vouch for them later, so remove them by hand when they are due"
            )
        });
        let unfounded = list(&self.unfounded).map(|names| {
            format!(
                "retention leaves old logs whose first records are gone, because no known audit key vouches for a record that says \
                 why: {names}; `zt audit verify` tells more"
            )
        });
        let unread = self
            .unread
            .iter()
            .map(|(writer, why)| format!("`{writer}` ({why})"));
        let unread = list(&unread.collect())
            .map(|names| format!("retention passes over logs that it cannot read: {names}"));
        let all = [
            waiting(&self.waits_for),
            strangers,
            orphans,
            unfounded,
            unread,
        ];
        let all: Vec<String> = all.into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// The records to write before anything is removed.
    pub(super) fn records(
        &self,
        at: Timestamp,
    ) -> impl Iterator<Item = Result<String, AuditError>> {
        #[derive(Serialize)]
        struct Line<'a> {
            retired: &'a Retired,
        }
        self.records.iter().map(move |retired| {
            let resource = format!("audit:{}", retired.writer);
            let record = Record::new(Kind::Admin, at, "audit.retired", resource, Outcome::Ok);
            let (record, line) = (record.fields(None), to_fields(&Line { retired })?);
            Ok(format!("{record},{line}"))
        })
    }

    /// Removes the files until `is_over`; what stays, the next plan finds. An error says what stands in its way.
    pub(super) fn remove(
        &self,
        folder: &Path,
        disk: &dyn Disk,
        is_over: &dyn Fn() -> bool,
    ) -> Result<(), String> {
        self.removal.run(folder, disk, is_over)
    }
}

/// Whether the first segment of a log seems to be old; a look, so that nothing young is read whole.
fn has_old(folder: &Path, writer: &str, numbers: &[u32], limit: Timestamp) -> bool {
    let end = match numbers {
        [] => None,
        // The second starts after the first has ended.
        [_, second, ..] => {
            let first_line = open(&folder.join(segment_name(writer, *second)));
            first_line.ok().and_then(|mut lines| {
                let line = lines.next().ok().flatten()?;
                let header: Header = serde_json::from_slice(line.bytes).ok()?;
                super::entry::timestamp(&header.at)
            })
        }
        [only] => {
            let file = File::open(folder.join(segment_name(writer, *only))).ok();
            let end = file.and_then(|file| End::read(&file).ok());
            end.filter(|end| end.is_closed).and_then(|end| end.at)
        }
    };
    end.is_some_and(|at| at < limit)
}
