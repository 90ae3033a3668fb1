//! Writing to a vault: for tests that run against a real one, and for whoever fills it. Nothing that reads needs it.

use std::fmt;
use std::sync::Arc;

use azure_core::http::RequestContent;
use azure_core::time::OffsetDateTime;
use azure_security_keyvault_secrets::SecretClient;
use azure_security_keyvault_secrets::models::{
    SecretAttributes, SecretClientDeleteSecretOptions, SecretClientPurgeDeletedSecretOptions,
    SecretClientSetSecretOptions, SetSecretParameters,
};

use super::answer;
use crate::adapters::azure::key_vault::{Call, Client, Setup, explain, options, sdk_failed};
use crate::clock::Timestamp;
use crate::network::HttpResponse;
use crate::secrets::{
    Attempt, SecretBytes, SecretId, SecretName, SecretVersion, Validity, VaultError, VaultUrl,
};

/// Writes secrets of one vault: one attempt each, as fetches are. Made by
/// [`KeyVaultSecrets::writer`](super::KeyVaultSecrets::writer).
///
/// A written value passes through buffers of the SDK that nobody wipes. A token that the vault refuses is not forgotten here:
/// make a new writer. Needs a tokio runtime with time enabled.
pub struct KeyVaultWriter {
    client: Client<SecretClient>,
    vault: VaultUrl,
    on_loopback: bool,
}

impl KeyVaultWriter {
    pub(super) fn new(setup: &Setup, vault: &VaultUrl) -> Result<Self, VaultError> {
        Ok(Self {
            client: Client::new(setup, vault)?,
            vault: vault.clone(),
            on_loopback: !setup.checks_challenge,
        })
    }

    /// Writes a new version, which becomes the current one, and says which it is.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] for a value that is not UTF-8 or a date outside of the calendar; else as a fetch.
    pub async fn set(
        &self,
        name: &SecretName,
        value: &SecretBytes,
        validity: Validity,
        attempt: &Attempt,
    ) -> Result<SecretVersion, VaultError> {
        let content = content(value, validity)?;
        let (id, call) = self.call(name, 200);
        let options = SecretClientSetSecretOptions {
            method_options: options(attempt, &call),
        };
        let sdk = self.client.sdk();
        let sending = sdk.set_secret(name.as_str(), content, Some(options));
        let written = self.run(&id, attempt, &call, sending).await?;
        Ok(answer::read(&id, attempt, &written)?.version)
    }

    /// Deletes all versions of a secret. The vault keeps them until they are purged or recovered, and takes no new version
    /// of that name meanwhile.
    ///
    /// # Errors
    /// As a fetch.
    pub async fn delete(&self, name: &SecretName, attempt: &Attempt) -> Result<(), VaultError> {
        let (id, call) = self.call(name, 200);
        let options = SecretClientDeleteSecretOptions {
            method_options: options(attempt, &call),
        };
        let sending = self
            .client
            .sdk()
            .delete_secret(name.as_str(), Some(options));
        self.run(&id, attempt, &call, sending).await.map(drop)
    }

    /// Removes a deleted secret for good.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] while the deletion is under way; else as a fetch.
    pub async fn purge(&self, name: &SecretName, attempt: &Attempt) -> Result<(), VaultError> {
        let (id, call) = self.call(name, 204);
        let options = SecretClientPurgeDeletedSecretOptions {
            method_options: options(attempt, &call),
        };
        let sdk = self.client.sdk();
        let sending = sdk.purge_deleted_secret(name.as_str(), Some(options));
        self.run(&id, attempt, &call, sending).await.map(drop)
    }

    fn call(&self, name: &SecretName, wanted: u16) -> (SecretId, Arc<Call>) {
        let id = SecretId::new(self.vault.clone(), name.clone());
        let call = Call::new(id.clone(), self.on_loopback).wanting(wanted);
        (id, Arc::new(call))
    }

    async fn run<T: Send>(
        &self,
        id: &SecretId,
        attempt: &Attempt,
        call: &Arc<Call>,
        sending: impl Future<Output = azure_core::Result<T>> + Send,
    ) -> Result<HttpResponse, VaultError> {
        let asking = async {
            let sent = self.client.run(call, sending).await;
            sent.map_err(|error| explain(id, call, &error))?;
            call.take_answer().ok_or_else(sdk_failed)
        };
        self.client.within(&self.vault, attempt, asking).await
    }
}

fn content(
    value: &SecretBytes,
    validity: Validity,
) -> Result<RequestContent<SetSecretParameters>, VaultError> {
    let text = str::from_utf8(value.reveal())
        .map_err(|_| VaultError::invalid("a value of Key Vault must be UTF-8 text"))?;
    let attributes = SecretAttributes {
        enabled: Some(validity.enabled),
        not_before: date(validity.not_before)?,
        expires: date(validity.expires)?,
        ..SecretAttributes::default()
    };
    let parameters = SetSecretParameters {
        value: Some(text.to_owned()),
        secret_attributes: Some(attributes),
        ..SetSecretParameters::default()
    };
    // The SDK's text is not repeated: what does not fit may be the value.
    parameters
        .try_into()
        .map_err(|_| VaultError::invalid("the Azure SDK does not take the value"))
}

/// Key Vault counts in seconds.
fn date(at: Option<Timestamp>) -> Result<Option<OffsetDateTime>, VaultError> {
    let read = |at: Timestamp| {
        OffsetDateTime::from_unix_timestamp(at.as_secs())
            .map_err(|_| VaultError::invalid("a date of a secret is outside of the calendar"))
    };
    at.map(read).transpose()
}

impl fmt::Debug for KeyVaultWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyVaultWriter")
            .field("vault", &self.vault)
            .finish_non_exhaustive()
    }
}
