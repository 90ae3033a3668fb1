//! Looks for secrets where none may be. Test secrets begin with a marker; it must stand in no output and no file.
//!
//! In: the log of a run and the temporary folder of its tests. Out: file and offset of each find, never the bytes around
//! it. The marker is looked for as it is, in hexadecimal, and in base64 at each of the three ways it can be aligned.
//! A search that had nothing of worth to read, or that does not find what was planted for it, is a failure too.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::ops::{AddAssign, Range};
use std::path::Path;

/// What every secret of a test begins with.
const MARKER: &[u8] = b"zt-needle-";

/// Set for all tests: their worlds then leave their folders behind, to be searched.
pub(crate) const KEEP: &str = "ZT_KEEP_WORLDS";

/// What a vault file begins with.
const VAULT: &[u8] = b"zt-vault-1\n";

const ALPHABETS: [&[u8; 64]; 2] = [
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
];

/// The marker in every spelling.
pub(crate) struct Needles {
    spellings: BTreeSet<Vec<u8>>,
    begins: Vec<bool>,
}

impl Needles {
    pub(crate) fn new() -> Self {
        let mut spellings = BTreeSet::from([MARKER.to_vec()]);
        let hex: String = MARKER.iter().map(|byte| format!("{byte:02x}")).collect();
        spellings.insert(hex.to_uppercase().into_bytes());
        spellings.insert(hex.into_bytes());
        for alphabet in ALPHABETS {
            for before in 0..3 {
                spellings.insert(base64_core(MARKER, before, alphabet));
            }
        }
        let mut begins = vec![false; 256];
        for first in spellings.iter().filter_map(|spelling| spelling.first()) {
            if let Some(slot) = begins.get_mut(usize::from(*first)) {
                *slot = true;
            }
        }
        Self { spellings, begins }
    }

    /// The first place where a spelling stands, outside of `except`.
    pub(crate) fn find(&self, bytes: &[u8], except: &[Range<usize>]) -> Option<usize> {
        bytes.iter().enumerate().position(|(at, first)| {
            self.begins.get(usize::from(*first)) == Some(&true)
                && !except.iter().any(|range| range.contains(&at))
                && bytes.get(at..).is_some_and(|rest| {
                    let mut spellings = self.spellings.iter();
                    spellings.any(|spelling| rest.starts_with(spelling))
                })
        })
    }

    /// Plants the marker below the folder, searches the folder and removes it again. Returns a complaint unless the
    /// search named the plant once.
    pub(crate) fn control(&self, folder: &Path) -> io::Result<Option<String>> {
        let plot = folder.join("xtask-control");
        let plant = plot.join("below").join("plant");
        fs::create_dir_all(plot.join("below"))?;
        fs::write(&plant, MARKER)?;
        let mut finds = Vec::new();
        let searched = self.search(folder, &mut finds);
        fs::remove_dir_all(&plot)?;
        searched?;
        let wanted = complaint(&plant, 0);
        let found = finds.iter().filter(|find| **find == wanted).count();
        let miss = || format!("the search found a planted marker {found} times, not once");
        Ok((found != 1).then(miss))
    }

    /// Searches every file of a folder, except sources and what compilers make of them. Returns what it read.
    pub(crate) fn search(&self, folder: &Path, finds: &mut Vec<String>) -> io::Result<Seen> {
        let mut seen = Seen::default();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                seen += self.search(&path, finds)?;
            } else if kind.is_file() && !is_source(&path) {
                let bytes = fs::read(&path)?;
                if is_compiled(&bytes) {
                    continue;
                }
                seen += Seen {
                    files: 1,
                    journals: usize::from(has_extension(&path, &["jsonl"])),
                    vaults: usize::from(bytes.starts_with(VAULT)),
                };
                if let Some(at) = self.find(&bytes, &[]) {
                    finds.push(complaint(&path, at));
                }
            }
        }
        Ok(seen)
    }
}

/// How many files a search read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    files: usize,
    journals: usize,
    vaults: usize,
}

impl Seen {
    /// What every run of the tests leaves behind and this search did not meet.
    pub(crate) fn lacks(self) -> Vec<String> {
        let kinds = [(self.journals, "audit journal"), (self.vaults, "vault")];
        let missing = kinds.into_iter().filter(|(number, _)| *number == 0);
        missing
            .map(|(_, kind)| {
                format!("no test left a file of kind {kind} behind: too little was searched")
            })
            .collect()
    }
}

impl AddAssign for Seen {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.journals += other.journals;
        self.vaults += other.vaults;
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (files, journals, vaults) = (self.files, self.journals, self.vaults);
        write!(
            f,
            "{files} files, {journals} journals and {vaults} vaults among them"
        )
    }
}

/// Names the place alone: what stands around it may be the secret.
pub(crate) fn complaint(path: &Path, at: usize) -> String {
    format!("a secret stands in {} at byte {at}", path.display())
}

/// The characters of the base64 text that depend on `bytes` alone when `before` other bytes stand before them.
fn base64_core(bytes: &[u8], before: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let bit = |at: usize| {
        let byte = bytes.get((at / 8).wrapping_sub(before)).copied();
        byte.map(|byte| usize::from(byte >> (7 - at % 8)) & 1)
    };
    let first = (before * 8).div_ceil(6);
    let end = (before + bytes.len()) * 8 / 6;
    (first..end)
        .filter_map(|character| {
            let mut bits = (character * 6..character * 6 + 6).map(bit);
            let index = bits.try_fold(0, |sum, bit| Some(sum * 2 + bit?))?;
            alphabet.get(index).copied()
        })
        .collect()
}

/// What tests and people write. Settings too: tests put the marker into them to see it refused.
fn is_source(path: &Path) -> bool {
    let extensions = ["rs", "py", "pyi", "pyc", "c", "h", "cpp", "hpp", "toml"];
    has_extension(path, &extensions)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| extensions.contains(&extension))
}

/// Programs and libraries hold the literals of their sources. A core dump (ELF type 4) is none of them.
fn is_compiled(bytes: &[u8]) -> bool {
    let is_core = bytes.get(16) == Some(&4);
    (bytes.starts_with(b"\x7fELF") && !is_core) || bytes.starts_with(b"!<arch>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> bool {
        Needles::new().find(text.as_bytes(), &[]).is_some()
    }

    #[test]
    fn the_marker_is_found_as_it_is_and_in_hexadecimal() {
        assert!(found("value: zt-needle-41"));
        assert!(found("7a742d6e6565646c652d3431"));
        assert!(found("7A742D6E6565646C652D3431"));
        assert!(!found("zt-needl-e, zt_needle_, 7a742d6e"));
    }

    #[test]
    fn the_marker_is_found_in_base64_at_every_alignment() {
        // `zt-needle-1`, `xzt-needle-1`, `xxzt-needle-1`, each as base64.
        for text in [
            "enQtbmVlZGxlLTE=",
            "eHp0LW5lZWRsZS0x",
            "eHh6dC1uZWVkbGUtMQ==",
        ] {
            assert!(found(text), "{text}");
        }
        assert!(!found("d2hhdCBlbHNlIHdvdWxkIHN0YW5kIGhlcmU="));
    }

    #[test]
    fn the_offset_is_that_of_the_first_find_outside_the_exceptions() {
        let needles = Needles::new();
        let bytes = b"zt-needle-1 and zt-needle-2";
        assert_eq!(needles.find(bytes, &[]), Some(0));
        assert_eq!(
            needles.find(bytes, &[Range { start: 0, end: 12 }]),
            Some(16)
        );
    }

    #[test]
    fn programs_are_no_finds_and_core_dumps_are() {
        let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0".to_vec();
        assert!(is_compiled(&elf));
        elf[16] = 4;
        assert!(!is_compiled(&elf));
        assert!(!is_compiled(b"{\"seq\":1}"));
    }

    #[test]
    fn every_folder_is_searched_and_sources_are_not() {
        let folder = std::env::temp_dir().join(format!("xtask-needle-{}", std::process::id()));
        fs::create_dir_all(folder.join("deep/er")).unwrap();
        fs::write(folder.join("test.py"), "value = 'zt-needle-1'").unwrap();
        fs::write(folder.join("zt.toml"), "value = 'zt-needle-1'").unwrap();
        fs::write(folder.join("clean.jsonl"), "{}").unwrap();
        fs::write(folder.join("deep/er/core"), b"\0\0\0zt-needle-1").unwrap();
        let mut finds = Vec::new();
        let seen = Needles::new().search(&folder, &mut finds).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((seen.files, seen.journals, seen.vaults), (2, 1, 0));
        assert_eq!(finds.len(), 1);
        assert!(finds[0].ends_with("core at byte 3") && !finds[0].contains("zt-needle-1"));
    }

    #[test]
    fn the_control_is_found_and_removed_and_an_empty_search_is_told() {
        let folder = std::env::temp_dir().join(format!("xtask-control-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let needles = Needles::new();
        let blind = Needles {
            spellings: BTreeSet::new(),
            begins: Vec::new(),
        };
        assert_eq!(needles.control(&folder).unwrap(), None);
        assert!(blind.control(&folder).unwrap().is_some());
        let empty = needles.search(&folder, &mut Vec::new()).unwrap();
        fs::write(folder.join("1.jsonl"), "{}").unwrap();
        fs::write(folder.join("vault"), b"zt-vault-1\n\0").unwrap();
        let full = needles.search(&folder, &mut Vec::new()).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((empty, empty.lacks().len()), (Seen::default(), 2));
        assert_eq!(full.lacks(), [""; 0]);
    }
}
