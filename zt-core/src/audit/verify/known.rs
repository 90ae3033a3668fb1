//! What retention must know about a log before anything of it goes, and who vouches for it.
//!
//! In: a log and the audit keys that may vouch for it. Out: where its segments end and how far it is signed, if it is intact;
//! else whose it is.

use std::path::Path;

use super::super::checkpoint::Checkpoint;
use super::super::folder::{Folder, checkpoints_name};
use super::super::retire::Retired;
use super::super::signature::PublicKey;
use super::super::{AuditError, FindingKind};
use super::claims::{Claims, Links};
use super::log::Log;
use super::notes::{self, Read};
use super::{VerifyOptions, open};

/// The audit keys that vouch for what retention removes.
pub(in super::super) struct Keys {
    /// The one of this log.
    pub(in super::super) now: PublicKey,
    /// Those before: they vouch for logs older than the first one of the key now. One that leaked later makes no log of today.
    pub(in super::super) former: Vec<PublicKey>,
}

/// What retention must know about a log; nothing of one that is not intact.
#[derive(Debug, Default)]
pub(in super::super) struct Known {
    /// Where each segment ends.
    pub(in super::super) ends: Vec<Retired>,
    /// How many of its records are signed.
    pub(in super::super) signed: u64,
    /// Its records that say that something was removed by rule.
    pub(in super::super) removals: Vec<u64>,
    pub(in super::super) signer: Signer,
}

/// Who vouches for a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) enum Signer {
    /// One of the keys, or nothing is known of it because something else is wrong.
    #[default]
    Known,
    /// Another key, which calls itself so.
    Unknown([u8; 4]),
    /// Nobody, and nobody will: it is not signed, or its audit key did not answer before it ended.
    Nobody,
}

/// Verifies one log for retention, which trusts these keys alone.
pub(in super::super) fn know(
    folder: &Path,
    found: &Folder,
    claims: &Claims,
    writer: &str,
    keys: &[PublicKey],
) -> Result<Known, AuditError> {
    if keys.is_empty() {
        return Ok(Known::default());
    }
    let options = VerifyOptions {
        trusted: keys.to_vec(),
        ..VerifyOptions::default()
    };
    let log = Log {
        folder,
        writer,
        numbers: found.writers.get(writer).map_or(&[][..], Vec::as_slice),
        claims,
        options: &options,
        keeps_ends: true,
    };
    let report = log.verify(Links::default(), found.signed.contains(writer))?;
    if !report.verification.is_intact() {
        let mut findings = report.verification.findings.iter();
        let unsigned = [FindingKind::UnknownKey, FindingKind::Unsigned];
        let is_unsigned = findings.any(|found| unsigned.contains(&found.what));
        return Ok(Known {
            signer: if is_unsigned {
                signer_of(folder, found, writer)?
            } else {
                Signer::Known
            },
            ..Known::default()
        });
    }
    let head = report.verification.heads.first();
    Ok(Known {
        signed: head.map_or(0, |head| head.signed),
        ends: report.ends,
        removals: report.removals,
        signer: Signer::Known,
    })
}

/// Who says to vouch for a log that no known key vouches for.
fn signer_of(folder: &Path, found: &Folder, writer: &str) -> Result<Signer, AuditError> {
    let mut signer = Signer::Nobody;
    each_note(folder, found, writer, |note| {
        let endorsement = note.endorsement.as_ref();
        if let (Signer::Nobody, Some(endorsement)) = (signer, endorsement) {
            signer = Signer::Unknown(endorsement.key_id);
        }
    })?;
    Ok(signer)
}

/// Whether an audit key vouches for a log.
pub(in super::super) fn is_vouched_for(
    folder: &Path,
    found: &Folder,
    writer: &str,
    key: &PublicKey,
) -> Result<bool, AuditError> {
    let mut is_it = false;
    each_note(folder, found, writer, |note| {
        is_it |= !is_it && note.writer == writer && note.is_endorsed_by(key) && note.is_signed();
    })?;
    Ok(is_it)
}

/// The newest note of a log that an audit key vouches for, or says to, where no key is known.
pub(in super::super) fn newest_endorsed(
    folder: &Path,
    found: &Folder,
    writer: &str,
) -> Result<Option<Checkpoint>, AuditError> {
    let mut newest: Option<Checkpoint> = None;
    each_note(folder, found, writer, |note| {
        let size = newest.as_ref().map_or(0, |newest| newest.head.size);
        if note.writer == writer && note.endorsement.is_some() && note.head.size >= size {
            newest = Some(note);
        }
    })?;
    Ok(newest)
}

fn each_note(
    folder: &Path,
    found: &Folder,
    writer: &str,
    mut visit: impl FnMut(Checkpoint),
) -> Result<(), AuditError> {
    if !found.signed.contains(writer) {
        return Ok(());
    }
    let file = checkpoints_name(writer);
    let path = folder.join(&file);
    let each = notes::each(&mut open(&path)?, &file, |_, read| match read {
        Read::Note(note) => visit(*note),
        Read::Malformed | Read::Torn => {}
    });
    each.map_err(|error| AuditError::unavailable("read the audit checkpoints", &path, error))
}
