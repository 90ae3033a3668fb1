//! `/deletedsecrets`: what was deleted and can be recovered.

use serde_json::Value;

use super::attributes::RECOVERABLE_DAYS;
use super::refusal::Refusal;
use super::right::Right;
use super::store::{Deleted, Vault};
use super::{Route, Target, Visit, page};
use crate::answer::Answer;

pub(super) fn route<'a>(method: &str, segments: &[&'a str]) -> Option<Route<'a>> {
    Some(match (method, segments) {
        ("GET", ["deletedsecrets"]) => Route::of(Right::SecretsList, list),
        ("GET", ["deletedsecrets", name]) => Route::of(Right::SecretsGet, get).named(name),
        ("POST", ["deletedsecrets", name, "recover"]) => {
            Route::of(Right::SecretsRecover, recover).named(name)
        }
        ("DELETE", ["deletedsecrets", name]) => Route::of(Right::SecretsPurge, purge).named(name),
        _ => return None,
    })
}

pub(super) fn get(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    let missing = || Refusal::no_secret(target.name);
    let key = target.name.to_ascii_lowercase();
    let deleted = visit.vault.deleted.get(&key).ok_or_else(missing)?;
    let shown = bundle(visit.vault, deleted, true).ok_or_else(missing)?;
    Ok(Answer::json(200, &shown))
}

fn list(visit: &mut Visit<'_>, _: &Target<'_>) -> Result<Answer, Refusal> {
    let all = visit.vault.deleted.iter();
    let items = all.filter_map(|(key, deleted)| {
        let shown = bundle(visit.vault, deleted, false)?;
        Some((key.clone(), shown))
    });
    page::answer(visit, items.collect())
}

fn recover(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    let missing = || Refusal::no_secret(target.name);
    visit.vault.recover_secret(target.name)?;
    let secret = visit.vault.secret(target.name).ok_or_else(missing)?;
    let latest = secret.version(None).ok_or_else(missing)?;
    let id = visit
        .vault
        .id("secrets", &secret.name, Some(&latest.version));
    Ok(Answer::json(200, &latest.item(&id).into()))
}

fn purge(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    visit.vault.purge_secret(target.name)?;
    Ok(Answer::empty(204))
}

/// Never with the value.
fn bundle(vault: &Vault, deleted: &Deleted, has_version: bool) -> Option<Value> {
    let latest = deleted.secret.version(None)?;
    let version = has_version.then_some(latest.version.as_str());
    let mut shown = latest.item(&vault.id("secrets", &deleted.secret.name, version));
    let recovery = vault.id("deletedsecrets", &deleted.secret.name, None);
    shown.insert("recoveryId".to_owned(), recovery.into());
    shown.insert("deletedDate".to_owned(), deleted.at.into());
    let purge = deleted.at + RECOVERABLE_DAYS * 86_400;
    shown.insert("scheduledPurgeDate".to_owned(), purge.into());
    Some(Value::Object(shown))
}
