//! What Event Grid says about secrets: a new version, one that ends soon, one that has ended.
//!
//! In: the body of a delivery, in the schema of Event Grid or of CloudEvents 1.0, one event or a list. Out: which slots ask
//! their vault now. An event is a hint from somebody unknown: it carries no value, nothing of it is believed but that it is
//! worth asking, and a slot asks once a second at most.
//! Source: Microsoft Learn, "Azure Key Vault as Event Grid source".

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Code, Error, Result};

use super::{SecretId, SecretName, Secrets, VaultUrl};

/// Longer deliveries are refused: Event Grid sends at most 1 MB.
const MOST_BYTES: usize = 1 << 20;

/// What an event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretChange {
    /// There is a new version.
    NewVersion,
    /// The current version ends soon.
    NearExpiry,
    /// The current version has ended.
    Expired,
}

impl SecretChange {
    /// The word of audit records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewVersion => "new_version",
            Self::NearExpiry => "near_expiry",
            Self::Expired => "expired",
        }
    }
}

/// One event about a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretEvent {
    /// The secret, without its version.
    pub id: SecretId,
    /// What happened to it.
    pub change: SecretChange,
}

/// What became of a delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The events about declared secrets.
    pub taken: Vec<SecretEvent>,
    /// Events about other things, and about secrets that no table declares.
    pub ignored: usize,
    /// What a new subscription asks to be answered with (`validationResponse`), to prove that the endpoint is ours.
    pub validation_code: Option<String>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "eventType", alias = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
}

/// Reads a delivery.
///
/// # Errors
/// [`Code::InvalidArgument`] if it is no event and no list of events, or an event about a secret names none.
pub(super) fn read(body: &[u8]) -> Result<(Vec<SecretEvent>, usize, Option<String>)> {
    if body.len() > MOST_BYTES {
        return Err(wrong("it is longer than 1 MB"));
    }
    let is_list = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let events: Vec<Wire> = if is_list {
        serde_json::from_slice(body).map_err(|_| wrong("not a list of events"))?
    } else {
        vec![serde_json::from_slice(body).map_err(|_| wrong("not an event"))?]
    };
    let (mut about, mut ignored, mut code) = (Vec::new(), 0, None);
    for event in events {
        let change = match event.kind.as_str() {
            "Microsoft.KeyVault.SecretNewVersionCreated" => SecretChange::NewVersion,
            "Microsoft.KeyVault.SecretNearExpiry" => SecretChange::NearExpiry,
            "Microsoft.KeyVault.SecretExpired" => SecretChange::Expired,
            "Microsoft.EventGrid.SubscriptionValidationEvent" => {
                let asked = event.data.get("validationCode").and_then(Value::as_str);
                let asked = asked.ok_or_else(|| wrong("a validation without a code"))?;
                code = Some(asked.to_owned());
                continue;
            }
            _ => {
                ignored += 1;
                continue;
            }
        };
        let url = event.data.get("Id").or_else(|| event.data.get("id"));
        let url = url.and_then(Value::as_str);
        let url = url.ok_or_else(|| wrong("an event about a secret names none"))?;
        let id = secret_of(url).ok_or_else(|| wrong("`Id` is not the URL of a secret"))?;
        about.push(SecretEvent { id, change });
    }
    Ok((about, ignored, code))
}

/// `https://VAULT/secrets/NAME/VERSION`, with or without a port 443 and the version.
fn secret_of(url: &str) -> Option<SecretId> {
    let (vault, path) = url.strip_prefix("https://")?.split_once('/')?;
    let vault = vault
        .strip_suffix(":443")
        .unwrap_or(vault)
        .to_ascii_lowercase();
    let vault: VaultUrl = format!("https://{vault}").parse().ok()?;
    let mut parts = path.split('/');
    if parts.next() != Some("secrets") {
        return None;
    }
    let name: SecretName = parts.next()?.parse().ok()?;
    match (parts.next(), parts.next()) {
        (None | Some(_), None) => Some(SecretId::new(vault, name)),
        (_, Some(_)) => None,
    }
}

fn wrong(what: &str) -> Error {
    let message = format!("this is no delivery of Event Grid about secrets: {what}");
    Error::new(Code::InvalidArgument, message)
}

impl Secrets {
    /// Takes in a delivery of Event Grid: every slot that knows something of a secret that it names asks its vault now, and a
    /// "no" that was believed is forgotten. Does not wait for the answers. A slot asks once a second at most; an event that
    /// comes too early, or while a fetch is under way that may have asked before, is made up for by a later
    /// [`sweep`](Self::sweep).
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for what is no delivery.
    pub fn on_event(&self, body: &[u8]) -> Result<Delivery> {
        let (events, ignored, validation_code) = read(body)?;
        let mut delivery = Delivery {
            ignored,
            validation_code,
            ..Delivery::default()
        };
        let table = self.table();
        for event in events {
            let is_about = |id: &SecretId| id.name() == event.id.name() && id.version().is_none();
            let mut about = table.declared.values().filter(|declared| {
                let mut sources = declared.request.sources();
                sources.any(|id| is_about(&id) && id.vault() == event.id.vault())
            });
            let mut is_known = false;
            for declared in &mut about {
                is_known = true;
                // Of what nobody has read there is nothing to renew, and nobody's right was asked.
                if declared.slot.is_known()
                    && let Some(start) = declared.slot.nudge(&*self.crew.clock, &self.crew.timing)
                {
                    let _may_have_no_runtime = self.launch(declared, &declared.request, start);
                }
            }
            if is_known {
                delivery.taken.push(event);
            } else {
                delivery.ignored += 1;
            }
        }
        Ok(delivery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = r#"[{
        "id": "00eccf70-95a7-4e7c-8299-2eb17ee9ad64",
        "topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/sample-kv",
        "subject": "newsecret",
        "eventType": "Microsoft.KeyVault.SecretNewVersionCreated",
        "eventTime": "2019-07-25T01:08:33.1036736Z",
        "data": {
            "Id": "https://sample-kv.vault.azure.net/secrets/newsecret/ee059b2bb5bc48398a53b168c6cdcb10",
            "VaultName": "sample-kv", "ObjectType": "Secret", "ObjectName": "newsecret",
            "Version": "ee059b2bb5bc48398a53b168c6cdcb10", "NBF": "1559081980", "EXP": "1559082102"
        },
        "dataVersion": "1", "metadataVersion": "1"
    }]"#;

    #[test]
    fn the_vendors_own_example_is_read_in_both_schemas() {
        let cloud_event = NEW
            .trim_matches(['[', ']'])
            .replace("\"eventType\"", "\"type\"");
        for body in [NEW, &cloud_event] {
            let (events, ignored, code) = read(body.as_bytes()).unwrap();
            assert_eq!((ignored, code), (0, None));
            let [event] = &events[..] else {
                panic!("{events:?}")
            };
            assert_eq!(event.change, SecretChange::NewVersion);
            assert_eq!(
                event.id.to_string(),
                "https://sample-kv.vault.azure.net/secrets/newsecret"
            );
        }
    }

    #[test]
    fn a_new_subscription_is_answered() {
        let body = r#"[{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "512d38b6"}}]"#;
        let (events, ignored, code) = read(body.as_bytes()).unwrap();
        assert!(events.is_empty() && ignored == 0);
        assert_eq!(code.as_deref(), Some("512d38b6"));
    }

    #[test]
    fn what_is_no_delivery_is_refused_and_nothing_of_it_shown() {
        let long = vec![b' '; MOST_BYTES + 1];
        let about = |id: &str| {
            format!(r#"{{"type": "Microsoft.KeyVault.SecretExpired", "data": {{"Id": "{id}"}}}}"#)
        };
        let wrong = [
            "".to_owned(),
            "7".to_owned(),
            "[{}]".to_owned(),
            "[".repeat(100_000),
            about("https://kv.vault.azure.net/keys/zt-needle"),
            about("https://kv.vault.azure.net/secrets/"),
            about("https://kv.vault.azure.net/secrets/a/b/c"),
            about("http://kv.vault.azure.net/secrets/a"),
            about("https://10.0.0.4/secrets/zt-needle"),
            about("https://kv.vault.azure.net/secrets/zt_needle"),
        ];
        for body in wrong.iter().map(String::as_bytes).chain([&long[..]]) {
            let error = read(body).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert!(!format!("{error} {error:?}").contains("needle"));
        }
        let other = r#"{"type": "Microsoft.Storage.BlobCreated", "data": {}}"#;
        assert_eq!(read(other.as_bytes()).unwrap().1, 1);
    }
}
