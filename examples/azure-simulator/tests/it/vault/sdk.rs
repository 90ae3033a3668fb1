//! Azure's own client over zt's guarded transport: what the simulator answers is what the real SDK reads.

use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::ClientOptions;
use azure_core::time::OffsetDateTime;
use azure_security_keyvault_secrets::models::{
    SecretClientGetSecretOptions, SecretProperties, SetSecretParameters,
};
use azure_security_keyvault_secrets::{ResourceExt as _, SecretClient, SecretClientOptions};
use futures_util::TryStreamExt as _;
use zt_azure_simulator::{Fault, Right, SecretOptions, Simulator};
use zt_core::adapters::azure::{GuardedHttp, GuardedTransport};
use zt_core::identity::Cloud;
use zt_core::network::{Destination, Guard};

use super::{HOST, WHO, open, token, vault};

/// A token that was issued before.
#[derive(Debug)]
pub(crate) struct Fixed(pub(crate) String);

#[async_trait::async_trait]
impl TokenCredential for Fixed {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["https://vault.azure.net/.default"]);
        let expires = OffsetDateTime::now_utc() + Duration::from_secs(3600);
        Ok(AccessToken::new(self.0.clone(), expires))
    }
}

/// What a client of a vault needs to come here and nowhere else.
pub(crate) fn options(sim: &Simulator) -> ClientOptions {
    let vault = Destination::public("test", HOST);
    let guard = Guard::new().with(vault).dialling(HOST, sim.https_addr());
    let http = GuardedHttp::trusting_only(guard, sim.ca_pem().as_bytes()).unwrap();
    GuardedTransport::new(Arc::new(http)).client_options(Cloud::Public)
}

pub(crate) fn credential(sim: &Simulator, who: &str) -> Arc<Fixed> {
    Arc::new(Fixed(token(sim, who)))
}

fn client(sim: &Simulator, who: &str) -> SecretClient {
    let own = SecretClientOptions {
        client_options: options(sim),
        ..SecretClientOptions::default()
    };
    let url = format!("https://{HOST}");
    SecretClient::new(&url, credential(sim, who), Some(own)).unwrap()
}

#[tokio::test]
async fn a_secret_is_set_and_read_with_its_versions() {
    let sim = open();
    let client = client(&sim, WHO);
    let set = |value: &str| SetSecretParameters {
        value: Some(value.to_owned()),
        ..SetSecretParameters::default()
    };
    // The first call of a client has no token and, in the SDK, no body: it is a read.
    client.get_secret("none", None).await.unwrap_err();
    let mut versions = Vec::new();
    for value in ["zt-needle-1", "zt-needle-2"] {
        let parameters = set(value).try_into().unwrap();
        let made = client.set_secret("one", parameters, None).await.unwrap();
        let id = made.into_model().unwrap().resource_id().unwrap();
        versions.push(id.version.unwrap());
    }
    assert_eq!(vault(&sim).secret_versions("one").unwrap(), versions);
    let latest = client.get_secret("one", None).await.unwrap();
    let latest = latest.into_model().unwrap();
    assert!(latest.value.as_deref() == Some("zt-needle-2"));
    let attributes = latest.attributes.unwrap();
    assert_eq!(attributes.enabled, Some(true));
    assert!(attributes.created.is_some() && attributes.expires.is_none());
    let old = SecretClientGetSecretOptions {
        secret_version: Some(versions[0].clone()),
        ..SecretClientGetSecretOptions::default()
    };
    let old = client.get_secret("one", Some(old)).await.unwrap();
    assert!(old.into_model().unwrap().value.as_deref() == Some("zt-needle-1"));
    let pager = client.list_secret_properties_versions("one", None).unwrap();
    let listed: Vec<SecretProperties> = pager.try_collect().await.unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(vault(&sim).secret_gets("one"), 2);
    let challenged = sim.requests().iter().filter(|one| !one.shows_token).count();
    assert_eq!(challenged, 1);
}

#[tokio::test]
async fn a_list_is_followed_over_its_pages() {
    let sim = open();
    for at in 0..60 {
        let name = format!("s{at:02}");
        vault(&sim).set_secret(&name, "zt-needle-x").unwrap();
    }
    let client = client(&sim, WHO);
    let pager = client.list_secret_properties(None).unwrap();
    let all: Vec<SecretProperties> = pager.try_collect().await.unwrap();
    let names: Vec<String> = all
        .iter()
        .map(|one| one.resource_id().unwrap().name)
        .collect();
    let expected: Vec<String> = (0..60).map(|at| format!("s{at:02}")).collect();
    assert_eq!(names, expected);
    assert_eq!(sim.count("/secrets"), 1 + 3);
}

#[tokio::test]
async fn a_next_page_on_another_host_is_not_fetched() {
    let sim = open();
    vault(&sim).set_secret("one", "zt-needle-x").unwrap();
    let elsewhere = "https://evil.example/secrets?api-version=7.6";
    sim.fault(HOST, Fault::NextLink(elsewhere.to_owned()), 1);
    let pager = client(&sim, WHO).list_secret_properties(None).unwrap();
    let all: azure_core::Result<Vec<SecretProperties>> = pager.try_collect().await;
    assert!(matches!(all.unwrap_err().kind(), ErrorKind::Io));
    assert!(sim.requests().iter().all(|one| one.host == HOST));
}

#[tokio::test]
async fn refusals_are_read_as_the_real_ones_are() {
    let sim = open();
    let off = SecretOptions::new().disabled();
    vault(&sim)
        .set_secret_with("off", "zt-needle-x", off)
        .unwrap();
    vault(&sim).set_secret("one", "zt-needle-x").unwrap();
    let disabled = client(&sim, WHO).get_secret("off", None).await.unwrap_err();
    assert_eq!(code(&disabled), (403, Some("Forbidden".to_owned())));
    let missing = client(&sim, WHO).get_secret("two", None).await.unwrap_err();
    assert_eq!(code(&missing), (404, Some("SecretNotFound".to_owned())));
    // The SDK's own reading stumbles over the escapes in this message, and falls back to the status.
    let stranger = client(&sim, "maya");
    let refused = stranger.get_secret("one", None).await.unwrap_err();
    assert_eq!(code(&refused), (403, Some("403".to_owned())));
    let read = azure_core::error::ErrorResponse::try_from(refused).unwrap();
    let error = read.error.unwrap();
    assert_eq!(error.code.as_deref(), Some("Forbidden"));
    let inner = error.inner_error.unwrap();
    assert_eq!(inner.code.as_deref(), Some("ForbiddenByRbac"));
    vault(&sim).grant("maya", &[Right::SecretsGet]).unwrap();
    let read = stranger.get_secret("one", None).await.unwrap();
    assert!(read.into_model().unwrap().value.as_deref() == Some("zt-needle-x"));
}

fn code(error: &azure_core::Error) -> (u16, Option<String>) {
    let ErrorKind::HttpResponse {
        status, error_code, ..
    } = error.kind()
    else {
        return (0, None);
    };
    (u16::from(*status), error_code.clone())
}
