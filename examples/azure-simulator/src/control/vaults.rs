//! Vaults through the control interface. Bodies are JSON; no answer holds a value.
//!
//! | Request below `/control/vaults` | Body | Does |
//! |---|---|---|
//! | `GET` | | tells all vaults: secrets and keys with their versions, rights, network |
//! | `POST /NAME` | | makes a vault |
//! | `POST /NAME/secrets/SECRET` | `value`, and as in Key Vault `contentType`, `tags`, `attributes` | adds a version |
//! | `PATCH /NAME/secrets/SECRET` | `enabled`, `exp`, `nbf` (`null` takes a moment away) | changes the latest version |
//! | `DELETE /NAME/secrets/SECRET` | | deletes; with `?purge=true` for good |
//! | `POST /NAME/secrets/SECRET/recover` | | brings a deleted secret back |
//! | `GET /NAME/secrets/SECRET/gets` | | tells how often the value was asked for |
//! | `POST /NAME/keys/KEY` | `kty`, `key_size`, `crv` | adds a version |
//! | `PATCH /NAME/keys/KEY` | `enabled` | changes the latest version |
//! | `POST /NAME/grant`, `/NAME/revoke` | `who`, `rights` (as `secrets/get`), `on` | gives or takes rights, on one name or all |
//! | `POST /NAME/network` | `way` (`public`, `private_link`, `absent`, `text`), `address`, `endpoint`, `text` | says how it is reached |

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::asked::Asked;
use crate::error::Error;
use crate::state::State;
use crate::vault::{KeyKind, KeyVault, NetworkInfo, Right, SecretOptions};

/// Does what `path`, below `/control/vaults`, asks for.
pub(super) fn act(state: &State, asked: &Asked, path: &[&str]) -> Result<Option<Value>, Error> {
    let method = asked.method.as_str();
    let done = || Ok(Some(json!({ "done": true })));
    let Some((name, rest)) = path.split_first() else {
        return Ok((method == "GET").then(|| overview(state)));
    };
    let vault = KeyVault::new(state, name);
    match (method, rest) {
        ("POST", []) => {
            vault.make()?;
            Ok(Some(json!({ "host": vault.host() })))
        }
        ("POST", ["grant"]) => {
            rights(&vault, &body(asked)?, true)?;
            done()
        }
        ("POST", ["revoke"]) => {
            rights(&vault, &body(asked)?, false)?;
            done()
        }
        ("POST", ["network"]) => {
            vault.set_network(network(&body(asked)?)?)?;
            done()
        }
        (_, ["secrets", secret, rest @ ..]) => of_secret(&vault, asked, secret, rest),
        ("POST", ["keys", key]) => {
            let kind = KeyKind::read(&body(asked)?);
            let kind = kind.ok_or_else(|| Error::new("`kty`, `key_size` or `crv` is wrong"))?;
            Ok(Some(json!({ "version": vault.make_key(key, kind)? })))
        }
        ("PATCH", ["keys", key]) => {
            let enabled = body(asked)?.get("enabled").and_then(Value::as_bool);
            vault.enable_key(key, enabled.ok_or_else(|| missing("enabled"))?)?;
            done()
        }
        _ => Ok(None),
    }
}

fn of_secret(
    vault: &KeyVault<'_>,
    asked: &Asked,
    name: &str,
    rest: &[&str],
) -> Result<Option<Value>, Error> {
    match (asked.method.as_str(), rest) {
        ("POST", []) => {
            let body = body(asked)?;
            let value = text(&body, "value")?;
            let version = vault.set_secret_with(name, value, SecretOptions::read(&body))?;
            return Ok(Some(json!({ "version": version })));
        }
        ("PATCH", []) => change(vault, name, &body(asked)?)?,
        ("DELETE", []) => {
            // What is deleted already can still be purged.
            let deleted = vault.delete_secret(name);
            if asked.query.get("purge") == Some("true") {
                vault.purge_secret(name)?;
            } else {
                deleted?;
            }
        }
        ("POST", ["recover"]) => vault.recover_secret(name)?,
        ("GET", ["gets"]) => return Ok(Some(json!({ "gets": vault.secret_gets(name) }))),
        _ => return Ok(None),
    }
    Ok(Some(json!({ "done": true })))
}

fn change(vault: &KeyVault<'_>, name: &str, body: &Value) -> Result<(), Error> {
    if let Some(enabled) = body.get("enabled") {
        let enabled = enabled.as_bool().ok_or_else(|| missing("enabled"))?;
        vault.enable_secret(name, enabled)?;
    }
    if let Some(moment) = body.get("exp") {
        vault.expire_secret(name, moment.as_i64())?;
    }
    if let Some(moment) = body.get("nbf") {
        vault.delay_secret(name, moment.as_i64())?;
    }
    Ok(())
}

fn rights(vault: &KeyVault<'_>, body: &Value, is_grant: bool) -> Result<(), Error> {
    let who = text(body, "who")?;
    let named = body.get("rights").and_then(Value::as_array);
    let named = named.ok_or_else(|| missing("rights"))?;
    let right = |name: &Value| {
        let right = name.as_str().and_then(Right::named);
        right.ok_or_else(|| Error::new(format!("there is no right {name}")))
    };
    let rights: Vec<Right> = named.iter().map(right).collect::<Result<_, _>>()?;
    match (body.get("on").and_then(Value::as_str), is_grant) {
        (None, true) => vault.grant(who, &rights),
        (None, false) => vault.revoke(who, &rights),
        (Some(name), true) => vault.grant_on(name, who, &rights),
        (Some(name), false) => vault.revoke_on(name, who, &rights),
    }
}

fn network(body: &Value) -> Result<NetworkInfo, Error> {
    let address = || {
        let address: Result<Ipv4Addr, _> = text(body, "address")?.parse();
        address.map_err(|_| Error::new("`address` is not an IPv4 address"))
    };
    Ok(match text(body, "way")? {
        "public" => NetworkInfo::Public(address()?),
        "private_link" => NetworkInfo::PrivateLink {
            endpoint: text(body, "endpoint")?.to_owned(),
            address: address()?,
        },
        "absent" => NetworkInfo::Absent,
        "text" => NetworkInfo::Text(text(body, "text")?.to_owned()),
        _ => {
            return Err(Error::new(
                "`way` is none of public, private_link, absent, text",
            ));
        }
    })
}

/// Every vault, for [`super`]'s overview too.
pub(super) fn overview(state: &State) -> Value {
    let vaults = state.vaults();
    let all = vaults.all().map(|vault| {
        let secrets = vault
            .secrets()
            .map(|secret| json!({ "name": secret.name, "versions": secret.version_names() }));
        let keys = vault
            .keys()
            .map(|key| json!({ "name": key.name, "versions": key.version_names() }));
        let rights = vault.grants.all().iter().map(
            |grant| json!({ "who": grant.principal, "right": grant.right.name(), "on": grant.on }),
        );
        json!({
            "host": vault.host,
            "network_info": vault.network.header(),
            "secrets": secrets.collect::<Vec<_>>(),
            "keys": keys.collect::<Vec<_>>(),
            "rights": rights.collect::<Vec<_>>(),
        })
    });
    json!({ "vaults": all.collect::<Vec<_>>() })
}

fn body(asked: &Asked) -> Result<Value, Error> {
    serde_json::from_slice(&asked.body).map_err(|_| Error::new("the body is not JSON"))
}

fn text<'b>(body: &'b Value, name: &str) -> Result<&'b str, Error> {
    let text = body.get(name).and_then(Value::as_str);
    text.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    Error::new(format!("`{name}` is missing"))
}
