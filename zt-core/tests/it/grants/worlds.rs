//! What a grant of another world is worth: names are those of its tables, and keys may be shared.

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;

const ADF: &str = "c0000000-0000-4000-8000-000000000001";
const JOB: &str = "c0000000-0000-4000-8000-000000000002";

fn configure(world: &World, change: impl FnOnce(String) -> String) {
    let path = world.path().join("zt.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, change(text)).unwrap();
}

/// A grant of a world with these tables, and a session of the job in the usual one, which trusts the key.
async fn of_a_world(tables: impl FnOnce(String) -> String) -> (Grant, Session, World) {
    let (one, two) = (world(), world());
    one.edit(tables);
    let issuing = one.open().await;
    let adf = orchestrator(&issuing).await;
    let grant = adf.grant(&for_stage(Some(2))).await.unwrap();
    let trusted = format!(
        "[identity]\ngrant_keys = \"{}\"\n",
        adf.grant_key().unwrap()
    );
    configure(&two, |text| text.replace("[identity]\n", &trusted));
    let zt = two.open().await;
    let job = job(&zt).await;
    (grant, job, two)
}

fn with_job_row(tables: &str, change: impl FnOnce(&str) -> String) -> String {
    let row = format!("oid = \"{JOB}\"");
    assert!(tables.contains(&row));
    tables.replace(&row, &change(&row))
}

#[tokio::test]
async fn a_grant_of_the_same_world_counts() {
    let (grant, job, _world) = of_a_world(|tables| tables).await;
    job.with_grant(&grant).unwrap();
}

#[tokio::test]
async fn a_subject_of_another_tenant_is_somebody_else() {
    let tenant = "\ntenant = \"99999999-1111-4111-8111-111111111111\"";
    let (grant, job, _world) =
        of_a_world(|tables| with_job_row(&tables, |row| format!("{row}{tenant}"))).await;
    let why = job.with_grant(&grant).unwrap_err();
    assert_eq!(why.code(), Code::GrantOfAnother);
}

/// The claims signed anew by the key file of a world.
fn signed(world: &World, grant: &Grant, change: impl FnOnce(String) -> String) -> Grant {
    let pem = std::fs::read_to_string(world.path().join(".zt/grant.key")).unwrap();
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(der).unwrap();
    let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).unwrap();
    let claims = grant.as_str().split('.').nth(1).unwrap();
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let text = format!("ztg1.{}", URL_SAFE_NO_PAD.encode(change(claims)));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()));
    Grant::parse(&format!("{text}.{signature}")).unwrap()
}

#[tokio::test]
async fn who_has_another_name_elsewhere_does_not_vouch_for_itself() {
    let world = world();
    configure(&world, |text| {
        text.replace(
            "[identity]\n",
            "[identity]\ngrant_key = \".zt/grant.key\"\n",
        )
    });
    let zt = world.open().await;
    let job = job(&zt).await;
    let adf = orchestrator(&zt).await;
    let grant = adf.grant(&for_stage(Some(2))).await.unwrap();
    job.with_grant(&signed(&world, &grant, |claims| claims))
        .unwrap();
    // Where the job's own object is called the orchestrator.
    let own = signed(&world, &grant, |claims| {
        let object = |id: &str| format!("\"issuer_object\":\"{id}\"");
        assert!(claims.contains(&object(ADF)), "{claims}");
        claims.replace(&object(ADF), &object(JOB))
    });
    assert_eq!(own.issuer(), "sp:mi-adf-brindlewick");
    let why = job.with_grant(&own).unwrap_err();
    assert_eq!(why.code(), Code::InvalidGrant);
    assert!(
        why.message().contains("issued the grant to itself"),
        "{why}"
    );
}

#[tokio::test]
async fn a_grant_counts_for_the_application_of_its_world() {
    let (one, two) = (world(), world());
    for world in [&one, &two] {
        configure(world, |text| {
            text.replace(
                "[identity]\n",
                "[identity]\ngrant_key = \".zt/grant.key\"\n",
            )
        });
    }
    let zt = one.open().await;
    let (adf, own) = (orchestrator(&zt).await, job(&zt).await.claiming(201, 2));
    let grant = adf.grant(&for_stage(Some(2))).await.unwrap();
    let infer = GrantRequest::for_executors().with("model.infer", "model:car_loan_scorer");
    let executors = own.grant(&infer).await.unwrap();
    // The world of production, with the key file of the tests.
    let key = |world: &World| world.path().join(".zt/grant.key");
    std::fs::copy(key(&one), key(&two)).unwrap();
    let zt = two.open().await;
    job(&zt).await.with_grant(&grant).unwrap();
    configure(&two, |text| {
        text.replace(
            "d0000000-0000-4000-8000-000000000001",
            "d0000000-0000-4000-8000-000000000002",
        )
    });
    let zt = two.open().await;
    let why = job(&zt).await.with_grant(&grant).unwrap_err();
    assert_eq!(why.code(), Code::InvalidGrant);
    assert!(
        why.message().contains("for runtimes of the application"),
        "{why}"
    );
    assert_eq!(
        code(job(&zt).await.merge::<Statement>(&executors, &[])),
        Code::InvalidGrant
    );
}
