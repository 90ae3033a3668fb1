//! Keys that come and go.

use super::*;
use crate::clock::Timestamp;
use crate::identity::KeySet;
use crate::identity::keys::fetch::FetchedKeys;
use crate::testing::DevIssuer;

fn sets_of(stage: &Stage) -> Vec<String> {
    let known = stage.cache.known();
    let both = [first(), second()];
    let known = both.iter().filter(|key| !known.find(key.kid()).is_empty());
    known.map(|key| key.kid().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_new_key_is_accepted_and_not_refused_once() {
    let stage = Stage::ready().await;
    stage.pass(Duration::from_secs(60)).await;
    stage.issuer.publish(jwks(&[first(), second()]));
    assert!(stage.enter(&stage.tokens.user(second())).await.is_ok());
    assert!(stage.enter(&stage.tokens.user(first())).await.is_ok());
    assert_eq!(stage.issuer.sets(), 2);
    let news = stage.news.0.lock().unwrap().clone();
    let added = vec![Arc::from(second().kid())];
    let dropped = Vec::new();
    assert_eq!(news.last(), Some(&KeyNews::Changed { added, dropped }));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_disappears_is_dropped_by_the_second_set_without_it_and_takes_its_callers_along()
{
    let stage = Stage::ready().await;
    stage.issuer.publish(jwks(&[second()]));
    stage.refreshed().await;
    assert_eq!(sets_of(&stage), [first().kid(), second().kid()]);
    let token = stage.tokens.user(first());
    let (_, remembered) = stage.door.authenticate_or_fetch(&token).await.unwrap();
    assert!(!remembered);
    let (_, remembered) = stage.door.authenticate_or_fetch(&token).await.unwrap();
    assert!(remembered);
    stage.refreshed().await;
    assert_eq!(sets_of(&stage), [second().kid()]);
    let fresh = stage.tokens.user(first());
    for token in [&token, &fresh] {
        let error = stage.door.authenticate(token).unwrap_err();
        assert!(matches!(error, AuthError::UnknownKey { .. }), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_one_set_forgot_stays() {
    let stage = Stage::ready().await;
    stage.issuer.publish(jwks(&[first(), second()]));
    stage.refreshed().await;
    stage.issuer.publish(jwks(&[first()]));
    stage.refreshed().await;
    stage.issuer.publish(jwks(&[first(), second()]));
    stage.refreshed().await;
    stage.refreshed().await;
    assert_eq!(sets_of(&stage), [first().kid(), second().kid()]);
    assert!(
        stage
            .door
            .authenticate(&stage.tokens.user(second()))
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn a_purge_drops_at_once_what_the_newest_set_does_not_list() {
    let stage = Stage::ready().await;
    stage.issuer.publish(jwks(&[second()]));
    stage.refreshed().await;
    let token = stage.tokens.user(first());
    assert!(stage.enter(&token).await.is_ok());
    let before = stage.issuer.sets();
    stage.cache.purge();
    assert!(stage.door.authenticate(&token).is_err());
    fake::settle().await;
    assert_eq!(stage.issuer.sets(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn another_key_under_a_known_id_ends_what_the_old_one_proved() {
    let stage = Stage::ready().await;
    let token = stage.tokens.user(first());
    assert!(stage.enter(&token).await.is_ok());
    let mut stolen = jwks(&[second()]);
    stolen["keys"][0]["kid"] = first().kid().into();
    stage.issuer.publish(stolen);
    stage.refreshed().await;
    let token = stage.tokens.user(first());
    let error = stage.door.authenticate(&token).unwrap_err();
    assert!(matches!(error, AuthError::Signature { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn every_tenant_has_keys_of_its_own() {
    let both = Tokens::new().profile().allowing_tenants(&[SECOND]).unwrap();
    let issuer = Arc::new(Issuer::new(jwks(&[first()])));
    let stage = Stage::over(Tokens::of(both.clone()), issuer, None);
    stage.cache.tick();
    fake::settle().await;
    assert_eq!(stage.cache.health().len(), 2);
    assert_eq!(stage.issuer.sets(), 2);
    let home = stage.enter(&stage.tokens.user(first())).await.unwrap();
    let at_second = EntraProfile::new(both.cloud(), SECOND, both.client_id()).unwrap();
    let foreign = stage.tokens.user_of(&at_second, first());
    let foreign = stage.enter(&foreign).await.unwrap();
    assert_eq!(foreign.tenant(), SECOND);
    assert_ne!(home.home(), foreign.home());
}

#[test]
fn an_answer_to_a_question_from_before_a_purge_is_asked_for_again() {
    let profile = Tokens::new().profile();
    let now = Moment {
        tick: Duration::from_secs(1),
        wall: Timestamp::from_secs(1_790_000_000),
    };
    let mut ring = Ring::new(profile.tenant(), TokenVersion::V2, now);
    let listing = |keys: &[&DevIssuer]| {
        let jwks = jwks(keys).to_string().into_bytes();
        let set = KeySet::from_jwks(&jwks, &profile).unwrap();
        let etag = None;
        Fetched {
            metadata: None,
            keys: Some(FetchedKeys { set, jwks, etag }),
        }
    };
    ring.start(now);
    ring.succeed(listing(&[first(), second()]), now, 0.5);
    ring.start(now);
    ring.purge(now);
    ring.succeed(listing(&[first(), second()]), now, 0.5);
    assert!(ring.is_due(now));
    ring.start(now);
    let change = ring.succeed(listing(&[second()]), now, 0.5);
    assert_eq!(change.dropped, [Arc::from(first().kid())]);
    assert!(!ring.is_due(now));
    // Later sets are taken with care again.
    ring.start(now);
    let change = ring.succeed(listing(&[first()]), now, 0.5);
    assert!(change.dropped.is_empty());
}
