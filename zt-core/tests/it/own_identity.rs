//! From a variable of the environment to a token, through everything that stands between.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::guarded_http::server::{HOST, Server};
use zt_core::adapters::azure::CredentialChain;
use zt_core::clock::{Clock, SystemClock};
use zt_core::identity::{Cloud, OwnIdentity};
use zt_core::network::{Guard, HttpClient};

const SCOPE: &str = "https://vault.azure.net/.default";

/// An identity whose Entra and metadata endpoint are this server.
fn identity(server: &Server, vars: &[(&str, &str)]) -> OwnIdentity {
    let guard = Guard::for_identity(Cloud::Public)
        .dialling(HOST, server.at)
        .dialling("169.254.169.254", server.plain_at);
    let http: Arc<dyn HttpClient> = Arc::new(server.client_of(guard));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let env = |name: &str| {
        let found = vars.iter().find(|(own, _)| *own == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let chain = CredentialChain::without_people(Cloud::Public, &http, &clock, &env).unwrap();
    OwnIdentity::new(Arc::new(chain), clock)
}

#[tokio::test]
async fn a_service_principal_gets_a_token_once() {
    let server = Server::start().await;
    let vars = [
        ("AZURE_TENANT_ID", "contoso.onmicrosoft.com"),
        ("AZURE_CLIENT_ID", "44444444-4444-4444-8444-444444444444"),
        ("AZURE_CLIENT_SECRET", "hush"),
    ];
    let identity = identity(&server, &vars);
    for _ in 0..3 {
        assert_eq!(identity.token(SCOPE).await.unwrap().reveal(), "entras");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    assert_eq!(identity.name(), "client secret of the environment");
    assert!(identity.forget());
    assert_eq!(identity.token(SCOPE).await.unwrap().reveal(), "entras");
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_machine_gets_a_token_of_its_metadata_endpoint() {
    let server = Server::start().await;
    let identity = identity(&server, &[]);
    assert_eq!(identity.token(SCOPE).await.unwrap().reveal(), "machines");
    assert_eq!(identity.name(), "managed identity");
    assert_eq!(
        server.connections.load(Ordering::SeqCst),
        0,
        "Entra is not asked"
    );
}
