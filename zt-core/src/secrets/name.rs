//! The names of secrets: vault, name and version as types, parsed once at the border.
//!
//! Shapes as Key Vault documents them ("Azure Key Vault keys, secrets and certificates overview", Object identifiers):
//! names hold 1 to 127 letters, digits and hyphens, versions 32 hexadecimal digits; identifiers ignore case. No parser
//! repeats its input in an error: what was pasted in the wrong place may be the secret.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// The address of a vault: `https://` and a DNS name in lowercase, nothing else. One slash at the end is dropped,
/// because Azure prints it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultUrl(Arc<str>);

/// Why a text is not a vault URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAVaultUrl {
    /// Another scheme, or none.
    #[error("not a vault URL: it must start with `https://`")]
    Scheme,
    /// A user or a password in front of the host.
    #[error("not a vault URL: it must not hold a user or password")]
    User,
    /// A port after the host.
    #[error("not a vault URL: it must not hold a port")]
    Port,
    /// A path, query or fragment after the host.
    #[error("not a vault URL: nothing may follow the host, neither path nor query nor fragment")]
    Path,
    /// Uppercase letters in the host.
    #[error("not a vault URL: the host must be in lowercase")]
    Case,
    /// An IP address instead of a name.
    #[error("not a vault URL: the host must be a name, not an IP address")]
    Address,
    /// Not a DNS name (RFC 1123 section 2.1).
    #[error("not a vault URL: the host must be a DNS name of letters, digits, hyphens and dots")]
    Host,
}

const SCHEME: &str = "https://";

impl VaultUrl {
    /// The whole URL, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host alone, as Network_Rules name it.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.get(SCHEME.len()..).unwrap_or_default()
    }
}

impl FromStr for VaultUrl {
    type Err = NotAVaultUrl;

    fn from_str(text: &str) -> Result<Self, NotAVaultUrl> {
        let rest = text.strip_prefix(SCHEME).ok_or(NotAVaultUrl::Scheme)?;
        let host = rest.strip_suffix('/').unwrap_or(rest);
        if host.contains('@') {
            return Err(NotAVaultUrl::User);
        }
        if host.contains(['/', '?', '#', '\\']) {
            return Err(NotAVaultUrl::Path);
        }
        if host.contains(['[', ']']) {
            return Err(NotAVaultUrl::Address);
        }
        if host.contains(':') {
            return Err(NotAVaultUrl::Port);
        }
        if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(NotAVaultUrl::Case);
        }
        if host.len() > 253 || !host.split('.').all(is_label) {
            return Err(NotAVaultUrl::Host);
        }
        // A last label of digits alone is how the URL standard tells an IPv4 address from a name.
        let last = host.rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotAVaultUrl::Address);
        }
        Ok(Self(Arc::from(format!("{SCHEME}{host}"))))
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The name of a secret in its vault: `^[0-9A-Za-z-]{1,127}$`. Two names that differ in case only are the same name.
#[derive(Clone)]
pub struct SecretName {
    text: Arc<str>,
    /// In lowercase; the same allocation as `text` where nothing had to change.
    folded: Arc<str>,
}

/// The text is not the name of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a secret name: expected 1 to 127 letters, digits and hyphens")]
#[non_exhaustive]
pub struct NotASecretName;

impl SecretName {
    /// Its text, in the case in which it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for SecretName {
    type Err = NotASecretName;

    fn from_str(text: &str) -> Result<Self, NotASecretName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !(1..=127).contains(&text.len()) || !text.bytes().all(allowed) {
            return Err(NotASecretName);
        }
        let text: Arc<str> = Arc::from(text);
        let folded = if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Arc::from(text.to_ascii_lowercase())
        } else {
            Arc::clone(&text)
        };
        Ok(Self { text, folded })
    }
}

impl PartialEq for SecretName {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for SecretName {}

impl PartialOrd for SecretName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SecretName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded.cmp(&other.folded)
    }
}

impl Hash for SecretName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

/// One version of a secret: 32 hexadecimal digits in lowercase.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretVersion(u128);

/// The text is not the version of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a secret version: expected 32 hexadecimal digits in lowercase")]
#[non_exhaustive]
pub struct NotASecretVersion;

impl SecretVersion {
    /// From its 128 bits, most significant digit first.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }
}

impl FromStr for SecretVersion {
    type Err = NotASecretVersion;

    fn from_str(text: &str) -> Result<Self, NotASecretVersion> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(NotASecretVersion);
        }
        u128::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| NotASecretVersion)
    }
}

/// Which secret: vault, name and, for a pinned reference, the version.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId {
    vault: VaultUrl,
    name: SecretName,
    version: Option<SecretVersion>,
}

impl SecretId {
    /// The current version of `name` in `vault`, whichever that is.
    #[must_use]
    pub const fn new(vault: VaultUrl, name: SecretName) -> Self {
        Self {
            vault,
            name,
            version: None,
        }
    }

    /// The same secret, pinned to `version`.
    #[must_use]
    pub const fn at(mut self, version: SecretVersion) -> Self {
        self.version = Some(version);
        self
    }

    /// The same name, and version where pinned, in another vault.
    #[must_use]
    pub(crate) fn within(mut self, vault: VaultUrl) -> Self {
        self.vault = vault;
        self
    }

    /// The vault.
    #[must_use]
    pub const fn vault(&self) -> &VaultUrl {
        &self.vault
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &SecretName {
        &self.name
    }

    /// The pinned version; `None` is the current one.
    #[must_use]
    pub const fn version(&self) -> Option<SecretVersion> {
        self.version
    }
}

/// As Key Vault writes it: `https://kv.vault.azure.net/secrets/NAME` and `/VERSION` where pinned.
impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/secrets/{}", self.vault, self.name)?;
        match self.version {
            Some(version) => write!(f, "/{version}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretId({self})")
    }
}

impl fmt::Display for VaultUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for VaultUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultUrl({self})")
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretName({self})")
    }
}

impl fmt::Display for SecretVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for SecretVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretVersion({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_vault_url_is_https_and_a_lowercase_name() {
        let url: VaultUrl = "https://kv-brindlewick-prod.vault.azure.net/"
            .parse()
            .unwrap();
        assert_eq!(
            url.as_str(),
            "https://kv-brindlewick-prod.vault.azure.net",
            "one slash at the end is dropped"
        );
        assert_eq!(url.host(), "kv-brindlewick-prod.vault.azure.net");
    }

    #[test]
    fn what_is_wrong_with_a_vault_url_is_said() {
        let cases = [
            ("http://kv.vault.azure.net", NotAVaultUrl::Scheme),
            ("HTTPS://kv.vault.azure.net", NotAVaultUrl::Scheme),
            ("", NotAVaultUrl::Scheme),
            ("https://me:pw@kv.vault.azure.net", NotAVaultUrl::User),
            ("https://kv.vault.azure.net:443", NotAVaultUrl::Port),
            ("https://kv.vault.azure.net/secrets", NotAVaultUrl::Path),
            ("https://kv.vault.azure.net//", NotAVaultUrl::Path),
            ("https://kv.vault.azure.net?x=1", NotAVaultUrl::Path),
            ("https://kv.vault.azure.net#x", NotAVaultUrl::Path),
            ("https://kv.vault.azure.net\\x", NotAVaultUrl::Path),
            ("https://KV.vault.azure.net", NotAVaultUrl::Case),
            ("https://10.20.4.4", NotAVaultUrl::Address),
            ("https://[fd00::1]", NotAVaultUrl::Address),
            ("https://", NotAVaultUrl::Host),
            ("https://kv..azure.net", NotAVaultUrl::Host),
            ("https://kv.azure.net.", NotAVaultUrl::Host),
            ("https://-kv.azure.net", NotAVaultUrl::Host),
            ("https://kv_1.azure.net", NotAVaultUrl::Host),
            ("https://kv.azure.net ", NotAVaultUrl::Host),
            ("https://kü.azure.net", NotAVaultUrl::Host),
        ];
        for (text, flaw) in cases {
            assert_eq!(text.parse::<VaultUrl>(), Err(flaw), "{text}");
        }
    }

    #[test]
    fn names_that_differ_in_case_are_one_name() {
        let (one, other): (SecretName, SecretName) =
            ("ADB-token".parse().unwrap(), "adb-TOKEN".parse().unwrap());
        assert_eq!(one, other);
        assert_eq!(one.cmp(&other), Ordering::Equal);
        assert_eq!(one.as_str(), "ADB-token");
        assert!(std::collections::HashSet::from([one]).contains(&other));
    }

    #[test]
    fn what_is_not_a_name_is_refused() {
        let long = "a".repeat(128);
        for text in ["", "a_b", "a b", "ä", "a/b", "..", "a\n", long.as_str()] {
            assert_eq!(text.parse::<SecretName>(), Err(NotASecretName), "{text}");
        }
        assert!("a".repeat(127).parse::<SecretName>().is_ok());
    }

    #[test]
    fn a_version_reads_back_what_it_prints() {
        let text = "00ff456789abcdef0123456789abcdef";
        assert_eq!(
            text.parse::<SecretVersion>().unwrap().to_string(),
            text,
            "leading zeros stay"
        );
        for text in [
            "",
            "00FF456789abcdef0123456789abcdef",
            "+0ff456789abcdef0123456789abcdef",
        ] {
            assert_eq!(text.parse::<SecretVersion>(), Err(NotASecretVersion));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in any::<String>(), tail in "[-.:/@?#\\[\\]a-zA-Z0-9é]{0,300}") {
            for text in [text.clone(), tail.clone(), format!("https://{tail}"), format!("https://{text}")] {
                if let Ok(url) = text.parse::<VaultUrl>() {
                    prop_assert_eq!(url.as_str().parse::<VaultUrl>().unwrap(), url);
                }
                if let Ok(name) = text.parse::<SecretName>() {
                    prop_assert_eq!(name.as_str(), text.as_str());
                }
                if let Ok(version) = text.parse::<SecretVersion>() {
                    prop_assert_eq!(version.to_string(), text);
                }
            }
        }
    }
}
