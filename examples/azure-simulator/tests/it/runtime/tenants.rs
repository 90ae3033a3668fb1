//! Callers of further tenants: let in by name, and never somebody of the home tenant.

use zt_azure_simulator::{Application, Group, Tenant, TokenOptions, User};
use zt_core::policy::DecisionKind;
use zt_core::{Code, ErrorKind};

use super::office::{Office, log};
use crate::client::API;

const PARTNER: &str = "22222222-2222-4222-8222-222222222222";
const STRANGER: &str = "33333333-3333-4333-8333-333333333333";
/// Lets the partner's callers in.
pub(crate) const SETTINGS: &str = "allowed_tenants = \"22222222-2222-4222-8222-222222222222\"";
/// What maya has at home.
const OBJECT: &str = "b0000000-0000-4000-8000-000000000002";
const GROUP: &str = "a0000000-0000-4000-8000-000000000002";

/// Two more tenants with the application, in each a person and a group with ids of the home tenant.
pub(crate) fn three_tenants() -> Office {
    let office = Office::new(SETTINGS);
    office.sim.change(|directory| {
        for (id, domain, name) in [
            (PARTNER, "partner.example", "pia"),
            (STRANGER, "stranger.example", "stan"),
        ] {
            let mut tenant = Tenant::new(id, domain);
            tenant
                .applications
                .push(Application::api(API, "zt", &["zt.access"]));
            tenant.users.push(User::new(name, OBJECT, "Somebody Else"));
            tenant
                .groups
                .push(Group::new("grp", GROUP).with_member(OBJECT));
            directory.tenants.push(tenant);
        }
    });
    office
}

#[tokio::test]
async fn a_caller_of_an_allowed_tenant_is_nobody_of_the_home_tenant() {
    let office = three_tenants();
    let zt = office.open().await;
    let maya = office.sign_in(&zt, "maya").await;
    assert_eq!(maya.name(), "user:maya");
    let pia = office.sign_in(&zt, "pia").await;
    assert_eq!(pia.name(), format!("oid:{OBJECT}"));
    for action in [
        ("model.infer", "model:car_loan_scorer"),
        ("table.read", "table:raw.loan_applications"),
    ] {
        let decision = pia.check(action.0, action.1).unwrap();
        assert_eq!(decision.kind(), DecisionKind::DefaultDeny, "{action:?}");
    }
    assert_eq!(zt.key_health().len(), 2, "keys of each tenant");
    let record = log(&zt)
        .into_iter()
        .rfind(|one| one.kind == "decision")
        .unwrap();
    assert_eq!(record.tenant.as_deref(), Some(PARTNER));
    office.assert_no_leaks(&["Somebody Else"]);
}

#[tokio::test]
async fn a_row_that_names_the_tenant_is_about_its_caller_alone() {
    let office = three_tenants();
    office.add_rows(&format!(
        r#"[[Principals]]
id = "user:pia"
oid = "{OBJECT}"
tenant = "{PARTNER}"
[[Access_Policies]]
id = "AP-90"
principal = "user:pia"
action = "table.read"
resource = "table:gold.loan_scores"
effect = "allow""#
    ));
    let zt = office.open().await;
    let pia = office.sign_in(&zt, "pia").await;
    assert_eq!(pia.name(), "user:pia");
    let read = pia.check("table.read", "table:gold.loan_scores").unwrap();
    assert_eq!(read.kind(), DecisionKind::Allow);
    let infer = pia.check("model.infer", "model:car_loan_scorer").unwrap();
    assert_eq!(infer.kind(), DecisionKind::DefaultDeny, "maya's right");
    let maya = office.sign_in(&zt, "maya").await;
    let read = maya.check("table.read", "table:gold.loan_scores").unwrap();
    let policies: Vec<String> = read.policies().map(ToString::to_string).collect();
    assert_eq!(
        (maya.name().as_str(), policies),
        ("user:maya", vec!["AP-03".to_owned()])
    );
}

#[tokio::test]
async fn callers_of_any_other_tenant_are_refused() {
    let office = three_tenants();
    let zt = office.open().await;
    let fetched = office.sim.requests().len();
    let refusal = office
        .refused(&zt, &office.token("stan", &TokenOptions::new()))
        .await;
    assert_eq!(
        (refusal.code(), refusal.kind()),
        (Code::InvalidToken, ErrorKind::Unauthenticated)
    );
    // Signed by the same keys, and said to be of a tenant that is let in: the issuer and the tenant must agree.
    let mixed = TokenOptions::new().with_claim("tid", PARTNER.into());
    for name in ["stan", "maya"] {
        let refusal = office.refused(&zt, &office.token(name, &mixed)).await;
        assert_eq!(refusal.code(), Code::InvalidToken, "{name}");
    }
    assert_eq!(
        office.sim.requests().len(),
        fetched,
        "its keys are never asked for"
    );
    office.sign_in(&zt, "pia").await;
    office.assert_no_leaks(&["Somebody Else"]);
}

#[tokio::test]
async fn graph_is_not_asked_about_the_people_of_another_tenant() {
    let office = three_tenants();
    let list = format!("{SETTINGS}\ngroups = \"graph\"");
    office.configure(&office.config(&list));
    office.add_rows(&format!(
        "[[Principals]]\nid = \"group:grp-partner\"\noid = \"{GROUP}\"\ntenant = \"{PARTNER}\""
    ));
    let zt = office.open_as_zt().await;
    let token = office.token("pia", &TokenOptions::new().with_groups_overage());
    let pia = zt.authenticate(&token).await.unwrap();
    let infer = pia.check("model.infer", "model:car_loan_scorer").unwrap();
    assert_eq!(infer.kind(), DecisionKind::DefaultDeny);
    assert_eq!(office.sim.count("/v1.0/"), 0);
}
