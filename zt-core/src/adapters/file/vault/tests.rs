//! The local vault on real files.

#[cfg(target_os = "linux")]
mod hanging;

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::error::{Code, Error};
use crate::testing::ManualClock;
use crate::testing::vault_contract::{self, Seed};

impl Seed for LocalVault {
    fn put(&self, id: &SecretId, value: &[u8], validity: Validity) -> SecretVersion {
        self.set(id, value.to_vec().into(), validity).unwrap()
    }
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("vault.zt")
    }

    #[cfg(target_os = "linux")]
    fn aside(&self) -> PathBuf {
        self.0.path().join("vault.aside")
    }

    fn key_path(&self) -> PathBuf {
        self.0.path().join("vault.key")
    }

    fn by_key_file(&self) -> Result<LocalVault, VaultError> {
        LocalVault::open(self.path(), VaultKey::key_file(self.key_path()))
    }

    fn by_passphrase(&self, passphrase: &str) -> Result<LocalVault, VaultError> {
        let passphrase = Zeroizing::new(passphrase.to_owned());
        LocalVault::open(self.path(), VaultKey::passphrase(passphrase))
    }
}

fn id(name: &str) -> SecretId {
    let vault = "https://kv-brindlewick-prod.vault.azure.net"
        .parse()
        .unwrap();
    SecretId::new(vault, name.parse().unwrap())
}

fn holds(vault: &LocalVault, name: &str, value: &str) -> bool {
    vault.file.fetch(&id(name)).unwrap().value.reveal() == value.as_bytes()
}

#[tokio::test]
async fn the_local_vault_keeps_the_contract() {
    let folder = Folder::new();
    vault_contract::run(&folder.by_key_file().unwrap()).await;
}

#[test]
fn what_is_written_with_a_passphrase_opens_with_it_alone() {
    let folder = Folder::new();
    let vault = folder.by_passphrase("zt-needle-passphrase").unwrap();
    vault.put(&id("adb-token"), b"zt-needle-value", Validity::ALWAYS);
    let again = folder.by_passphrase("zt-needle-passphrase").unwrap();
    assert!(holds(&again, "adb-token", "zt-needle-value"));

    let error = folder.by_passphrase("zt-needle-wrong").unwrap_err();
    assert!(matches!(error, VaultError::WrongKey { .. }), "{error}");
    let error = folder.by_key_file().unwrap_err();
    assert!(error.to_string().contains("needs a passphrase"), "{error}");
    assert_eq!(Error::from(error).code(), Code::VaultIntegrity);
    assert!(!folder.key_path().exists(), "no key was made for it");
}

#[test]
fn a_key_file_of_another_vault_does_not_open_this_one() {
    let (folder, other) = (Folder::new(), Folder::new());
    for folder in [&folder, &other] {
        let vault = folder.by_key_file().unwrap();
        vault.put(&id("adb-token"), b"zt-needle-value", Validity::ALWAYS);
    }
    fs::copy(other.key_path(), folder.key_path()).unwrap();
    let error = folder.by_key_file().unwrap_err();
    assert!(matches!(error, VaultError::WrongKey { .. }), "{error}");
    let error = folder.by_passphrase("zt-needle-passphrase").unwrap_err();
    assert!(error.to_string().contains("needs a key file"), "{error}");
}

#[test]
fn a_vault_whose_key_file_is_gone_is_not_given_a_new_one() {
    let folder = Folder::new();
    let vault = folder.by_key_file().unwrap();
    vault.put(&id("adb-token"), b"zt-needle-value", Validity::ALWAYS);
    fs::remove_file(folder.key_path()).unwrap();
    let error = folder.by_key_file().unwrap_err();
    assert!(
        error.to_string().contains("cannot read key file"),
        "{error}"
    );
    assert!(!folder.key_path().exists());
}

#[test]
fn an_empty_passphrase_is_refused() {
    let error = Folder::new().by_passphrase("").unwrap_err();
    assert_eq!(Error::from(error).code(), Code::InvalidArgument);
}

#[test]
fn a_vault_that_is_not_there_says_how_to_make_it() {
    let folder = Folder::new();
    let vault = folder.by_key_file().unwrap();
    let error = Error::from(vault.file.fetch(&id("adb-token")).unwrap_err());
    assert_eq!(error.code(), Code::NotFound);
    assert_eq!(error.help(), Some("make one with `zt vault set NAME`"));
    assert_eq!(
        Error::from(vault.list().unwrap_err()).code(),
        Code::NotFound
    );
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn files_are_made_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let vault = folder.by_key_file().unwrap();
    vault.put(&id("adb-token"), b"zt-needle-value", Validity::ALWAYS);
    vault.put(&id("adb-token"), b"zt-needle-value", Validity::ALWAYS);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.0.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["vault.key", "vault.zt", "vault.zt.lock"]);
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let vault = folder.by_key_file().unwrap();
    vault.put(&id("adb-token"), b"zt-needle-value", Validity::ALWAYS);
    for mode in [0o644, 0o640, 0o604, 0o620] {
        fs::set_permissions(folder.key_path(), fs::Permissions::from_mode(mode)).unwrap();
        let error = folder.by_key_file().unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{mode:o}: {error}");
    }
    fs::set_permissions(folder.key_path(), fs::Permissions::from_mode(0o400)).unwrap();
    assert!(folder.by_key_file().is_ok());
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_read_is_not_taken_for_a_new_vault() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    fs::write(folder.key_path(), [7; 32]).unwrap();
    fs::set_permissions(folder.key_path(), fs::Permissions::from_mode(0o644)).unwrap();
    let vault = folder.by_key_file().unwrap();
    let error = vault
        .set(&id("adb-token"), Zeroizing::default(), Validity::ALWAYS)
        .unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
    assert!(!folder.path().exists());
}

#[cfg(unix)]
#[test]
fn a_key_file_of_another_length_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    for len in [0, 31, 33] {
        fs::write(folder.key_path(), vec![7; len]).unwrap();
        fs::set_permissions(folder.key_path(), fs::Permissions::from_mode(0o600)).unwrap();
        let vault = folder.by_key_file().unwrap();
        let error = vault
            .set(&id("adb-token"), Zeroizing::default(), Validity::ALWAYS)
            .unwrap_err();
        assert!(error.to_string().contains("32 random bytes"), "{error}");
    }
}

#[test]
fn a_file_cut_at_any_byte_is_refused_and_left_alone() {
    let folder = Folder::new();
    let vault = folder.by_key_file().unwrap();
    vault.put(&id("adb-token"), b"zt-needle-value", Validity::ALWAYS);
    let whole = fs::read(folder.path()).unwrap();
    for len in 0..whole.len() {
        fs::write(folder.path(), &whole[..len]).unwrap();
        let error = vault.file.fetch(&id("adb-token")).unwrap_err();
        assert!(
            matches!(error, VaultError::Integrity { .. }),
            "at {len}: {error}"
        );
        assert!(folder.by_key_file().is_err());
        assert!(
            vault
                .set(&id("other"), Zeroizing::default(), Validity::ALWAYS)
                .is_err()
        );
        assert_eq!(fs::read(folder.path()).unwrap().len(), len);
    }
}

#[test]
fn a_flipped_bit_in_any_byte_is_refused_and_nothing_is_shown() {
    let folder = Folder::new();
    let vault = folder.by_key_file().unwrap();
    vault.put(&id("adb-token"), b"zt-needle-value", Validity::ALWAYS);
    let whole = fs::read(folder.path()).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(folder.path(), damaged).unwrap();
        let error = Error::from(vault.file.fetch(&id("adb-token")).unwrap_err());
        assert_eq!(error.code(), Code::VaultIntegrity, "byte {at}: {error}");
        assert!(!format!("{error} {error:?}").contains("needle"));
    }
}

#[test]
fn values_are_not_in_the_file() {
    let folder = Folder::new();
    let vault = folder.by_key_file().unwrap();
    vault.put(&id("adb-token"), b"zt-needle-value", Validity::ALWAYS);
    let file = fs::read(folder.path()).unwrap();
    for part in [&b"needle"[..], b"adb-token", b"enQtbmVlZGxl"] {
        assert!(!file.windows(part.len()).any(|bytes| bytes == part));
    }
}

#[test]
fn what_another_process_writes_is_seen_at_the_next_read() {
    let folder = Folder::new();
    let (reader, writer) = (folder.by_key_file().unwrap(), folder.by_key_file().unwrap());
    writer.put(&id("adb-token"), b"zt-needle-one", Validity::ALWAYS);
    assert!(holds(&reader, "adb-token", "zt-needle-one"));
    writer.put(&id("adb-token"), b"zt-needle-two", Validity::ALWAYS);
    assert!(holds(&reader, "adb-token", "zt-needle-two"));
}

#[test]
fn a_vault_that_was_made_anew_is_seen_as_such() {
    let folder = Folder::new();
    let old = folder.by_passphrase("zt-needle-old").unwrap();
    old.put(&id("adb-token"), b"zt-needle-one", Validity::ALWAYS);
    fs::remove_file(folder.path()).unwrap();
    let new = folder.by_passphrase("zt-needle-new").unwrap();
    new.put(&id("adb-token"), b"zt-needle-two", Validity::ALWAYS);
    let error = old.file.fetch(&id("adb-token")).unwrap_err();
    assert!(matches!(error, VaultError::WrongKey { .. }), "{error}");
    assert!(holds(&new, "adb-token", "zt-needle-two"));
}

#[test]
fn eight_writers_at_once_lose_nothing() {
    let folder = Folder::new();
    thread::scope(|scope| {
        for writer in 0..8 {
            let folder = &folder;
            scope.spawn(move || {
                // Each opens for itself, as another process would.
                let vault = folder.by_key_file().unwrap();
                for n in 0..5 {
                    let name = format!("w{writer}-{n}");
                    let value = format!("zt-needle-{name}");
                    vault.put(&id(&name), value.as_bytes(), Validity::ALWAYS);
                    assert!(holds(&vault, &name, &value));
                }
            });
        }
    });
    let vault = folder.by_key_file().unwrap();
    assert_eq!(vault.list().unwrap().len(), 40);
}

#[test]
fn what_a_killed_writer_left_is_cleared_away() {
    let folder = Folder::new();
    let vault = folder.by_key_file().unwrap();
    let left = folder.0.path().join("vault.zt.new");
    fs::write(&left, b"half a file").unwrap();
    vault.put(&id("adb-token"), b"zt-needle-value", Validity::ALWAYS);
    assert!(!left.exists());
    assert!(holds(&vault, "adb-token", "zt-needle-value"));
}

#[test]
fn ten_old_versions_are_kept() {
    let folder = Folder::new();
    let vault = folder.by_key_file().unwrap();
    let id = id("adb-token");
    let written: Vec<_> = (0..13)
        .map(|n| vault.put(&id, format!("zt-needle-{n}").as_bytes(), Validity::ALWAYS))
        .collect();
    let listed = &vault.list().unwrap()[0];
    let kept: Vec<_> = listed.versions.iter().map(|v| v.version).collect();
    let expected: Vec<_> = written.iter().rev().take(11).copied().collect();
    assert_eq!(kept, expected);
    assert!(vault.file.fetch(&id.clone().at(written[1])).is_err());
    assert!(vault.file.fetch(&id.at(written[2])).is_ok());
}

#[test]
fn a_listing_has_dates_and_no_values() {
    let folder = Folder::new();
    let now = Timestamp::from_secs(1_790_000_000);
    let vault = folder
        .by_key_file()
        .unwrap()
        .with_clock(Arc::new(ManualClock::new(now)));
    let validity = Validity::ALWAYS
        .starting(now)
        .ending(Timestamp::from_secs(1_800_000_000));
    vault.put(&id("sql-password"), b"zt-needle-value", validity.disabled());
    vault.put(&id("adb-token"), b"zt-needle-value", Validity::ALWAYS);
    let list = vault.list().unwrap();
    let names: Vec<_> = list.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["adb-token", "sql-password"]);
    assert_eq!(list[1].versions[0].created, now);
    assert_eq!(list[1].versions[0].validity, validity.disabled());
    assert!(!format!("{list:?} {vault:?}").contains("needle"));
}

#[test]
fn what_is_removed_is_gone() {
    let folder = Folder::new();
    let vault = folder.by_key_file().unwrap();
    let id = id("adb-token");
    let first = vault.put(&id, b"zt-needle-one", Validity::ALWAYS);
    let second = vault.put(&id, b"zt-needle-two", Validity::ALWAYS);
    vault.remove(&id.clone().at(second)).unwrap();
    assert!(holds(&vault, "adb-token", "zt-needle-one"));
    vault.remove(&id.clone().at(first)).unwrap();
    assert_eq!(vault.list().unwrap(), []);
    let error = vault.remove(&id).unwrap_err();
    assert!(matches!(error, VaultError::NotFound { .. }));
}

#[test]
fn a_value_is_at_most_25_kib_long() {
    let folder = Folder::new();
    let vault = folder.by_key_file().unwrap();
    let set = |len: usize| {
        let value = Zeroizing::new(vec![b'z'; len]);
        vault.set(&id("long"), value, Validity::ALWAYS)
    };
    assert!(set(25 * 1024).is_ok());
    let error = set(25 * 1024 + 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the value of secret `long` has 25601 bytes, at most 25600 are allowed"
    );
}

#[test]
fn a_version_cannot_be_chosen() {
    let folder = Folder::new();
    let vault = folder.by_key_file().unwrap();
    let pinned = id("adb-token").at(SecretVersion::from_u128(1));
    let error = vault
        .set(&pinned, Zeroizing::default(), Validity::ALWAYS)
        .unwrap_err();
    assert!(matches!(error, VaultError::Invalid { .. }));
}

#[test]
fn a_key_never_prints() {
    let key = VaultKey::passphrase(Zeroizing::new("zt-needle-passphrase".to_owned()));
    assert_eq!(format!("{key:?}"), "[vault passphrase]");
}
