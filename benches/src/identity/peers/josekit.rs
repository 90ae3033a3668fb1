//! josekit, which needs OpenSSL: behind the feature `josekit`, that CI does not build.

use std::time::SystemTime;

use josekit::jwk::Jwk;
use josekit::jws::RS256;
use josekit::jws::alg::rsassa::RsassaJwsVerifier;
use josekit::jwt::{self, JwtPayload, JwtPayloadValidator};

use crate::Outcome;

use super::super::tokens::Mint;

pub struct JoseKit {
    verifier: RsassaJwsVerifier,
    issuer: String,
    audience: String,
}

impl JoseKit {
    pub fn new(mint: &Mint) -> Outcome<Self> {
        let jwk = Jwk::from_bytes(mint.jwk()?.to_string().as_bytes())?;
        let tenant = mint.profile.tenant();
        Ok(Self {
            verifier: RS256.verifier_from_jwk(&jwk)?,
            issuer: format!("https://zt-development-issuer.invalid/{tenant}/v2.0"),
            audience: mint.profile.client_id().to_string(),
        })
    }

    pub fn claims(&self, token: &str) -> Option<JwtPayload> {
        let (payload, _) = jwt::decode_with_verifier(token, &self.verifier).ok()?;
        let mut rules = JwtPayloadValidator::new();
        rules.set_base_time(SystemTime::now());
        rules.set_issuer(&self.issuer);
        rules.set_audience(&self.audience);
        rules.validate(&payload).ok()?;
        Some(payload)
    }

    pub fn verifies(&self, token: &str) -> bool {
        self.claims(token).is_some()
    }
}
