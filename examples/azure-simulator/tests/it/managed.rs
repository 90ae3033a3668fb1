//! Managed identities of a virtual machine and of App Service.

use zt_azure_simulator::ServicePrincipal;

use crate::client::{plain, start};
use crate::tokens::claims;

const IMDS: &str =
    "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net";
const METADATA: &[(&str, &str)] = &[("metadata", "true")];

#[tokio::test]
async fn the_machines_identity_gets_a_token_whose_numbers_are_text() {
    let sim = start();
    let response = plain(&sim, "GET", IMDS, METADATA, "").await.unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    let body = response.json();
    let expires: i64 = body["expires_on"].as_str().unwrap().parse().unwrap();
    let all = claims(body["access_token"].as_str().unwrap());
    assert_eq!(all["exp"].as_i64().unwrap(), expires);
    assert_eq!(all["oid"], "c0000000-0000-4000-8000-000000000001");
    assert_eq!(all["aud"], "https://vault.azure.net");
    assert!(
        all["xms_mirid"]
            .as_str()
            .unwrap()
            .contains("mi-adf-brindlewick")
    );
    assert_eq!(body["client_id"], "e0000000-0000-4000-8000-000000000001");
}

#[tokio::test]
async fn without_the_header_or_through_a_proxy_there_is_no_token() {
    let sim = start();
    let proxied: &[(&str, &str)] = &[("metadata", "true"), ("x-forwarded-for", "10.0.0.1")];
    for (path, headers) in [
        (IMDS, &[][..]),
        (IMDS, &[("metadata", "TRUE")]),
        (IMDS, proxied),
        ("/metadata/identity/oauth2/token?resource=x", METADATA),
        (
            "/metadata/identity/oauth2/token?api-version=2018-02-01",
            METADATA,
        ),
    ] {
        let refused = plain(&sim, "GET", path, headers, "").await.unwrap();
        assert_eq!(refused.status, 400, "{path} {headers:?}");
        assert_eq!(refused.json()["error"], "invalid_request");
    }
}

#[tokio::test]
async fn of_several_identities_one_must_be_named() {
    let sim = start();
    let second = "e0000000-0000-4000-8000-0000000000aa";
    sim.change(|directory| {
        let identity =
            ServicePrincipal::new("mi-2", "c0000000-0000-4000-8000-0000000000aa", second)
                .managed(false, "/subscriptions/s/mi-2");
        directory.tenants[0].service_principals.push(identity);
    });
    let unnamed = plain(&sim, "GET", IMDS, METADATA, "").await.unwrap();
    assert_eq!(unnamed.status, 400);
    assert!(unnamed.text().contains("Multiple user assigned identities"));
    for query in [
        format!("client_id={second}"),
        "object_id=c0000000-0000-4000-8000-0000000000aa".to_owned(),
        "msi_res_id=/subscriptions/s/MI-2".to_owned(),
    ] {
        let named = plain(&sim, "GET", &format!("{IMDS}&{query}"), METADATA, "").await;
        assert_eq!(named.unwrap().json()["client_id"], second, "{query}");
    }
    let unknown = plain(&sim, "GET", &format!("{IMDS}&client_id=x"), METADATA, "").await;
    assert!(unknown.unwrap().text().contains("Identity not found"));
}

#[tokio::test]
async fn app_service_asks_for_its_own_header() {
    let sim = start();
    let path = "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fgraph.microsoft.com";
    assert!(sim.identity_endpoint().ends_with("/msi/token"));
    let header = [("x-identity-header", sim.identity_header())];
    let response = plain(&sim, "GET", path, &header, "").await.unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    let body = response.json();
    assert!(body["expires_on"].is_string());
    assert_eq!(body.get("expires_in"), None);
    let wrong = plain(&sim, "GET", path, &[("x-identity-header", "x")], "").await;
    assert_eq!(wrong.unwrap().status, 401);
}
