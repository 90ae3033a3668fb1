//! `/secrets`: read, set, list, change, delete.
//!
//! A vault serves values of expired and not yet valid secrets: `nbf` and `exp` are for the client to honour. A disabled one is
//! refused.

use serde_json::Value;

use super::refusal::Refusal;
use super::right::Right;
use super::secret::SecretOptions;
use super::{Route, Target, Visit, deleted, page};
use crate::answer::Answer;

pub(super) fn route<'a>(method: &str, segments: &[&'a str]) -> Option<Route<'a>> {
    Some(match (method, segments) {
        ("GET", ["secrets"]) => Route::of(Right::SecretsList, list),
        ("GET", ["secrets", name, "versions"]) => {
            Route::of(Right::SecretsList, versions).named(name)
        }
        ("GET", ["secrets", name]) => Route::of(Right::SecretsGet, get).named(name),
        ("GET", ["secrets", name, version]) => {
            Route::of(Right::SecretsGet, get).named(name).at(version)
        }
        ("PUT", ["secrets", name]) => Route::of(Right::SecretsSet, set).named(name),
        ("PATCH", ["secrets", name]) => Route::of(Right::SecretsSet, change).named(name),
        ("PATCH", ["secrets", name, version]) => {
            Route::of(Right::SecretsSet, change).named(name).at(version)
        }
        ("DELETE", ["secrets", name]) => Route::of(Right::SecretsDelete, delete).named(name),
        _ => return None,
    })
}

fn get(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    let missing = || Refusal::no_secret(target.name);
    let secret = visit.vault.secret(target.name).ok_or_else(missing)?;
    let version = secret.version(target.version).ok_or_else(missing)?;
    if !version.attributes.enabled {
        return Err(Refusal::disabled_secret());
    }
    let id = visit
        .vault
        .id("secrets", &secret.name, Some(&version.version));
    Ok(Answer::json(200, &version.bundle(&id)))
}

fn set(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    let body = visit.body()?;
    let value = body.get("value").and_then(Value::as_str);
    let value = value.ok_or_else(|| Refusal::bad_parameter("Property value is required"))?;
    let options = SecretOptions::read(&body);
    let version = visit
        .vault
        .set_secret(target.name, value, options, visit.now)?;
    let missing = || Refusal::no_secret(target.name);
    let secret = visit.vault.secret(target.name).ok_or_else(missing)?;
    let set = secret.version(Some(&version)).ok_or_else(missing)?;
    let id = visit.vault.id("secrets", &secret.name, Some(&version));
    Ok(Answer::json(200, &set.bundle(&id)))
}

fn change(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    let body = visit.body()?;
    let missing = || Refusal::no_secret(target.name);
    let now = visit.now;
    let secret = visit.vault.secret_mut(target.name).ok_or_else(missing)?;
    let version = secret.version_mut(target.version).ok_or_else(missing)?;
    version.change(&body, now);
    let secret = visit.vault.secret(target.name).ok_or_else(missing)?;
    let version = secret.version(target.version).ok_or_else(missing)?;
    let id = visit
        .vault
        .id("secrets", &secret.name, Some(&version.version));
    Ok(Answer::json(200, &version.item(&id).into()))
}

fn list(visit: &mut Visit<'_>, _: &Target<'_>) -> Result<Answer, Refusal> {
    let items = visit.vault.secrets().filter_map(|secret| {
        let id = visit.vault.id("secrets", &secret.name, None);
        let latest = secret.version(None)?;
        Some((secret.name.to_ascii_lowercase(), latest.item(&id).into()))
    });
    page::answer(visit, items.collect())
}

fn versions(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    let missing = || Refusal::no_secret(target.name);
    let secret = visit.vault.secret(target.name).ok_or_else(missing)?;
    let mut items: Vec<(String, Value)> = secret
        .versions
        .iter()
        .map(|one| {
            let id = visit.vault.id("secrets", &secret.name, Some(&one.version));
            (one.version.clone(), one.item(&id).into())
        })
        .collect();
    items.sort_by(|one, other| one.0.cmp(&other.0));
    page::answer(visit, items)
}

fn delete(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    visit.vault.delete_secret(target.name, visit.now)?;
    deleted::get(visit, target)
}
