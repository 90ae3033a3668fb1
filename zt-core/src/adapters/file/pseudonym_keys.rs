//! The keys of the audit log's pseudonyms, in a file: a line of 64 hexadecimal digits each, the newest last.
//!
//! Made at first use, readable by its owner alone, as the audit key is. A rotation adds a line: without the older ones, older
//! pseudonyms match nothing any more.

use std::path::Path;

use zeroize::Zeroizing;

use super::pem;
use crate::audit::{KEY_BYTES, Pseudonyms};
use crate::error::{Code, Error, Result};

/// Reads the keys, or makes one if there is no such file.
pub(crate) fn open_pseudonym_keys(path: &Path) -> Result<Pseudonyms> {
    pem::make_text(path, || Some(line(&*Pseudonyms::generate()?))).map_err(wrong)?;
    read_pseudonym_keys(path)
}

/// Reads the keys, which must exist.
pub(crate) fn read_pseudonym_keys(path: &Path) -> Result<Pseudonyms> {
    keys(path, &pem::text(path).map_err(wrong)?)
}

/// Adds a key, which makes pseudonyms from the next start on.
pub(crate) fn rotate_pseudonym_keys(path: &Path) -> Result<Pseudonyms> {
    let key = Pseudonyms::generate();
    let key = key.ok_or_else(|| wrong("the system gave no random bytes".to_owned()))?;
    let old = pem::text(path).map_err(wrong)?;
    let _they_are_whole = keys(path, &old)?;
    // Room first: what grows leaves a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(old.len() + 2 * KEY_BYTES + 2));
    text.push_str(old.trim_end());
    text.push('\n');
    text.push_str(&line(&key));
    if text.len() as u64 > pem::MOST_BYTES {
        let path = path.display();
        let why = format!("its file `{path}` is full: take the oldest lines out first");
        return Err(wrong(why));
    }
    pem::replace_text(path, &text).map_err(wrong)?;
    read_pseudonym_keys(path)
}

fn line(key: &[u8; KEY_BYTES]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * KEY_BYTES + 1));
    for byte in key {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
    text.push('\n');
    text
}

fn keys(path: &Path, text: &str) -> Result<Pseudonyms> {
    let malformed = |number: usize| {
        let path = path.display();
        wrong(format!(
            "line {number} of its file `{path}` is not 64 hexadecimal digits"
        ))
    };
    let mut all: Option<Pseudonyms> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let key = key(line).ok_or_else(|| malformed(number))?;
        all = Some(match all {
            None => Pseudonyms::new(&key),
            Some(older) => older.with_newer(&key),
        });
    }
    all.ok_or_else(|| malformed(1))
}

fn key(line: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let digits = line.trim_end().as_bytes();
    if digits.len() != 2 * KEY_BYTES {
        return None;
    }
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let digit = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(digit).ok()?;
        }
    }
    Some(key)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
fn wrong(why: String) -> Error {
    Error::new(Code::Config, format!("the keys of pseudonyms: {why}"))
        .with_help("`audit.pseudonym_keys` names a file that only its owner may read")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn keys_are_made_once_read_again_and_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/pseudonym.keys");
        assert!(read_pseudonym_keys(&path).is_err());
        let first = open_pseudonym_keys(&path).unwrap();
        let before = first.of("context.case", "7");
        assert_eq!(
            open_pseudonym_keys(&path).unwrap().of("context.case", "7"),
            before
        );
        let rotated = rotate_pseudonym_keys(&path).unwrap();
        assert_ne!(rotated.of("context.case", "7"), before);
        let read = read_pseudonym_keys(&path).unwrap();
        let found = read.all_of("context.case", "7");
        assert_eq!(found, [rotated.of("context.case", "7"), before]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_full_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pseudonym.keys");
        open_pseudonym_keys(&path).unwrap();
        while let Ok(rotated) = rotate_pseudonym_keys(&path) {
            assert!(rotated.all_of("context.case", "7").len() < 100);
        }
        let error = rotate_pseudonym_keys(&path).unwrap_err();
        assert!(error.message().contains("is full"), "{error}");
        assert_eq!(
            read_pseudonym_keys(&path).unwrap().all_of("a", "7").len(),
            63
        );
    }

    #[test]
    fn a_damaged_file_is_told_by_line_and_never_shown_or_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pseudonym.keys");
        open_pseudonym_keys(&path).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        for bad in [
            format!("{good}zt-needle\n"),
            good.replace(char::is_alphanumeric, "é"),
            String::new(),
        ] {
            fs::write(&path, &bad).unwrap();
            let error = rotate_pseudonym_keys(&path).unwrap_err();
            assert!(error.message().contains("64 hexadecimal digits"), "{error}");
            assert!(!error.message().contains("needle"));
            assert_eq!(fs::read_to_string(&path).unwrap(), bad);
        }
    }
}
