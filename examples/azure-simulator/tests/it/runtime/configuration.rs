//! Configurations that would let the wrong people in, or nobody: refused when the runtime opens, with what to do.

use zt_core::{Code, Error};

use super::office::Office;
use crate::client::{API, TENANT};

async fn refusal(office: &Office, config: &str) -> Error {
    office.configure(config);
    let opened = match office.builder() {
        Ok(builder) => builder.open().await,
        Err(error) => Err(error),
    };
    let error = opened.err().unwrap();
    assert_eq!(error.code(), Code::Config, "{error}");
    assert!(
        !office.path(".zt/audit").exists(),
        "it leaves no log behind"
    );
    assert!(office.sim.requests().is_empty(), "nobody is asked");
    error
}

/// One line of a good configuration, in another wording; all of the texts stand in the refusal.
async fn is_refused(line: &str, wrong: &str, texts: &[&str]) {
    let office = Office::new("");
    let good = office.config("");
    assert!(good.contains(line));
    let error = refusal(&office, &good.replace(line, wrong)).await;
    let said = error.to_string();
    for text in texts {
        assert!(said.contains(text), "`{text}` does not stand in: {said}");
    }
}

fn audience() -> String {
    format!("audience = \"{API}\"")
}

fn tenant() -> String {
    format!("tenant = \"{TENANT}\"")
}

#[tokio::test]
async fn an_audience_of_microsofts_own_is_refused() {
    for (wrong, service) in [
        ("00000003-0000-0000-c000-000000000000", "Microsoft Graph"),
        ("cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "Azure Key Vault"),
        (
            "797f4846-ba00-4fd7-ba43-dac1f8f63013",
            "Azure Resource Manager",
        ),
    ] {
        let wrong = format!("audience = \"{wrong}\"");
        let texts = [service, "register an application of your own", "client id"];
        is_refused(&audience(), &wrong, &texts).await;
    }
}

#[tokio::test]
async fn an_audience_that_is_no_client_id_is_refused() {
    let texts = ["`identity.audience`", "client id, a GUID"];
    let uri = format!("audience = \"api://{API}\"");
    is_refused(&audience(), &uri, &texts).await;
    is_refused(&audience(), "", &texts).await;
}

#[tokio::test]
async fn an_app_id_uri_of_microsofts_own_is_refused() {
    let uri = "app_id_uri = \"https://graph.microsoft.com/\"";
    let wrong = format!("{}\n{uri}", audience());
    is_refused(&audience(), &wrong, &["Microsoft Graph"]).await;
}

#[tokio::test]
async fn a_clock_skew_of_more_than_five_minutes_is_refused() {
    let wrong = format!("{}\nclock_skew_s = 301", audience());
    is_refused(&audience(), &wrong, &["301 s", "at most 300 s", "NTP"]).await;
}

#[tokio::test]
async fn an_unknown_cloud_is_refused() {
    let texts = ["`identity.cloud`", "`public`", "`us_gov`", "`china`"];
    is_refused("cloud = \"public\"", "cloud = \"germany\"", &texts).await;
}

#[tokio::test]
async fn everybodys_tenants_are_refused() {
    for wrong in ["common", "organizations", "consumers"] {
        let wrong = format!("tenant = \"{wrong}\"");
        let texts = ["`identity.tenant`", "GUID", "`identity.allowed_tenants`"];
        is_refused(&tenant(), &wrong, &texts).await;
    }
    let personal = "tenant = \"9188040d-6c67-4c5b-b112-36a304b66dad\"";
    let office = Office::new("");
    let rows = std::fs::read_to_string(office.path("brindlewick.toml")).unwrap();
    let (_, rest) = rows.split_once("# ---- Principals").unwrap();
    std::fs::write(office.path("brindlewick.toml"), format!("# {rest}")).unwrap();
    let good = office.config("").replace(&tenant(), personal);
    let said = refusal(&office, &good).await.to_string();
    assert!(said.contains("your organisation's tenant id"), "{said}");
}

#[tokio::test]
async fn a_tenant_that_is_not_the_tables_is_refused() {
    let wrong = "tenant = \"22222222-2222-4222-8222-222222222222\"";
    let texts = ["`identity.tenant`", "the table `world`"];
    is_refused(&tenant(), wrong, &texts).await;
}

#[tokio::test]
async fn allowed_tenants_are_guids() {
    for list in ["contoso.onmicrosoft.com", "*", "common"] {
        let wrong = format!("{}\nallowed_tenants = \"{list}\"", audience());
        let texts = ["`identity.allowed_tenants`", "GUIDs", "name every tenant"];
        is_refused(&audience(), &wrong, &texts).await;
    }
    let personal = "allowed_tenants = \"9188040d-6c67-4c5b-b112-36a304b66dad\"";
    let wrong = format!("{}\n{personal}", audience());
    is_refused(&audience(), &wrong, &["personal Microsoft accounts"]).await;
}

#[tokio::test]
async fn a_simulator_is_never_production() {
    let texts = ["`[development]`", "remove"];
    is_refused("mode = \"development\"", "mode = \"production\"", &texts).await;
    is_refused("mode = \"development\"", "", &texts).await;
}

#[tokio::test]
async fn a_simulator_is_on_this_machine() {
    let office = Office::new("");
    let line = format!("azure = \"{}\"", office.sim.https_addr());
    for elsewhere in [
        "10.0.0.4:8443",
        "0.0.0.0:8443",
        "localhost:8443",
        "[2001:db8::1]:443",
        "127.0.0.1",
    ] {
        let wrong = format!("azure = \"{elsewhere}\"");
        let error = refusal(&office, &office.config("").replace(&line, &wrong)).await;
        let said = error.to_string();
        assert!(said.contains("loopback address with a port"), "{said}");
        assert!(said.contains("`127.0.0.1:8443`"), "{said}");
    }
}

#[tokio::test]
async fn settings_with_few_values_name_them() {
    for (wrong, texts) in [
        (
            "groups = \"entra\"",
            ["`identity.groups`", "`token`", "`graph`"],
        ),
        (
            "algorithms = \"HS256\"",
            ["`identity.algorithms`", "`RS256`", "`RS256 PS256`"],
        ),
        (
            "token_types = \"any\"",
            ["`identity.token_types`", "`JWT`", "`JWT at+jwt`"],
        ),
    ] {
        let wrong = format!("{}\n{wrong}", audience());
        is_refused(&audience(), &wrong, &texts).await;
    }
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_named() {
    let wrong = "azure_ca = \"nothing.pem\"";
    let texts = ["`development.azure_ca`", "nothing.pem"];
    is_refused("azure_ca = \"ca.pem\"", wrong, &texts).await;
}
