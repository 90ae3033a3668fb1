//! A checkpoint: the signed head of one log's tree, as text that stands alone (C2SP tlog-checkpoint and signed-note).
//!
//! In: a [`TreeHead`]. Out: a note of about 700 bytes, and the same read back. A note has one form, byte for byte; whatever
//! else is no checkpoint. Reading proves nothing: [`Checkpoint::is_signed`] and [`Checkpoint::is_endorsed_by`] do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::chain::{Hash, from_hex, hex, sha256};
use super::signature::{ProcessKey, PublicKey, SignError};

/// What an origin starts with; the name of the writer follows. One origin for each log: a name is never used twice.
pub(super) const ORIGIN: &str = "zt-audit/";

/// What starts a line of signature: an em dash.
pub(super) const DASH: &str = "\u{2014} ";

/// The longest note that is read, in bytes; our own are far shorter.
pub(super) const LONGEST_NOTE: usize = 4096;

/// Where a log stands, on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TreeHead {
    /// How many records: the `seq` of the newest.
    pub(super) size: u64,
    /// The root of the tree over them.
    pub(super) root: Hash,
    /// The chain's hash at the newest.
    pub(super) head: Hash,
    /// When, in RFC 3339.
    pub(super) at: String,
}

/// That the audit key vouches for a process key: an id and a DER signature of [`statement`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endorsement {
    pub(super) key_id: [u8; 4],
    pub(super) signature: Vec<u8>,
}

/// A signed tree head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) writer: String,
    pub(super) head: TreeHead,
    /// SHA-256 of the note before it in the log; zeros before the first.
    pub(super) previous: Hash,
    pub(super) key: PublicKey,
    pub(super) endorsement: Option<Endorsement>,
    pub(super) signature: Vec<u8>,
}

impl Checkpoint {
    /// Signs where `writer` stands.
    pub(super) fn sign(
        writer: &str,
        head: TreeHead,
        previous: Hash,
        key: &ProcessKey,
        endorsement: Option<Endorsement>,
    ) -> Result<Self, SignError> {
        let mut checkpoint = Self {
            writer: writer.to_owned(),
            head,
            previous,
            key: key.public().clone(),
            endorsement,
            signature: Vec::new(),
        };
        checkpoint.signature = key.sign(checkpoint.text().as_bytes())?;
        Ok(checkpoint)
    }

    /// What is signed: origin, size, root, and our own lines.
    fn text(&self) -> String {
        let Self { head, .. } = self;
        let mut text = format!(
            "{ORIGIN}{}\n{}\n{}\nhead {}\nat {}\nprevious {}\nkey {}\n",
            self.writer,
            head.size,
            STANDARD.encode(head.root),
            hex(&head.head),
            head.at,
            hex(&self.previous),
            STANDARD.encode(self.key.to_der()),
        );
        if let Some(endorsement) = &self.endorsement {
            let signed = with_id(endorsement.key_id, &endorsement.signature);
            text.push_str(&format!("endorsement {signed}\n"));
        }
        text
    }

    /// The whole note, as it stands in a file.
    pub(super) fn note(&self) -> String {
        let signed = with_id(self.key.id(), &self.signature);
        format!("{}\n{DASH}{ORIGIN}{} {signed}\n", self.text(), self.writer)
    }

    /// What the next note names as the one before it.
    pub(super) fn hash(&self) -> Hash {
        sha256(self.note().as_bytes())
    }

    /// Reads a whole note; `None` for anything that [`note`](Self::note) would not have written.
    pub(super) fn read(note: &str) -> Option<Self> {
        let (text, signature) = note.split_once("\n\n")?;
        let mut lines = text.split('\n');
        let writer = lines.next()?.strip_prefix(ORIGIN)?.to_owned();
        let size = lines.next()?.parse().ok()?;
        let root = bytes(lines.next()?)?.try_into().ok()?;
        let head = from_hex(lines.next()?.strip_prefix("head ")?.as_bytes())?;
        let at = lines.next()?.strip_prefix("at ")?.to_owned();
        let previous = from_hex(lines.next()?.strip_prefix("previous ")?.as_bytes())?;
        let key = PublicKey::from_der(&bytes(lines.next()?.strip_prefix("key ")?)?)?;
        let endorsement = match lines.next() {
            None => None,
            Some(line) => {
                let (key_id, signature) = id_and_rest(line.strip_prefix("endorsement ")?)?;
                Some(Endorsement { key_id, signature })
            }
        };
        let line = signature.strip_suffix('\n')?;
        let (_, signed) = line.rsplit_once(' ')?;
        let (_, signature) = id_and_rest(signed)?;
        let checkpoint = Self {
            writer,
            head: TreeHead {
                size,
                root,
                head,
                at,
            },
            previous,
            key,
            endorsement,
            signature,
        };
        let is_plain = !checkpoint.head.at.contains(char::is_control);
        (is_plain && checkpoint.note() == note).then_some(checkpoint)
    }

    /// Whether the key that it names signed it.
    pub(super) fn is_signed(&self) -> bool {
        self.key.verifies(self.text().as_bytes(), &self.signature)
    }

    /// Whether this audit key vouches, in this very note, for the key that signed it.
    pub(super) fn is_endorsed_by(&self, key: &PublicKey) -> bool {
        self.endorsement.as_ref().is_some_and(|endorsement| {
            let statement = statement(&self.writer, &self.key);
            endorsement.key_id == key.id()
                && key.verifies(statement.as_bytes(), &endorsement.signature)
        })
    }
}

/// What the audit key signs: that this key may sign the checkpoints of this log.
pub(super) fn statement(writer: &str, key: &PublicKey) -> String {
    format!(
        "zt-audit-key\n{ORIGIN}{writer}\n{}\n",
        STANDARD.encode(key.to_der())
    )
}

fn with_id(id: [u8; 4], signature: &[u8]) -> String {
    STANDARD.encode([id.as_slice(), signature].concat())
}

fn id_and_rest(text: &str) -> Option<([u8; 4], Vec<u8>)> {
    let bytes = bytes(text)?;
    let (id, rest) = bytes.split_first_chunk::<4>()?;
    Some((*id, rest.to_vec()))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::super::chain::ZERO;
    use super::*;

    fn head() -> TreeHead {
        TreeHead {
            size: 1234,
            root: sha256(b"root"),
            head: sha256(b"head"),
            at: "2026-09-21T14:13:20.000Z".to_owned(),
        }
    }

    fn signed() -> (Checkpoint, ProcessKey) {
        let (audit, process) = (
            ProcessKey::generate().unwrap(),
            ProcessKey::generate().unwrap(),
        );
        let writer = "20260921T141320Z-0123456789abcdef";
        let endorsement = Endorsement {
            key_id: audit.public().id(),
            signature: audit
                .sign(statement(writer, process.public()).as_bytes())
                .unwrap(),
        };
        let signed = Checkpoint::sign(writer, head(), ZERO, &process, Some(endorsement));
        (signed.unwrap(), audit)
    }

    #[test]
    fn a_note_has_the_form_of_the_specification_and_reads_back() {
        let (checkpoint, audit) = signed();
        let note = checkpoint.note();
        let lines: Vec<&str> = note.split('\n').collect();
        assert_eq!(lines[0], "zt-audit/20260921T141320Z-0123456789abcdef");
        assert_eq!(lines[1], "1234");
        assert_eq!(STANDARD.decode(lines[2]).unwrap(), sha256(b"root"));
        assert_eq!(lines[8], "");
        let prefix = format!("\u{2014} {} ", lines[0]);
        let signature = STANDARD
            .decode(lines[9].strip_prefix(&prefix).unwrap())
            .unwrap();
        assert_eq!(signature[..4], checkpoint.key.id());
        assert_eq!(lines[10..], [""]);
        assert!(note.len() < LONGEST_NOTE / 4);
        let read = Checkpoint::read(&note).unwrap();
        assert_eq!(read, checkpoint);
        assert!(read.is_signed() && read.is_endorsed_by(audit.public()));
    }

    #[test]
    fn every_changed_byte_of_a_note_is_no_checkpoint_or_not_signed() {
        let (checkpoint, _) = signed();
        let note = checkpoint.note();
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut changed = note.clone().into_bytes();
                changed[at] ^= 1 << bit;
                let read = String::from_utf8(changed).ok();
                let read = read.as_deref().and_then(Checkpoint::read);
                assert!(!read.is_some_and(|read| read.is_signed()), "{at} {bit}");
            }
        }
        for end in 0..note.len() {
            assert!(note.get(..end).and_then(Checkpoint::read).is_none());
        }
        assert!(Checkpoint::read(&format!("{note}\n")).is_none());
        assert!(Checkpoint::read(&format!("\n{note}")).is_none());
    }

    #[test]
    fn an_endorsement_is_for_one_log_one_key_and_by_one_key() {
        let (checkpoint, audit) = signed();
        let other = ProcessKey::generate().unwrap();
        assert!(!checkpoint.is_endorsed_by(other.public()));
        let mut elsewhere = checkpoint.clone();
        elsewhere.writer = "20260921T141320Z-0123456789abcdee".to_owned();
        assert!(!elsewhere.is_endorsed_by(audit.public()));
        let mut by_another = checkpoint.clone();
        by_another.key = other.public().clone();
        assert!(!by_another.is_endorsed_by(audit.public()));
        let mut bare = checkpoint;
        bare.endorsement = None;
        assert!(!bare.is_endorsed_by(audit.public()));
    }
}
