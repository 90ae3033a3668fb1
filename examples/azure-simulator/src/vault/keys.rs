//! `/keys`: create, read, list, change, delete, and what a key does.
//!
//! Bytes travel in base64url without padding. A private key never leaves the vault.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::crypto::KeyKind;
use super::key::KeyVersion;
use super::refusal::Refusal;
use super::right::Right;
use super::{Route, Target, Visit, deleted_keys, page};
use crate::answer::Answer;

pub(super) fn route<'a>(method: &str, segments: &[&'a str]) -> Option<Route<'a>> {
    Some(match (method, segments) {
        ("GET", ["keys"]) => Route::of(Right::KeysGet, list),
        ("GET", ["keys", name, "versions"]) => Route::of(Right::KeysGet, versions).named(name),
        ("GET", ["keys", name]) => Route::of(Right::KeysGet, get).named(name),
        ("GET", ["keys", name, version]) => Route::of(Right::KeysGet, get).named(name).at(version),
        ("POST", ["keys", name, "create"]) => Route::of(Right::KeysCreate, create).named(name),
        ("PATCH", ["keys", name] | ["keys", name, ""]) => {
            Route::of(Right::KeysUpdate, change).named(name)
        }
        ("PATCH", ["keys", name, version]) => {
            Route::of(Right::KeysUpdate, change).named(name).at(version)
        }
        ("DELETE", ["keys", name]) => Route::of(Right::KeysDelete, delete).named(name),
        // Without a version the SDK leaves the segment empty.
        ("POST", ["keys", name, what] | ["keys", name, "", what]) => operation(what)?.named(name),
        ("POST", ["keys", name, version, what]) => operation(what)?.named(name).at(version),
        _ => return None,
    })
}

fn operation<'a>(what: &str) -> Option<Route<'a>> {
    Some(match what {
        "wrapkey" => Route::of(Right::KeysWrap, encrypt),
        "unwrapkey" => Route::of(Right::KeysUnwrap, decrypt),
        "encrypt" => Route::of(Right::KeysEncrypt, encrypt),
        "decrypt" => Route::of(Right::KeysDecrypt, decrypt),
        "sign" => Route::of(Right::KeysSign, sign),
        "verify" => Route::of(Right::KeysVerify, verify),
        _ => return None,
    })
}

/// The version that is meant, and its id.
fn version<'v>(
    visit: &'v Visit<'_>,
    target: &Target<'_>,
) -> Result<(&'v KeyVersion, String), Refusal> {
    let missing = || Refusal::no_key(target.name);
    let key = visit.vault.key(target.name).ok_or_else(missing)?;
    let version = key.version(target.version).ok_or_else(missing)?;
    let id = visit.vault.id("keys", &key.name, Some(&version.version));
    Ok((version, id))
}

pub(super) fn get(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    let (version, id) = version(visit, target)?;
    Ok(Answer::json(200, &version.bundle(&id)?))
}

fn create(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    let body = visit.body()?;
    let kind = KeyKind::read(&body).ok_or_else(|| {
        let message = "The simulator makes RSA keys of 2048 or 3072 bits, and EC keys on P-256";
        Refusal::bad_parameter(message)
    })?;
    visit.vault.make_key(target.name, kind, &body, visit.now)?;
    get(visit, target)
}

fn change(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    let body = visit.body()?;
    let missing = || Refusal::no_key(target.name);
    let now = visit.now;
    let key = visit.vault.key_mut(target.name).ok_or_else(missing)?;
    let version = key.version_mut(target.version).ok_or_else(missing)?;
    version.attributes.change(body.get("attributes"), now);
    get(visit, target)
}

fn delete(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    visit.vault.delete_key(target.name, visit.now)?;
    deleted_keys::get(visit, target)
}

fn list(visit: &mut Visit<'_>, _: &Target<'_>) -> Result<Answer, Refusal> {
    let items = visit.vault.keys().filter_map(|key| {
        let id = visit.vault.id("keys", &key.name, None);
        let latest = key.version(None)?;
        Some((key.name.to_ascii_lowercase(), latest.item(&id)))
    });
    page::answer(visit, items.collect())
}

fn versions(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    let missing = || Refusal::no_key(target.name);
    let key = visit.vault.key(target.name).ok_or_else(missing)?;
    let mut items: Vec<(String, Value)> = key
        .versions
        .iter()
        .map(|one| {
            let id = visit.vault.id("keys", &key.name, Some(&one.version));
            (one.version.clone(), one.item(&id))
        })
        .collect();
    items.sort_by(|one, other| one.0.cmp(&other.0));
    page::answer(visit, items)
}

fn encrypt(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    act(visit, target, |version, body| {
        let sealed = version
            .material()?
            .encrypt(text(body, "alg")?, &bytes(body, "value")?)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    })
}

fn decrypt(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    act(visit, target, |version, body| {
        let plain = version
            .material()?
            .decrypt(text(body, "alg")?, &bytes(body, "value")?)?;
        Ok(URL_SAFE_NO_PAD.encode(plain))
    })
}

fn sign(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    act(visit, target, |version, body| {
        let signature = version
            .material()?
            .sign(text(body, "alg")?, &bytes(body, "value")?)?;
        Ok(URL_SAFE_NO_PAD.encode(signature))
    })
}

fn verify(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    let body = visit.body()?;
    let (version, _) = version(visit, target)?;
    enabled(version)?;
    let (digest, signature) = (bytes(&body, "digest")?, bytes(&body, "value")?);
    let is_right = version
        .material()?
        .verify(text(&body, "alg")?, &digest, &signature)?;
    Ok(Answer::json(200, &json!({ "value": is_right })))
}

/// An operation whose result is one value.
fn act(
    visit: &Visit<'_>,
    target: &Target<'_>,
    act: impl FnOnce(&KeyVersion, &Value) -> Result<String, Refusal>,
) -> Result<Answer, Refusal> {
    let body = visit.body()?;
    let (version, id) = version(visit, target)?;
    enabled(version)?;
    let value = act(version, &body)?;
    Ok(Answer::json(200, &json!({ "kid": id, "value": value })))
}

fn enabled(version: &KeyVersion) -> Result<(), Refusal> {
    if version.attributes.enabled {
        return Ok(());
    }
    let message = "The operation is not allowed on a disabled key.";
    Err(Refusal::new(403, "Forbidden", message).with_inner("KeyDisabled"))
}

fn text<'b>(body: &'b Value, name: &str) -> Result<&'b str, Refusal> {
    let text = body.get(name).and_then(Value::as_str);
    text.ok_or_else(|| Refusal::bad_parameter(&format!("Property {name} is required")))
}

fn bytes(body: &Value, name: &str) -> Result<Vec<u8>, Refusal> {
    let decoded = URL_SAFE_NO_PAD.decode(text(body, name)?);
    decoded.map_err(|_| Refusal::bad_parameter(&format!("Property {name} is not base64url")))
}
