//! What a vault may do wrong, on sockets: to who opens, with nothing held and past a TTL, and to who seals.

use zt_azure_simulator::{Denial, Fault, Misfit};
use zt_core::{Code, ErrorKind};

use super::{HOST, KEY, LONG, NEEDLE, Scene, TTL};

/// A name, what happens, the code, whether it ends what is held.
type Row = (&'static str, Fault, Code, bool);

fn status(status: u16, retry_after: Option<u64>) -> Fault {
    Fault::Status {
        status,
        retry_after,
    }
}

async fn check((name, fault, code, ends): Row) {
    let mut scene = Scene::open().await;
    let sealed = scene.seal().await.unwrap();
    scene.spoil(fault.clone());
    let error = scene.does_not_open(&sealed).await;
    assert_eq!(error.code(), code, "{name}: {error}");
    scene.office.sim.clear_faults();
    scene.later(LONG).await;
    scene.opens(&sealed).await;
    scene.later(TTL + 1).await;
    scene.spoil(fault.clone());
    if ends {
        assert_eq!(scene.does_not_open(&sealed).await.code(), code, "{name}");
        assert_eq!(scene.zt.status().data_keys.held, 0, "{name}");
    } else {
        scene.opens(&sealed).await;
        let asked = scene.requests();
        scene.opens(&sealed).await;
        assert_eq!(scene.requests(), asked, "{name}: it is left to rest");
    }
    scene.zt.invalidate(KEY).unwrap();
    scene.later(LONG).await;
    assert_eq!(scene.does_not_seal().await.code(), code, "{name}");
    scene.office.sim.clear_faults();
    scene.later(LONG).await;
    let again = scene.seal().await.unwrap();
    scene.opens(&again).await;
    scene.opens(&sealed).await;
    scene.office.assert_no_leaks(&[NEEDLE]);
}

async fn check_all(rows: Vec<Row>) {
    for row in rows {
        check(row).await;
    }
}

#[tokio::test]
async fn a_refusal_of_who_we_are_ends_what_is_held_and_one_of_the_path_does_not() {
    let of = |denial: Denial, code, ends| (denial.code(), Fault::Forbidden(denial), code, ends);
    check_all(vec![
        of(Denial::AccessDenied, Code::Config, true),
        of(Denial::ForbiddenByRbac, Code::Config, true),
        of(Denial::ForbiddenByFirewall, Code::NetworkRefused, false),
        ("404", Fault::NotFound, Code::NotFound, true),
        ("401", Fault::Unauthorized, Code::NoOwnIdentity, false),
    ])
    .await;
}

#[tokio::test]
async fn a_vault_that_is_busy_or_broken_ends_nothing() {
    let down = Code::VaultUnavailable;
    check_all(vec![
        ("429", status(429, Some(7)), down, false),
        ("500", status(500, None), down, false),
        ("503", status(503, Some(7)), down, false),
        ("close", Fault::Close, down, false),
        ("cut", Fault::Truncated, down, false),
    ])
    .await;
}

#[tokio::test]
async fn an_answer_that_is_none_ends_nothing_and_is_not_repeated() {
    let other = format!("https://{HOST}/keys/{KEY}/{NEEDLE}");
    check_all(vec![
        ("html", Fault::Html, Code::VaultIntegrity, false),
        ("json", Fault::WrongJson, Code::VaultIntegrity, false),
        ("giant", Fault::Giant(1 << 20), Code::VaultIntegrity, false),
        (
            "redirect",
            Fault::Redirect(format!("https://{NEEDLE}.example/")),
            Code::VaultIntegrity,
            false,
        ),
        ("kid", Fault::OtherId(other), Code::VaultIntegrity, false),
    ])
    .await;
}

#[tokio::test]
async fn a_slow_vault_ends_within_the_deadline() {
    let scene = Scene::open().await;
    let sealed = scene.seal().await.unwrap();
    scene.spoil(Fault::Slow(std::time::Duration::from_secs(20)));
    let error = scene.does_not_open(&sealed).await;
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable { .. }),
        "{error}"
    );
    scene.office.sim.clear_faults();
    scene.opens(&sealed).await;
}

#[tokio::test]
async fn a_stranger_with_the_vaults_name_is_told_nothing() {
    let scene = Scene::open().await;
    let fault = Fault::Certificate(Misfit::UnknownAuthority);
    scene.office.sim.fault(HOST, fault, u32::MAX);
    let error = scene.does_not_seal().await;
    assert_eq!(error.code(), Code::VaultUnavailable, "{error}");
    assert_eq!(scene.requests(), (0, 0, 0));
}
