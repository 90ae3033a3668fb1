//! The key that signs grants, in a file: PKCS#8 in PEM (RFC 8410), as `openssl genpkey -algorithm ed25519` writes it too.

use std::path::Path;

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::pem;
use crate::error::{Code, Error, Result};
use crate::grant::GrantKey;

/// What stands before the 32 bytes of the key (RFC 8410 section 7).
const PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Reads the key, or makes one if there is no such file.
pub(crate) fn open_grant_key(path: &Path) -> Result<GrantKey> {
    let wrong = |why: String| {
        Error::new(Code::Config, format!("the key of grants: {why}"))
            .with_help("`identity.grant_key` names a file that only its owner may read")
    };
    pem::make(path, new_key).map_err(wrong)?;
    let der = pem::read(path).map_err(wrong)?;
    let seed = der.strip_prefix(&PREFIX).filter(|seed| seed.len() == 32);
    match seed {
        Some(seed) => GrantKey::of_seed(seed),
        None => {
            let path = path.display();
            Err(wrong(format!("its file `{path}` holds no Ed25519 key")))
        }
    }
}

fn new_key() -> Option<Zeroizing<Vec<u8>>> {
    let mut der = Zeroizing::new(PREFIX.to_vec());
    let mut seed = Zeroizing::new([0; 32]);
    rand::fill(seed.as_mut_slice()).ok()?;
    // Room first: what grows leaves a copy behind.
    der.reserve_exact(32);
    der.extend_from_slice(seed.as_slice());
    Some(der)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again_and_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/grant.key");
        let made = open_grant_key(&path).unwrap();
        assert_eq!(made.public(), open_grant_key(&path).unwrap().public());
        let text = fs::read_to_string(&path).unwrap();
        let secret = text.lines().nth(1).unwrap();
        assert!(!format!("{made:?}").contains(secret));
        fs::write(&path, text.replace("MC4C", "MC4D")).unwrap();
        let error = open_grant_key(&path).unwrap_err();
        assert!(error.message().contains("no Ed25519 key"), "{error}");
    }

    /// RFC 8410 section 10.3.
    #[test]
    fn the_key_of_the_rfc_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grant.key");
        let body = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        fs::write(&path, pem).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let key = open_grant_key(&path).unwrap().public();
        assert_eq!(
            key.to_string(),
            "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"
        );
    }
}
