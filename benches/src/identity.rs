//! Access tokens: the first look at one, the second, and the look at one that proves nothing. RS256 with 2048 bits throughout.
//!
//! The first line of the first tables is the signature alone, with a key that is kept: the least that anybody can need.

mod peers;
mod tokens;

use std::sync::Arc;

use serde_json::Value;
use zt_core::clock::SystemClock;
use zt_core::identity::Authenticator;

use crate::Outcome;
use crate::harness::{Case, Effort, Group, compare};
use crate::report;
use crate::world::World;

use tokens::{Mint, Token};

/// The tables of this section alone.
pub fn markdown(effort: Effort) -> Outcome<String> {
    Ok(report::markdown(&tables(effort)?))
}

/// All of it, with the runtime's part.
pub fn groups(world: &World, effort: Effort) -> Outcome<Vec<Group>> {
    let mut groups = tables(effort)?;
    groups.push(with_session(world, effort)?);
    Ok(groups)
}

fn tables(effort: Effort) -> Outcome<Vec<Group>> {
    let mint = Mint::new()?;
    let tokens = [
        (
            "First verification, 1.4 kB without groups",
            mint.token(0, 100)?,
        ),
        (
            "First verification, 3 kB with 30 groups",
            mint.token(30, 150)?,
        ),
        (
            "First verification, 12 kB with 200 groups",
            mint.token(200, 300)?,
        ),
    ];
    let mut groups = Vec::new();
    for (title, token) in &tokens {
        groups.push(first(title, &mint, token, effort)?);
    }
    let [(_, small), (_, middle), (_, large)] = &tokens;
    groups.push(again(&mint, [small, middle, large], effort)?);
    groups.push(refusals(&mint, middle, effort)?);
    Ok(groups)
}

fn authenticator(mint: &Mint) -> Outcome<Authenticator> {
    let clock = Arc::new(SystemClock::new());
    Ok(Authenticator::new(
        mint.profile.clone(),
        mint.keys()?,
        clock,
    )?)
}

/// A measurement of refusals would look fast and mean nothing.
fn check(name: &str, token: &Token, verify: impl Fn(&str) -> bool) -> Outcome {
    if !verify(&token.text) {
        return Err(format!("{name} refuses the token that is to be measured").into());
    }
    if token.broken.iter().any(|broken| verify(broken)) {
        return Err(format!("{name} accepts a token that is broken").into());
    }
    Ok(())
}

fn first(title: &'static str, mint: &Mint, token: &Token, effort: Effort) -> Outcome<Group> {
    let bare = peers::Bare::of(&mint.jwk()?)?;
    let (signed, signature) = bare.parts(&token.text)?;
    check("aws-lc-rs", token, |text| bare.verifies(text))?;
    let zt = authenticator(mint)?.without_memory();
    check("zt", token, |text| zt.authenticate(text).is_ok())?;
    let jsonwebtoken = peers::JsonWebToken::new(mint)?;
    check("jsonwebtoken", token, |text| jsonwebtoken.verifies(text))?;
    #[cfg(feature = "josekit")]
    let josekit = peers::josekit::JoseKit::new(mint)?;
    #[cfg_attr(
        not(feature = "josekit"),
        expect(unused_mut, reason = "one more peer with the feature")
    )]
    let mut cases = vec![
        Case::new("aws-lc-rs, signature alone, key kept", || {
            bare.verifies_parts(signed, &signature)
        }),
        Case::new("zt: a caller", || zt.authenticate(&token.text)),
        Case::new("jsonwebtoken 11, hardened: claims", || {
            jsonwebtoken.claims(&token.text)
        }),
    ];
    #[cfg(feature = "josekit")]
    {
        check("josekit", token, |text| josekit.verifies(text))?;
        cases.push(Case::new("josekit 0.10: claims", || {
            josekit.claims(&token.text)
        }));
    }
    Ok(compare(title, effort, cases))
}

/// The same bytes a second time, and a caller that was kept instead.
fn again(mint: &Mint, tokens: [&Token; 3], effort: Effort) -> Outcome<Group> {
    let zt = authenticator(mint)?;
    let mut kept = Vec::new();
    for token in tokens {
        check("zt", token, |text| zt.authenticate(text).is_ok())?;
        kept.push(zt.authenticate(&token.text)?);
    }
    let names = ["1.4 kB", "3 kB", "12 kB"];
    let mut cases: Vec<Case<'_>> = tokens
        .into_iter()
        .zip(names)
        .map(|(token, name)| {
            Case::new(format!("zt: a caller, {name}"), || {
                zt.authenticate(&token.text)
            })
        })
        .collect();
    cases.push(Case::new(
        "a kept caller, cloned and asked for its end",
        || kept.first().map(|caller| caller.clone().expires_at()),
    ));
    Ok(compare("The same token again", effort, cases))
}

/// What anybody on the network can make us do.
fn refusals(mint: &Mint, token: &Token, effort: Effort) -> Outcome<Group> {
    let zt = authenticator(mint)?;
    let (_, rest) = token.text.split_once('.').ok_or("a token has parts")?;
    let header = |json: &str| format!("{}.{rest}", tokens::encode(json.as_bytes()));
    let kid = mint.kid();
    let rows = [
        (
            "an unknown `kid`",
            header(r#"{"typ":"JWT","alg":"RS256","kid":"nobody-knows-this-one"}"#),
        ),
        (
            "`alg` is none",
            header(&format!(r#"{{"typ":"JWT","alg":"none","kid":"{kid}"}}"#)),
        ),
        ("not a token", "x".repeat(token.text.len())),
        ("longer than any token", "x.".repeat(40_000)),
        (
            "a signature of nobody's",
            token.broken.first().cloned().ok_or("a broken token")?,
        ),
    ];
    if let Some((name, _)) = rows.iter().find(|(_, text)| zt.authenticate(text).is_ok()) {
        return Err(format!("zt accepts {name}").into());
    }
    let cases = rows
        .iter()
        .map(|(name, text)| Case::new(*name, || zt.authenticate(text).is_err()))
        .collect();
    Ok(compare("Refusals, 3 kB", effort, cases))
}

/// What a service pays in all, beside the signature that it would pay without a memory.
fn with_session(world: &World, effort: Effort) -> Outcome<Group> {
    let zt = world.open()?;
    let token = world.token(&zt, "user:maya")?;
    let keys = std::fs::read(world.path().join(".zt/dev-issuer.jwks.json"))?;
    let keys: Value = serde_json::from_slice(&keys)?;
    let bare = peers::Bare::of(&keys["keys"][0])?;
    let (signed, signature) = bare.parts(&token)?;
    let is_accepted = || world.executor.block_on(zt.authenticate(&token)).is_ok();
    if !is_accepted() || !bare.verifies(&token) {
        return Err("a verifier refuses the token that is to be measured".into());
    }
    let cases = vec![
        Case::new("aws-lc-rs, signature alone, key kept", || {
            bare.verifies_parts(signed, &signature)
        }),
        Case::new(
            "`zt.authenticate`, session and audit record included",
            is_accepted,
        ),
    ];
    let title = "A session for a token that was verified before";
    Ok(compare(title, effort, cases))
}
