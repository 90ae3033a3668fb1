//! Making keys in a vault: for tests that run against a real one. Nothing that wraps, unwraps or signs needs it.

use std::fmt;
use std::sync::Arc;

use azure_core::http::RequestContent;
use azure_security_keyvault_keys::KeyClient;
use azure_security_keyvault_keys::models::{
    CreateKeyParameters, CurveName, KeyAttributes, KeyClientCreateKeyOptions,
    KeyClientDeleteKeyOptions, KeyClientPurgeDeletedKeyOptions,
    KeyClientUpdateKeyPropertiesOptions, KeyOperation, KeyType, UpdateKeyPropertiesParameters,
};

use super::answer;
use crate::adapters::azure::key_vault::{Call, Client, Setup, explain, options, sdk_failed};
use crate::network::HttpResponse;
use crate::secrets::{Attempt, SecretId, SecretName, SecretVersion, VaultError, VaultUrl};

/// What kind of key to make, marked for its own operations alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NewKey {
    /// RSA of 2,048 bits, that wraps and unwraps.
    Rsa2048,
    /// EC on P-256, that signs and verifies.
    P256,
}

/// Makes, switches off and deletes keys of one vault: one attempt each. Made by
/// [`KeyVaultKeys::writer`](super::KeyVaultKeys::writer).
///
/// A token that the vault refuses is not forgotten here: make a new writer. Needs a tokio runtime with time enabled.
pub struct KeyVaultKeyWriter {
    client: Client<KeyClient>,
    vault: VaultUrl,
    on_loopback: bool,
}

impl KeyVaultKeyWriter {
    pub(super) fn new(setup: &Setup, vault: &VaultUrl) -> Result<Self, VaultError> {
        Ok(Self {
            client: Client::new(setup, vault)?,
            vault: vault.clone(),
            on_loopback: !setup.checks_challenge,
        })
    }

    /// Makes a key or a new version of one, which becomes the newest, and says which it is. Needs `keys/create`.
    ///
    /// # Errors
    /// As unwrapping.
    pub async fn create(
        &self,
        name: &SecretName,
        kind: NewKey,
        attempt: &Attempt,
    ) -> Result<SecretVersion, VaultError> {
        let content = content(kind)?;
        let (id, call) = self.call(name, 200);
        let options = KeyClientCreateKeyOptions {
            method_options: options(attempt, &call),
        };
        let sdk = self.client.sdk();
        let sending = sdk.create_key(name.as_str(), content, Some(options));
        let made = self.run(&id, attempt, &call, sending).await?;
        Ok(answer::key(&id, &made)?.version)
    }

    /// Switches a version off or on. Needs `keys/update`.
    ///
    /// # Errors
    /// As unwrapping.
    pub async fn enable(
        &self,
        name: &SecretName,
        version: SecretVersion,
        is_enabled: bool,
        attempt: &Attempt,
    ) -> Result<(), VaultError> {
        let parameters = UpdateKeyPropertiesParameters {
            key_attributes: Some(KeyAttributes {
                enabled: Some(is_enabled),
                ..KeyAttributes::default()
            }),
            ..UpdateKeyPropertiesParameters::default()
        };
        let parameters = parameters
            .try_into()
            .map_err(|_| VaultError::invalid("the Azure SDK does not take the attributes"))?;
        let (id, call) = self.call(name, 200);
        let options = KeyClientUpdateKeyPropertiesOptions {
            method_options: options(attempt, &call),
            key_version: Some(version.to_string()),
        };
        let sdk = self.client.sdk();
        let sending = sdk.update_key_properties(name.as_str(), parameters, Some(options));
        self.run(&id, attempt, &call, sending).await.map(drop)
    }

    /// Deletes all versions of a key. The vault keeps them until they are purged or recovered. Needs `keys/delete`.
    ///
    /// # Errors
    /// As unwrapping.
    pub async fn delete(&self, name: &SecretName, attempt: &Attempt) -> Result<(), VaultError> {
        let (id, call) = self.call(name, 200);
        let options = KeyClientDeleteKeyOptions {
            method_options: options(attempt, &call),
        };
        let sending = self.client.sdk().delete_key(name.as_str(), Some(options));
        self.run(&id, attempt, &call, sending).await.map(drop)
    }

    /// Removes a deleted key for good: what it wrapped opens no more. Needs `keys/purge`.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] while the deletion is under way; else as unwrapping.
    pub async fn purge(&self, name: &SecretName, attempt: &Attempt) -> Result<(), VaultError> {
        let (id, call) = self.call(name, 204);
        let options = KeyClientPurgeDeletedKeyOptions {
            method_options: options(attempt, &call),
        };
        let sdk = self.client.sdk();
        let sending = sdk.purge_deleted_key(name.as_str(), Some(options));
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

fn content(kind: NewKey) -> Result<RequestContent<CreateKeyParameters>, VaultError> {
    let parameters = match kind {
        NewKey::Rsa2048 => CreateKeyParameters {
            kty: Some(KeyType::Rsa),
            key_size: Some(2048),
            key_ops: Some(vec![KeyOperation::WrapKey, KeyOperation::UnwrapKey]),
            ..CreateKeyParameters::default()
        },
        NewKey::P256 => CreateKeyParameters {
            kty: Some(KeyType::Ec),
            curve: Some(CurveName::P256),
            key_ops: Some(vec![KeyOperation::Sign, KeyOperation::Verify]),
            ..CreateKeyParameters::default()
        },
    };
    parameters
        .try_into()
        .map_err(|_| VaultError::invalid("the Azure SDK does not take the key's kind"))
}

impl fmt::Debug for KeyVaultKeyWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyVaultKeyWriter")
            .field("vault", &self.vault)
            .finish_non_exhaustive()
    }
}
