//! Issues Entra-shaped tokens for development: `zt dev-token`, examples, tests. Never for production.
//!
//! In: who should call. Out: a v2.0 token of [`Cloud::Development`], signed with a key kept in a folder of its owner's. Every
//! other cloud refuses it: its issuer's host cannot exist, and its key carries that issuer.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::error::{Code, Error, Result};
use crate::id::Guid;
use crate::identity::{Cloud, EntraProfile, KeySet};

/// The development issuer: an RSA-2048 key in `dev-issuer.key` (PKCS#8, readable by its owner alone) and its public half in
/// `dev-issuer.jwks.json`.
///
/// ```
/// use std::sync::Arc;
/// use zt_core::clock::{Clock, SystemClock};
/// use zt_core::identity::{Authenticator, Cloud, EntraProfile};
/// use zt_core::testing::{DevIssuer, TokenRequest};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let issuer = DevIssuer::open(folder.path())?;
/// let tenant = "11111111-1111-4111-8111-111111111111".parse()?;
/// let application = "d0000000-0000-4000-8000-000000000001".parse()?;
/// let maya = "b0000000-0000-4000-8000-000000000002".parse()?;
///
/// let clock = Arc::new(SystemClock::new());
/// let profile = EntraProfile::new(Cloud::Development, tenant, application)?;
/// let token = issuer.issue(&TokenRequest::user(&profile, maya, clock.now()))?;
///
/// let keys = issuer.key_set(&profile)?;
/// let caller = Authenticator::new(profile, keys, clock)?.authenticate(&token)?;
/// assert_eq!(caller.object(), maya);
/// # Ok(())
/// # }
/// ```
pub struct DevIssuer {
    pair: KeyPair,
    kid: String,
    jwks: String,
}

/// Who should call, and with what rights.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    audience: Guid,
    tenant: Guid,
    object: Guid,
    who: Who,
    issued_at: Timestamp,
    lifetime: Duration,
    groups: Option<Vec<Guid>>,
    methods: Vec<String>,
    further: serde_json::Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    User,
    Workload,
}

impl TokenRequest {
    /// A person with the scope `zt.access`, in no group, for one hour.
    #[must_use]
    pub fn user(profile: &EntraProfile, object: Guid, issued_at: Timestamp) -> Self {
        Self::new(profile, object, issued_at, Who::User)
    }

    /// A workload with the app role `zt.workload`, in no group, for one hour.
    #[must_use]
    pub fn workload(profile: &EntraProfile, object: Guid, issued_at: Timestamp) -> Self {
        Self::new(profile, object, issued_at, Who::Workload)
    }

    fn new(profile: &EntraProfile, object: Guid, issued_at: Timestamp, who: Who) -> Self {
        Self {
            audience: profile.client_id(),
            tenant: profile.tenant(),
            object,
            who,
            issued_at,
            lifetime: Duration::from_secs(3600),
            groups: Some(Vec::new()),
            methods: Vec::new(),
            further: serde_json::Map::new(),
        }
    }

    /// In these groups.
    #[must_use]
    pub fn with_groups(mut self, groups: Vec<Guid>) -> Self {
        self.groups = Some(groups);
        self
    }

    /// In more groups than fit: the token says so and lists none.
    #[must_use]
    pub fn with_groups_overage(mut self) -> Self {
        self.groups = None;
        self
    }

    /// For this long, in whole seconds.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// With a further claim, as Entra's optional claims are: `department`, `acrs`. It takes no place of a claim that is
    /// there already.
    #[must_use]
    pub fn with_claim(mut self, name: &str, value: Value) -> Self {
        self.further.insert(name.to_owned(), value);
        self
    }

    /// Signed in with these methods (`amr`), as in `["pwd", "mfa"]`.
    #[must_use]
    pub fn with_methods(mut self, methods: &[&str]) -> Self {
        self.methods = methods.iter().map(|&method| method.to_owned()).collect();
        self
    }
}

impl DevIssuer {
    /// Opens the issuer of a folder, making folder and key at first use. Blocks for the file system, at first use also for
    /// about a second of key generation. Processes that come first together end up with one key.
    ///
    /// # Errors
    /// [`Code::Config`] if the folder cannot be used, the key is damaged, or others than its owner may read it.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::open_locked(folder).map_err(|cause| {
            Error::new(
                Code::Config,
                format!(
                    "cannot open the development issuer in `{}`: {cause}",
                    folder.display()
                ),
            )
            .with_help("choose a folder that you can write to, or delete `dev-issuer.key` in it")
            .with_source(cause)
        })
    }

    fn open_locked(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("dev-issuer.lock"))?;
        // Held until the file is closed, even by a crash.
        lock.lock()?;
        let key_file = folder.join("dev-issuer.key");
        let pair = match read_private(&key_file) {
            Ok(der) => KeyPair::from_pkcs8(&der).map_err(io::Error::other)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pair = KeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(io::Error::other)?;
                write_atomically(&key_file, der.as_ref())?;
                pair
            }
            Err(error) => return Err(error),
        };
        let issuer = Self::new(pair).ok_or_else(|| io::Error::other("not an RSA-2048 key"))?;
        let jwks_file = folder.join("dev-issuer.jwks.json");
        if fs::read(&jwks_file).ok().as_deref() != Some(issuer.jwks.as_bytes()) {
            write_atomically(&jwks_file, issuer.jwks.as_bytes())?;
        }
        Ok(issuer)
    }

    fn new(pair: KeyPair) -> Option<Self> {
        let modulus = modulus_2048(pair.public_key().as_ref())?;
        let n = URL_SAFE_NO_PAD.encode(modulus);
        // RFC 7638: members in this order, without spaces.
        let thumbprint = format!(r#"{{"e":"AQAB","kty":"RSA","n":"{n}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, thumbprint.as_bytes()));
        let jwks = json!({ "keys": [{
            "kty": "RSA",
            "use": "sig",
            "kid": kid,
            "n": n,
            "e": "AQAB",
            "issuer": Cloud::Development.key_issuer_template(),
            "cloud_instance_name": Cloud::Development.instance_name(),
        }] });
        Some(Self {
            pair,
            kid,
            jwks: format!("{jwks:#}\n"),
        })
    }

    /// The id of its key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its public key as a JWK set.
    #[must_use]
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// Its public key, read for a profile.
    ///
    /// # Errors
    /// [`Code::Config`] if the profile's cloud is not [`Cloud::Development`].
    pub fn key_set(&self, profile: &EntraProfile) -> Result<KeySet> {
        Ok(KeySet::from_jwks(self.jwks.as_bytes(), profile)?)
    }

    /// Issues a token in the shape of Entra's v2.0 access tokens.
    ///
    /// # Errors
    /// [`Code::Internal`] if the system has no randomness or the signature fails.
    pub fn issue(&self, request: &TokenRequest) -> Result<String> {
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": self.kid });
        let claims = claims(request, random()?, random()?);
        self.sign(&header.to_string(), &claims.to_string())
    }

    /// Signs any header and payload with the trusted key, however hostile: for tests of what must be refused.
    ///
    /// # Errors
    /// [`Code::Internal`] if the signature fails.
    pub fn sign(&self, header_json: &str, claims_json: &str) -> Result<String> {
        let header = URL_SAFE_NO_PAD.encode(header_json);
        let payload = URL_SAFE_NO_PAD.encode(claims_json);
        self.sign_parts(&header, &payload)
    }

    /// The same with parts that are already encoded, or only pretend to be.
    ///
    /// # Errors
    /// [`Code::Internal`] if the signature fails.
    pub fn sign_parts(&self, header: &str, payload: &str) -> Result<String> {
        let signed = format!("{header}.{payload}");
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .map_err(|_| Error::new(Code::Internal, "the development issuer cannot sign"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for DevIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevIssuer")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

fn claims(request: &TokenRequest, uti: [u8; 16], pairwise: [u8; 16]) -> Value {
    let iat = request.issued_at.as_secs();
    let exp = request.issued_at.after(request.lifetime).as_secs();
    let object = request.object.to_string();
    let mut claims = json!({
        "aud": request.audience.to_string(),
        "iss": Cloud::Development.issuer_of(request.tenant),
        "tid": request.tenant.to_string(),
        "oid": object,
        "ver": "2.0",
        "iat": iat,
        "nbf": iat,
        "exp": exp,
        "uti": URL_SAFE_NO_PAD.encode(uti),
    });
    let who = match request.who {
        Who::User => json!({
            "sub": URL_SAFE_NO_PAD.encode(pairwise),
            "azp": CLIENT,
            "azpacr": "0",
            "idtyp": "user",
            "scp": "zt.access",
        }),
        Who::Workload => json!({
            "sub": object,
            "azp": object,
            "azpacr": "2",
            "idtyp": "app",
            "roles": ["zt.workload"],
        }),
    };
    let groups = match &request.groups {
        Some(groups) => {
            let ids: Vec<String> = groups.iter().map(Guid::to_string).collect();
            json!({ "groups": ids })
        }
        None => json!({
            "_claim_names": { "groups": "src1" },
            "_claim_sources": { "src1": { "endpoint": "https://zt-development-issuer.invalid/groups" } },
        }),
    };
    let methods = match request.methods.as_slice() {
        [] => json!({}),
        methods => json!({ "amr": methods }),
    };
    for more in [who, groups, methods] {
        if let (Value::Object(claims), Value::Object(more)) = (&mut claims, more) {
            claims.extend(more);
        }
    }
    if let Value::Object(claims) = &mut claims {
        for (name, value) in &request.further {
            claims.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    claims
}

fn random() -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| Error::new(Code::Internal, "the system has no randomness"))?;
    Ok(bytes)
}

/// The modulus in the DER of an RSA-2048 public key with exponent 65537 (RFC 8017 A.1.1), which is always laid out like this.
fn modulus_2048(der: &[u8]) -> Option<&[u8]> {
    der.strip_prefix(&[0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00])?
        .strip_suffix(&[0x02, 0x03, 0x01, 0x00, 0x01])
        .filter(|modulus| modulus.len() == 256)
}

fn read_private(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut file = File::open(path)?;
    let found = file.metadata()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if found.permissions().mode() & 0o077 != 0 {
            return Err(io::Error::other(
                "others may read the key; set its mode to 600",
            ));
        }
    }
    if found.len() > 16 * 1024 {
        return Err(io::Error::other("the key file is too long"));
    }
    // Enough room at once: a growing buffer would leave copies of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(32 * 1024));
    io::Read::read_to_end(&mut file, &mut bytes)?;
    Ok(bytes)
}

/// Writes beside the target and renames, so that a reader sees all of it or nothing; readable by its owner alone.
fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

/// The public client that people sign in with.
const CLIENT: &str = "d0000000-0000-4000-8000-0000000000c1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_come_first_together_end_up_with_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        let open = || DevIssuer::open(&path).unwrap().kid().to_owned();
        let kids: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
        assert_eq!(open(), kids[0]);
        let mut names: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["dev-issuer.jwks.json", "dev-issuer.key", "dev-issuer.lock"]
        );
    }

    #[test]
    fn the_public_half_is_public_and_follows_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let issuer = DevIssuer::open(folder.path()).unwrap();
        let file = folder.path().join("dev-issuer.jwks.json");
        let jwks: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let key = jwks["keys"][0].as_object().unwrap();
        let names: Vec<&str> = key.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "cloud_instance_name",
                "e",
                "issuer",
                "kid",
                "kty",
                "n",
                "use"
            ]
        );
        assert_eq!(
            key["issuer"],
            "https://zt-development-issuer.invalid/{tenantid}/v2.0"
        );
        fs::write(&file, "{}").unwrap();
        DevIssuer::open(folder.path()).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), issuer.jwks());
    }

    #[test]
    fn debug_shows_the_key_id_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let issuer = DevIssuer::open(folder.path()).unwrap();
        assert_eq!(
            format!("{issuer:?}"),
            format!("DevIssuer {{ kid: {:?}, .. }}", issuer.kid())
        );
    }

    #[test]
    fn a_damaged_key_is_refused_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        DevIssuer::open(folder.path()).unwrap();
        let file = folder.path().join("dev-issuer.key");
        let mut der = fs::read(&file).unwrap();
        der.truncate(1000);
        fs::write(&file, &der).unwrap();
        let error = DevIssuer::open(folder.path()).unwrap_err();
        assert_eq!(error.code(), Code::Config);
        assert_eq!(fs::read(&file).unwrap(), der);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_the_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        DevIssuer::open(folder.path()).unwrap();
        let file = folder.path().join("dev-issuer.key");
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let error = DevIssuer::open(folder.path()).unwrap_err();
        assert!(error.message().contains("others may read"), "{error}");
    }
}
