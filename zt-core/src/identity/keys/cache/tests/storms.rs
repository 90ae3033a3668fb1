//! Strangers who send key ids that nobody has.

use super::*;

#[tokio::test(start_paused = true)]
async fn ten_thousand_unknown_ids_cost_one_fetch_in_thirty_seconds() {
    let stage = Stage::ready().await;
    stage.pass(Duration::from_secs(60)).await;
    let before = stage.issuer.requests();
    let storm = (0..10_000).map(|n| stage.tokens.stranger(&format!("stranger-{n}")));
    let storm: Vec<String> = storm.collect();
    let mut refused = 0;
    for (n, token) in storm.iter().enumerate() {
        refused += usize::from(stage.enter(token).await.is_err());
        if n % 350 == 349 {
            // Close to thirty seconds in all.
            stage.tokens.advance(Duration::from_secs(1));
        }
    }
    assert_eq!(refused, 10_000);
    assert_eq!(stage.issuer.requests() - before, 1);
    // Known keys are served all the time, and the next half minute allows one more.
    assert!(stage.enter(&stage.tokens.user(first())).await.is_ok());
    stage.tokens.advance(Duration::from_secs(30));
    assert!(stage.enter(&storm[0]).await.is_err());
    assert!(stage.enter(&storm[1]).await.is_err());
    assert_eq!(stage.issuer.requests() - before, 2);
}

#[tokio::test(start_paused = true)]
async fn unknown_ids_at_once_share_one_fetch() {
    let stage = Stage::ready().await;
    stage.pass(Duration::from_secs(60)).await;
    let before = stage.issuer.requests();
    let stage = Arc::new(stage);
    let many = (0..1000).map(|n| {
        let stage = Arc::clone(&stage);
        let token = stage.tokens.stranger(&format!("stranger-{n}"));
        tokio::spawn(async move { stage.enter(&token).await })
    });
    for one in many.collect::<Vec<_>>() {
        let error = one.await.unwrap().unwrap_err();
        assert!(matches!(error, AuthError::UnknownKey { .. }), "{error}");
    }
    assert_eq!(stage.issuer.requests() - before, 1);
}

#[tokio::test(start_paused = true)]
async fn a_day_of_unknown_ids_costs_twelve_fetches_an_hour() {
    let stage = Stage::ready().await;
    for n in 0..6 * 360 {
        stage.pass(Duration::from_secs(10)).await;
        let token = stage.tokens.stranger(&format!("stranger-{n}"));
        assert!(stage.enter(&token).await.is_err());
    }
    let sets = stage.issuer.sets();
    assert!(sets <= 6 * 12 + 8, "{sets} in six hours");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_ours_causes_no_fetch() {
    let stage = Stage::ready().await;
    stage.pass(Duration::from_secs(60)).await;
    let before = stage.issuer.requests();
    let ours = stage.tokens.profile();
    let elsewhere = EntraProfile::new(ours.cloud(), SECOND, ours.client_id());
    let foreign = stage.tokens.user_of(&elsewhere.unwrap(), second());
    let other = Guid::from_u128(9);
    let other = EntraProfile::new(ours.cloud(), ours.tenant(), other).unwrap();
    let wrong_audience = stage.tokens.user_of(&other, second());
    let expired = stage.tokens.user(second());
    for token in [foreign, wrong_audience, "a.b.c".to_owned(), String::new()] {
        assert!(stage.enter(&token).await.is_err());
    }
    stage.tokens.advance(Duration::from_secs(3 * 3600));
    assert!(stage.enter(&expired).await.is_err());
    assert_eq!(stage.issuer.requests(), before);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_was_looked_for_in_vain_is_refused_for_five_minutes_without_a_fetch() {
    let stage = Stage::ready().await;
    stage.pass(Duration::from_secs(60)).await;
    let token = stage.tokens.stranger("nobody");
    let error = stage.enter(&token).await.unwrap_err();
    assert!(matches!(error, AuthError::UnknownKey { .. }), "{error}");
    let before = stage.issuer.requests();
    stage.pass(Duration::from_secs(250)).await;
    assert!(stage.enter(&stage.tokens.stranger("nobody")).await.is_err());
    assert_eq!(stage.issuer.requests(), before);
    stage.pass(Duration::from_secs(60)).await;
    assert!(stage.enter(&stage.tokens.stranger("nobody")).await.is_err());
    assert_eq!(stage.issuer.requests(), before + 1);
}
