//! What else verifies tokens: the signature alone, and libraries as one should set them.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use crate::Outcome;

use super::tokens::{self, Mint};

#[cfg(feature = "josekit")]
pub mod josekit;

/// The signature alone, with a key that is parsed once.
pub struct Bare(ParsedPublicKey);

impl Bare {
    /// The key of a JWK.
    pub fn of(jwk: &Value) -> Outcome<Self> {
        let (n, e) = tokens::components(jwk)?;
        let key = RsaPublicKeyComponents {
            n: URL_SAFE_NO_PAD.decode(n)?,
            e: URL_SAFE_NO_PAD.decode(e)?,
        };
        let parsed = key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256);
        Ok(Self(parsed.map_err(|_| "the key is no RSA key")?))
    }

    /// What is signed, and the signature.
    pub fn parts<'t>(&self, token: &'t str) -> Outcome<(&'t [u8], Vec<u8>)> {
        let (signed, signature) = token.rsplit_once('.').ok_or("a token has three parts")?;
        Ok((signed.as_bytes(), URL_SAFE_NO_PAD.decode(signature)?))
    }

    pub fn verifies_parts(&self, signed: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(signed, signature).is_ok()
    }

    pub fn verifies(&self, token: &str) -> bool {
        let parts = self.parts(token);
        parts.is_ok_and(|(signed, signature)| self.verifies_parts(signed, &signature))
    }
}

/// The claims that zt reads, owned.
#[derive(Debug, Deserialize)]
#[expect(
    dead_code,
    reason = "it is read from the token for the time that takes"
)]
pub struct Claims {
    aud: String,
    iss: String,
    ver: String,
    tid: String,
    oid: String,
    sub: String,
    exp: u64,
    nbf: u64,
    iat: u64,
    scp: Option<String>,
    roles: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    azp: Option<String>,
    uti: Option<String>,
}

/// jsonwebtoken with all that it can be told to check.
pub struct JsonWebToken {
    key: DecodingKey,
    rules: Validation,
}

impl JsonWebToken {
    pub fn new(mint: &Mint) -> Outcome<Self> {
        let (n, e) = tokens::components(&mint.jwk()?)?;
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_audience(&[mint.profile.client_id().to_string()]);
        let tenant = mint.profile.tenant();
        rules.set_issuer(&[format!(
            "https://zt-development-issuer.invalid/{tenant}/v2.0"
        )]);
        rules.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        rules.validate_nbf = true;
        rules.leeway = 60;
        let key = DecodingKey::from_rsa_components(&n, &e)?;
        Ok(Self { key, rules })
    }

    pub fn claims(&self, token: &str) -> Option<Claims> {
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.key, &self.rules);
        decoded.ok().map(|decoded| decoded.claims)
    }

    pub fn verifies(&self, token: &str) -> bool {
        self.claims(token).is_some()
    }
}
