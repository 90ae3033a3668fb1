//! The runtime's own token for the vault: shown, refused, asked for anew.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use zt_azure_simulator::Fault;
use zt_core::Code;
use zt_core::identity::{AccessToken, CredentialError, TokenCredential};
use zt_core::port::BoxFuture;

use super::super::office::{Office, ready};
use super::{HOST, KEY, Scene, TTL, VALUE};

/// A credential that counts.
struct Counting {
    inner: Arc<dyn TokenCredential>,
    given: Arc<AtomicUsize>,
}

impl fmt::Debug for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counting")
    }
}

impl TokenCredential for Counting {
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        assert_eq!(scope, "https://vault.azure.net/.default");
        self.given.fetch_add(1, Ordering::AcqRel);
        self.inner.get_token(scope)
    }

    fn name(&self) -> &'static str {
        "counting"
    }
}

/// With the number of tokens that were asked for.
async fn open() -> (Scene, Arc<AtomicUsize>) {
    let office = Office::new("[vault]\nstore = \"key_vault\"");
    office.edit_tables(
        "ttl_s = 900\nrotate_days = 90",
        &format!("ttl_s = {TTL}\nrotate_days = 90"),
    );
    let given = Arc::new(AtomicUsize::new(0));
    let credential = Counting {
        inner: office.credential("sp-score-201"),
        given: Arc::clone(&given),
    };
    let builder = office
        .builder()
        .unwrap()
        .with_credential(Arc::new(credential));
    let zt = builder.open().await.unwrap();
    ready(&zt).await;
    let job = office.sign_in(&zt, "sp-score-201").await.claiming(201, 2);
    (Scene { office, zt, job }, given)
}

#[tokio::test]
async fn one_token_serves_until_the_vault_refuses_it() {
    let (scene, given) = open().await;
    for _ in 0..5 {
        assert_eq!(scene.reads(VALUE).await, None);
        scene.office.advance(TTL);
    }
    assert_eq!(
        (scene.requests(), given.load(Ordering::Acquire)),
        ((6, 5), 1)
    );
}

#[tokio::test]
async fn a_revoked_token_is_replaced_by_the_next_call() {
    let (scene, given) = open().await;
    assert_eq!(scene.reads(VALUE).await, None);
    scene.office.advance(TTL + 1);
    scene
        .office
        .sim
        .fault(&format!("{HOST}/secrets"), Fault::Unauthorized, 1);
    assert!(scene.reads(VALUE).await.is_some(), "what is held is served");
    assert_eq!(given.load(Ordering::Acquire), 1);
    scene.office.advance(2);
    scene.reads_at_last(VALUE).await;
    assert_eq!(given.load(Ordering::Acquire), 2);
}

#[tokio::test]
async fn a_vault_that_takes_no_token_costs_one_a_minute() {
    let (scene, given) = open().await;
    scene.spoil(Fault::Unauthorized);
    let read = async |times: usize| {
        for _ in 0..times {
            for _ in 0..8 {
                assert_eq!(scene.fails().await.code(), Code::NoOwnIdentity);
            }
            scene.office.advance(10);
        }
        given.load(Ordering::Acquire)
    };
    assert_eq!(read(1).await, 1, "after 0 s");
    assert_eq!(read(1).await, 2, "after 10 s: the new one is shown");
    assert_eq!(read(5).await, 2, "and stays");
    assert_eq!(read(1).await, 3, "after 70 s");
    scene.office.sim.clear_faults();
    assert_eq!(
        scene.reads(VALUE).await,
        None,
        "no rebuild is needed for that"
    );
    assert_eq!(scene.vault().secret_gets(KEY), 9, "one in ten seconds");
}
