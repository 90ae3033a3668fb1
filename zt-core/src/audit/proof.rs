//! A proof bundle: one record, and all that shows somebody without the log that it stands in a signed log.
//!
//! In: a record of a folder. Out: a [`Bundle`], JSON of a few thousand bytes, and its verification. A bundle holds the line as
//! it was written, the hash before it, the path to the root of a checkpoint, and the newest checkpoint with the proof that it
//! continues that one. Whose key to trust is not for the bundle to say: [`Bundle::verify`] is given the audit key.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::chain::{self, Frame, Hash, from_hex, hex};
use super::checkpoint::Checkpoint;
use super::folder::checkpoints_name;
use super::read::{Stored, each_stored};
use super::scan::parse;
use super::signature::PublicKey;
use super::verify::notes::{Read, each};
use super::verify::open;
use super::{AuditError, Entry, tree};

/// What a bundle calls its format.
const FORMAT: &str = "zt-audit-proof/1";

/// A record that can be proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Bundle {
    /// `zt-audit-proof/1`.
    pub format: String,
    /// The log.
    pub writer: String,
    /// The record's number in it; its leaf is the one before, counted from 0.
    pub seq: u64,
    /// The record's line, byte for byte, without its newline.
    pub record: String,
    /// The chain's hash before it, hexadecimal.
    pub previous: String,
    /// From the leaf to the root of `checkpoint`, hexadecimal.
    pub inclusion: Vec<String>,
    /// The first checkpoint that covers the record.
    pub checkpoint: String,
    /// A newer checkpoint of the same log, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<Newer>,
    /// The audit key as who made the bundle knows it, PEM. A hint: trust a key that you know from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The newest checkpoint, and that it continues the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Newer {
    /// The note.
    pub checkpoint: String,
    /// From the one root to the other, hexadecimal.
    pub consistency: Vec<String>,
}

/// Why a bundle proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotProven {
    /// Another format, or a field that is not what it should be.
    #[error("the bundle is malformed: {0}")]
    Malformed(&'static str),
    /// The line, the hash before it and its own hash do not fit.
    #[error("the record is not what was hashed")]
    Record,
    /// The record is not under the checkpoint.
    #[error("the record is not in the tree of the checkpoint")]
    NotIncluded,
    /// A checkpoint is not signed by the key that it names.
    #[error("the signature of a checkpoint does not fit")]
    Signature,
    /// The audit key does not vouch for who signed.
    #[error("the audit key does not vouch for the key that signed the checkpoint")]
    UnknownKey,
    /// The newer checkpoint does not continue the other.
    #[error("the newer checkpoint does not continue the one of the record")]
    Inconsistent,
}

/// Proves record `seq` of the log `writer` in `folder`; `key` goes along as a hint.
///
/// Reads the log once and holds 32 bytes of each record, and two of its checkpoints.
///
/// # Errors
/// [`AuditError::Unavailable`] if the folder cannot be read; [`AuditError::NotFound`] if there is no such record, no
/// checkpoint covers it yet, or the log is not what was signed.
pub fn prove(
    folder: impl AsRef<Path>,
    writer: &str,
    seq: u64,
    key: Option<&PublicKey>,
) -> Result<Bundle, AuditError> {
    let folder = folder.as_ref();
    let mut leaves = Vec::new();
    let (mut previous, mut record) = (chain::ZERO, None);
    each_stored(folder, Some(writer), |line: Stored<'_>| {
        let Some((frame, stamp)) = parse(line.bytes) else {
            return;
        };
        if stamp.seq == seq {
            let text = String::from_utf8_lossy(line.bytes).into_owned();
            record = Some((text, previous));
        }
        previous = frame.hash;
        leaves.push(tree::leaf(&frame.hash));
    })?;
    let not_found = |what: String| Err(AuditError::NotFound { what });
    let Some((record, previous)) = record else {
        return not_found(format!("log `{writer}` has no record {seq}"));
    };
    let Some((first, last)) = covering(folder, writer, seq)? else {
        return not_found(format!(
            "no checkpoint covers record {seq} of log `{writer}` yet"
        ));
    };
    let newer = last.filter(|note| note.head.size > first.head.size);
    let bundle = Bundle {
        format: FORMAT.to_owned(),
        writer: writer.to_owned(),
        seq,
        record,
        previous: hex(&previous),
        inclusion: hexes(tree_of(&leaves, &first).and_then(|leaves| {
            tree::inclusion(leaves, usize::try_from(seq.checked_sub(1)?).ok()?)
        })),
        checkpoint: first.note(),
        newer: newer.as_ref().map(|newer| Newer {
            checkpoint: newer.note(),
            consistency: hexes(tree_of(&leaves, newer).and_then(|leaves| {
                tree::consistency(leaves, usize::try_from(first.head.size).ok()?)
            })),
        }),
        key: key.map(PublicKey::to_pem),
    };
    match bundle.check(None) {
        Ok(_) => Ok(bundle),
        Err(why) => not_found(format!(
            "record {seq} of log `{writer}` cannot be proven: {why}"
        )),
    }
}

/// The leaves that a checkpoint signs.
fn tree_of<'a>(leaves: &'a [Hash], of: &Checkpoint) -> Option<&'a [Hash]> {
    leaves.get(..usize::try_from(of.head.size).ok()?)
}

fn hexes(path: Option<Vec<Hash>>) -> Vec<String> {
    let path = path.unwrap_or_default();
    path.iter().map(|hash| hex(hash)).collect()
}

fn unhex(path: &[String]) -> Result<Vec<Hash>, NotProven> {
    let read = path.iter().map(|text| from_hex(text.as_bytes()));
    read.collect::<Option<_>>()
        .ok_or(NotProven::Malformed("a hash is not 64 hexadecimal digits"))
}

/// The first checkpoint that covers a record, and the newest of the log. Once the audit key has answered, the notes carry what
/// vouches for them: the first of those is preferred.
fn covering(
    folder: &Path,
    writer: &str,
    seq: u64,
) -> Result<Option<(Checkpoint, Option<Checkpoint>)>, AuditError> {
    let file = checkpoints_name(writer);
    let path = folder.join(&file);
    let (mut first, mut newest) = (None::<Checkpoint>, None);
    each(&mut open(&path)?, &file, |_, read| {
        let Read::Note(note) = read else { return };
        let is_better = match &first {
            None => true,
            Some(first) => first.endorsement.is_none() && note.endorsement.is_some(),
        };
        if note.head.size >= seq && is_better {
            first = Some((*note).clone());
        }
        newest = Some(*note);
    })
    .map_err(|error| AuditError::unavailable("read the audit checkpoints", &path, error))?;
    Ok(first.map(|first| (first, newest)))
}

impl Bundle {
    /// Whether it proves its record under this audit key; the record, if so.
    ///
    /// # Errors
    /// [`NotProven`] says what does not fit.
    pub fn verify(&self, key: &PublicKey) -> Result<Entry, NotProven> {
        self.check(Some(key))
    }

    /// Without a key, whether it fits together.
    fn check(&self, key: Option<&PublicKey>) -> Result<Entry, NotProven> {
        if self.format != FORMAT {
            return Err(NotProven::Malformed("the format is not known"));
        }
        let previous = from_hex(self.previous.as_bytes()).ok_or(NotProven::Malformed(
            "`previous` is not 64 hexadecimal digits",
        ))?;
        let frame = Frame::parse(self.record.as_bytes()).ok_or(NotProven::Record)?;
        let entry: Entry = serde_json::from_str(&self.record).map_err(|_| NotProven::Record)?;
        let is_bound = chain::hash(&previous, frame.body) == frame.hash;
        if !is_bound || entry.seq != self.seq || self.seq == 0 {
            return Err(NotProven::Record);
        }
        let checkpoint = self.note(&self.checkpoint, key)?;
        let (path, head) = (unhex(&self.inclusion)?, &checkpoint.head);
        if !tree::is_included(&frame.hash, self.seq - 1, head.size, &path, &head.root) {
            return Err(NotProven::NotIncluded);
        }
        if let Some(newer) = &self.newer {
            let next = self.note(&newer.checkpoint, key)?;
            let path = unhex(&newer.consistency)?;
            let (first, second) = ((head.size, &head.root), (next.head.size, &next.head.root));
            if !tree::is_consistent(first, second, &path) || next.key != checkpoint.key {
                return Err(NotProven::Inconsistent);
            }
        }
        Ok(Entry {
            writer: self.writer.clone(),
            ..entry
        })
    }

    fn note(&self, note: &str, key: Option<&PublicKey>) -> Result<Checkpoint, NotProven> {
        let malformed = NotProven::Malformed("a checkpoint is not a note of this log");
        let checkpoint = Checkpoint::read(note).ok_or_else(|| malformed.clone())?;
        if checkpoint.writer != self.writer {
            return Err(malformed);
        }
        if !checkpoint.is_signed() {
            return Err(NotProven::Signature);
        }
        if key.is_some_and(|key| !checkpoint.is_endorsed_by(key)) {
            return Err(NotProven::UnknownKey);
        }
        Ok(checkpoint)
    }
}
