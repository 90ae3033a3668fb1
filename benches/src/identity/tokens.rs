//! Tokens of the development issuer, of several sizes, whole and broken.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;
use zt_core::clock::{Clock, SystemClock};
use zt_core::identity::{Cloud, EntraProfile, KeySet};
use zt_core::testing::{DevIssuer, TokenRequest};

use crate::Outcome;

/// The issuer of the tokens, and for whom they are.
pub struct Mint {
    issuer: DevIssuer,
    pub profile: EntraProfile,
    _folder: TempDir,
}

/// One token, and others that differ from it in what must matter.
pub struct Token {
    pub text: String,
    pub broken: Vec<String>,
}

impl Mint {
    pub fn new() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let tenant = "11111111-1111-4111-8111-111111111111".parse()?;
        let application = "d0000000-0000-4000-8000-000000000001".parse()?;
        Ok(Self {
            issuer: DevIssuer::open(folder.path())?,
            profile: EntraProfile::new(Cloud::Development, tenant, application)?,
            _folder: folder,
        })
    }

    pub fn keys(&self) -> Outcome<KeySet> {
        Ok(self.issuer.key_set(&self.profile)?)
    }

    pub fn kid(&self) -> &str {
        self.issuer.kid()
    }

    /// The first key of the set, as JSON.
    pub fn jwk(&self) -> Outcome<Value> {
        let set: Value = serde_json::from_str(self.issuer.jwks())?;
        Ok(set["keys"][0].clone())
    }

    /// A person's token with so many groups, and so many bytes of what Entra keeps for itself.
    pub fn token(&self, groups: u128, more: usize) -> Outcome<Token> {
        let maya = "b0000000-0000-4000-8000-000000000002".parse()?;
        let ids =
            (1..=groups).map(|number| format!("a0000000-0000-4000-8000-{number:012x}").parse());
        let ids: Result<Vec<_>, _> = ids.collect();
        let now = SystemClock::new().now();
        let request = TokenRequest::user(&self.profile, maya, now)
            .with_groups(ids?)
            .with_lifetime(Duration::from_secs(24 * 3600))
            .with_claim("aio", json!("E2Zg".repeat(more / 4)))
            .with_claim("name", json!("Maya Lindqvist"));
        let text = self.issuer.issue(&request)?;
        let broken = self.broken(&text)?;
        Ok(Token { text, broken })
    }

    fn broken(&self, text: &str) -> Outcome<Vec<String>> {
        let (input, signature) = text.rsplit_once('.').ok_or("a token has parts")?;
        let mut bytes = URL_SAFE_NO_PAD.decode(signature)?;
        bytes[100] ^= 1;
        let payload = input.split_once('.').ok_or("a token has parts")?.1;
        let other = encode(br#"{"aud":"nobody"}"#);
        Ok(vec![
            format!("{input}.{}", encode(&bytes)),
            text.replacen(payload, &other, 1),
        ])
    }
}

/// Modulus and exponent as a JWK has them.
pub fn components(jwk: &Value) -> Outcome<(String, String)> {
    let part = |name: &str| jwk[name].as_str().map(str::to_owned);
    part("n")
        .zip(part("e"))
        .ok_or_else(|| "the key is no RSA key".into())
}

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
