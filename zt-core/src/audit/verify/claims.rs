//! What segments say about others, read ahead because it is needed before it is verified. A false claim is found when its
//! own record is verified; of several that could say why a log begins where it does one counts that somebody vouches for.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;

use super::super::AuditError;
use super::super::chain::{Link, hex};
use super::super::folder::{Folder, segment_name};
use super::super::lines::Line;
use super::super::retire::Retired;
use super::super::scan::{Header, LogLink, parse};
use super::open;

/// The claims of a whole folder.
#[derive(Debug, Default)]
pub(in super::super) struct Claims {
    /// How much of a given up segment counts.
    pub(super) good_bytes: HashMap<String, u64>,
    /// By the log that they are about.
    pub(super) links: BTreeMap<String, Links>,
    /// By the log whose first segments were removed, the smallest part first.
    retired: BTreeMap<String, Vec<Retirement>>,
    /// Which of them counts, by the same log.
    counting: BTreeMap<String, usize>,
    /// Logs that could not be read, whose claims are not all here.
    pub(in super::super) unread: BTreeMap<String, AuditError>,
}

/// The claims about one log, by number.
#[derive(Debug, Default)]
pub(super) struct Links(BTreeMap<u64, Vec<Claim>>);

/// That a record existed.
#[derive(Debug)]
pub(super) struct Claim {
    head: String,
    pub(super) file: String,
    pub(super) byte_offset: u64,
}

/// That the first segments of a log were removed by rule.
#[derive(Debug, Clone)]
pub(in super::super) struct Retirement {
    pub(in super::super) retired: Retired,
    pub(super) at: String,
    /// The logs and records that say so: one whose record is not signed yet, or goes itself, is said again.
    pub(in super::super) by: Vec<(String, u64)>,
}

#[derive(Deserialize)]
struct Opening {
    #[serde(default)]
    links: Vec<LogLink>,
}

#[derive(Deserialize)]
struct Retiring {
    at: String,
    retired: Retired,
}

impl Claims {
    /// Which of several claims count is not said yet: [`choose`](Self::choose) does.
    pub(in super::super) fn read(folder: &Path, found: &Folder) -> Self {
        let mut claims = Self::default();
        for (writer, numbers) in &found.writers {
            let mut before = None;
            for number in numbers {
                let file = segment_name(writer, *number);
                let path = folder.join(&file);
                if let Err(error) = claims.read_segment(&path, writer, &file, before.as_deref()) {
                    claims.unread.entry(writer.clone()).or_insert(error);
                }
                before = Some(file);
            }
        }
        claims
    }

    /// Decides what says why each log begins where it does. `vouched` tells how many records of a log somebody vouches for; it
    /// is asked once for each log, and only where more than one claim could count.
    pub(in super::super) fn choose(
        &mut self,
        found: &Folder,
        mut vouched: impl FnMut(&str) -> Result<u64, AuditError>,
    ) -> Result<(), AuditError> {
        let mut known: BTreeMap<&str, u64> = BTreeMap::new();
        for (writer, all) in &self.retired {
            let numbers = found.writers.get(writer);
            let could = candidates(all, numbers.and_then(|numbers| numbers.first()).copied());
            let mut counts = None;
            for at in could.iter().filter(|_| could.len() > 1) {
                let by = all.get(*at).map_or(&[][..], |said| &said.by);
                for (by, seq) in by.iter().filter(|(by, _)| by != writer) {
                    if !known.contains_key(by.as_str()) {
                        known.insert(by, vouched(by)?);
                    }
                    let is_vouched = known.get(by.as_str()).is_some_and(|size| size >= seq);
                    counts = counts.or_else(|| is_vouched.then_some(*at));
                }
                if counts.is_some() {
                    break;
                }
            }
            let last = || all.len().checked_sub(1);
            // Where nobody vouches for any, the best of them, for who tells what is wrong.
            let counts = counts.or_else(|| could.first().copied()).or_else(last);
            self.counting.extend(counts.map(|at| (writer.clone(), at)));
        }
        Ok(())
    }

    /// The header, and behind it what a log says when it opens, before anybody's records.
    fn read_segment(
        &mut self,
        path: &Path,
        writer: &str,
        file: &str,
        before: Option<&str>,
    ) -> Result<(), AuditError> {
        let failed = |error| AuditError::unavailable("read the audit segment", path, error);
        let mut lines = open(path)?;
        if let Some(line) = lines.next().map_err(failed)? {
            let header: Option<Header> = serde_json::from_slice(line.bytes).ok();
            let failure = header.and_then(|header| header.after_failure);
            if let Some(failure) = failure.filter(|failure| Some(failure.file.as_str()) == before) {
                self.good_bytes.insert(failure.file, failure.good_bytes);
            }
        }
        while let Some(line) = lines.next().map_err(failed)? {
            if !self.read_opening(writer, file, &line) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the line was one of those that open a log.
    fn read_opening(&mut self, writer: &str, file: &str, line: &Line<'_>) -> bool {
        let Some((_, stamp)) = parse(line.bytes) else {
            return false;
        };
        if stamp.is_admin("audit.open") {
            let opening: Option<Opening> = serde_json::from_slice(line.bytes).ok();
            for link in opening.map(|opening| opening.links).unwrap_or_default() {
                let claim = Claim {
                    head: link.head,
                    file: file.to_owned(),
                    byte_offset: line.offset,
                };
                let log = self.links.entry(link.writer).or_default();
                log.0.entry(link.seq).or_default().push(claim);
            }
            return true;
        }
        if stamp.is_admin("audit.retired")
            && let Ok(Retiring { at, retired }) = serde_json::from_slice(line.bytes)
        {
            self.retire(Retirement {
                at,
                by: vec![(writer.to_owned(), stamp.seq)],
                retired,
            });
            return true;
        }
        stamp.is_admin("audit.recovered")
    }

    fn retire(&mut self, new: Retirement) {
        let all = self.retired.entry(new.retired.writer.clone()).or_default();
        match all.iter_mut().find(|known| known.retired == new.retired) {
            Some(known) => known.by.extend(new.by),
            None => {
                let at = all.partition_point(|known| known.retired.segment <= new.retired.segment);
                all.insert(at, new);
            }
        }
    }

    /// What says why a log begins where it does, if these are its segments. None for a log that begins at its beginning.
    pub(in super::super) fn retired(&self, writer: &str, numbers: &[u32]) -> Option<&Retirement> {
        self.retired_from(writer, numbers).first()
    }

    /// The same, and behind it what speaks of larger parts.
    pub(in super::super) fn retired_from(&self, writer: &str, numbers: &[u32]) -> &[Retirement] {
        let all = self.retired.get(writer).map(Vec::as_slice);
        let from = self
            .counting
            .get(writer)
            .filter(|_| numbers.first() != Some(&1));
        let counting = all.zip(from).and_then(|(all, from)| all.get(*from..));
        counting.unwrap_or_default()
    }

    /// Who links which log: the first was opened when the second was there.
    pub(in super::super) fn linked(&self) -> impl Iterator<Item = (&str, &str)> {
        let logs = self.links.iter();
        logs.flat_map(|(log, links)| {
            let claims = links.0.values().flatten();
            let by = claims.filter_map(|claim| claim.file.rsplit_once('-'));
            by.map(|(by, _)| (by, log.as_str()))
        })
    }

    /// The logs that parts of were removed.
    pub(in super::super) fn retired_logs(&self) -> impl Iterator<Item = &str> {
        self.retired.keys().map(String::as_str)
    }
}

/// The claims that could say why a log begins with this segment, or is gone, the first choice first: what ends just before it,
/// then the largest part, whose removal was interrupted. What ends earlier says nothing about those between.
fn candidates(all: &[Retirement], first: Option<u32>) -> Vec<usize> {
    if first == Some(1) {
        return Vec::new();
    }
    let before = first.map(|first| first.saturating_sub(1));
    let segment = |at: &usize| all.get(*at).map(|said| said.retired.segment);
    let could = (0..all.len()).rev();
    let mut could: Vec<usize> = could.filter(|at| segment(at) >= before).collect();
    could.sort_by_key(|at| segment(at) != before);
    could
}

impl Links {
    /// Crosses off the claims that this record satisfies.
    pub(super) fn satisfy(&mut self, link: Link) {
        if let Some(at) = self.0.get_mut(&link.seq) {
            let head = hex(&link.hash);
            at.retain(|claim| claim.head != head);
        }
    }

    /// The same for a line that is not known to be good; what a link saw there was there all the same.
    pub(super) fn satisfy_unchecked(&mut self, line: &Line<'_>) {
        if let Some((frame, stamp)) = parse(line.bytes) {
            self.satisfy(Link {
                seq: stamp.seq,
                hash: frame.hash,
            });
        }
    }

    /// Crosses off the claims about records before this one, which are known to be removed.
    pub(super) fn forget_before(&mut self, seq: u64) {
        self.0 = self.0.split_off(&seq);
    }

    /// What nothing satisfied.
    pub(super) fn broken(self) -> impl Iterator<Item = (u64, Claim)> {
        let of =
            |(seq, claims): (u64, Vec<Claim>)| claims.into_iter().map(move |claim| (seq, claim));
        self.0.into_iter().flat_map(of)
    }
}
