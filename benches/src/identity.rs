//! Verification of an RS256 access token: the bare signature, zt, and jsonwebtoken.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use crate::Outcome;
use crate::harness::{Case, Effort, Group, compare};
use crate::world::World;

pub fn groups(world: &World, effort: Effort) -> Outcome<Vec<Group>> {
    let zt = world.open()?;
    let token = world.token(&zt, "user:maya")?;
    let keys = std::fs::read(world.path().join(".zt/dev-issuer.jwks.json"))?;
    let keys: Value = serde_json::from_slice(&keys)?;
    let part = |name: &str| -> Outcome<&str> {
        Ok(keys["keys"][0][name]
            .as_str()
            .ok_or("the key set holds one RSA key")?)
    };
    let (n, e) = (part("n")?, part("e")?);

    let (signed, signature) = token.rsplit_once('.').ok_or("a token has three parts")?;
    let signature = URL_SAFE_NO_PAD.decode(signature)?;
    let key = RsaPublicKeyComponents {
        n: URL_SAFE_NO_PAD.decode(n)?,
        e: URL_SAFE_NO_PAD.decode(e)?,
    };
    let bare = || {
        key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .is_ok()
    };

    let peer_key = DecodingKey::from_rsa_components(n, e)?;
    let mut rules = Validation::new(Algorithm::RS256);
    let claims = signed.split_once('.').ok_or("a token has three parts")?.1;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?;
    rules.set_audience(&[claims["aud"].as_str().ok_or("a token has an audience")?]);
    rules.set_issuer(&[claims["iss"].as_str().ok_or("a token has an issuer")?]);
    let peer = || jsonwebtoken::decode::<Value>(&token, &peer_key, &rules).is_ok();

    // A measurement of refusals would look fast and mean nothing.
    let accepted = bare() && peer() && world.executor.block_on(zt.authenticate(&token)).is_ok();
    if !accepted {
        return Err("a verifier refuses the token that is to be measured".into());
    }
    let cases = vec![
        Case::new("bare aws-lc-rs, signature alone", bare),
        Case::new(
            "`zt.authenticate`, session and audit record included",
            || world.executor.block_on(zt.authenticate(&token)).is_ok(),
        ),
        Case::new("jsonwebtoken 11, claims as JSON", peer),
    ];
    Ok(vec![compare(
        "Token verification, RS256 with 2048 bits",
        effort,
        cases,
    )])
}
