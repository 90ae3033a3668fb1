//! What must stand nowhere: tokens, names, mail addresses, secrets and codes, whatever goes wrong.

use std::sync::Mutex;

use serde_json::Value;
use zt_azure_simulator::{Fault, TokenOptions};
use zt_core::audit::Entry;
use zt_core::identity::ClientProof;
use zt_core::{Error, Runtime};

use super::office::{Office, end, ready};
use crate::client::PROGRAM;

const MAIL: &str = "needle.mail@personal.example";
const UPN: &str = "needle.upn@brindlewick.example";
const NAME: &str = "Needle Of A Name";
const SECRET: &str = "needle-secret-value";

/// With every claim that names a person.
fn named() -> TokenOptions {
    TokenOptions::new()
        .with_claim("name", NAME.into())
        .with_claim("email", MAIL.into())
        .with_claim("upn", UPN.into())
        .with_claim("preferred_username", UPN.into())
        .with_claim("unique_name", UPN.into())
        .with_claim("family_name", NAME.into())
}

fn settings() -> String {
    format!("groups = \"graph\"\nsign_in_client = \"{PROGRAM}\"")
}

async fn open(office: &Office) -> Runtime {
    let builder = office.builder().unwrap();
    let builder = builder.with_credential(office.credential("zt"));
    let proof = ClientProof::Secret(SECRET.to_owned().into());
    let zt = builder.with_client_proof(proof).open().await.unwrap();
    ready(&zt).await;
    zt
}

/// Every way in that ends in an error, with everything in it that must not be told.
async fn refusals(office: &Office, zt: &Runtime) -> Vec<Error> {
    let mut errors = Vec::new();
    let now = office.now().as_secs();
    let strange = [
        named().issued_at(now - 90_000),
        named().issued_at(now + 90_000),
        named()
            .with_claim("sub", MAIL.into())
            .with_claim("tid", Value::Null),
        named().with_claim("roles", UPN.into()),
        named().with_claim("scp", Value::Null),
        named().with_claim("oid", UPN.into()),
        named().with_claim("groups", NAME.into()),
        named().with_claim("idtyp", NAME.into()),
        named().with_claim("acrs", serde_json::json!([NAME])),
    ];
    for options in &strange {
        let token = office.token("maya", options);
        errors.extend(zt.authenticate(&token).await.err());
    }
    let token = office.token("maya", &named().with_groups_overage());
    let cut: String = token.chars().take(token.len() - 9).collect();
    errors.extend(zt.authenticate(&cut).await.err());
    errors.extend(zt.authenticate(&format!("{token}.{token}")).await.err());
    errors.extend(zt.authenticate(&token.replace('.', "~")).await.err());
    let maya = zt.authenticate(&token).await.unwrap();
    errors.extend(
        maya.require("table.read", "table:raw.loan_applications")
            .err(),
    );
    errors.extend(maya.secret("adb-token").await.err());
    let scope = "https://graph.microsoft.com/.default";
    errors.extend(zt.on_behalf_of(&maya, &token, scope).await.err());
    errors.extend(zt.on_behalf_of(&maya, &cut, scope).await.err());
    errors
}

/// Device codes that come to nothing; the codes themselves.
async fn codes(office: &Office, zt: &Runtime, errors: &mut Vec<Error>) -> Vec<String> {
    let codes = Mutex::new(Vec::new());
    for answer in ["decline", "late", "down"] {
        let outcome = zt.sign_in(|waiting| {
            let code = waiting.user_code().to_owned();
            match answer {
                "decline" => office.sim.decline(&code).unwrap(),
                "late" => office.advance(901),
                _ => office.sim.fault("/", Fault::Html, u32::MAX),
            }
            codes.lock().unwrap().push(code);
            Ok(())
        });
        errors.extend(outcome.await.err());
    }
    codes.into_inner().unwrap()
}

#[tokio::test]
async fn nothing_that_names_a_person_or_lets_one_in_is_written_or_said() {
    let office = Office::new(&settings());
    let zt = open(&office).await;
    let mut errors = refusals(&office, &zt).await;
    let codes = codes(&office, &zt, &mut errors).await;
    // The issuer is down now, and its answers are somebody else's pages.
    office.advance(7200);
    let token = office.token("priya", &named().with_groups_overage());
    errors.extend(zt.authenticate(&token).await.err());
    office.sim.rotate().unwrap();
    let token = office.token("priya", &named());
    errors.extend(zt.authenticate(&token).await.err());
    errors.extend(zt.reload().await.err());
    assert!(errors.len() > 15, "{}", errors.len());
    for error in &errors {
        office.keep(error);
    }
    let records = end(zt).await;
    let is_hers = |one: &Entry| one.caller.as_deref() == Some("user:maya");
    assert!(records.iter().any(is_hers), "the log says who it was");
    let mut needles = vec![MAIL, UPN, NAME, SECRET];
    needles.extend(codes.iter().map(String::as_str));
    office.assert_no_leaks(&needles);
}
