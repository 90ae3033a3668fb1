use std::sync::Mutex;

use zeroize::Zeroizing;

use super::*;
use crate::clock::Timestamp;
use crate::id::PrincipalId;
use crate::identity::{Authenticator, EntraProfile, Groups, KeySet};
use crate::network::{HttpError, HttpResponse};
use crate::port::BoxFuture;
use crate::testing::{DevIssuer, ManualClock, TokenRequest};

/// Remembers the request, gives one answer.
#[derive(Debug)]
struct Entra {
    asked: Mutex<Vec<HttpRequest>>,
    answer: HttpResponse,
}

impl HttpClient for Entra {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        self.asked.lock().unwrap().push(request);
        Box::pin(async { Ok(self.answer.clone()) })
    }
}

/// A person whom a token of the development issuer proved.
fn person() -> Caller {
    let folder = tempfile::tempdir().unwrap();
    let issuer = DevIssuer::open(folder.path()).unwrap();
    let (tenant, client) = (Guid::from_u128(3), Guid::from_u128(7));
    let profile = EntraProfile::new(Cloud::Development, tenant, client).unwrap();
    let keys = KeySet::from_jwks(issuer.jwks().as_bytes(), &profile).unwrap();
    let now = Timestamp::from_secs(1_790_000_000);
    let request = TokenRequest::user(&profile, Guid::from_u128(9), now);
    let door = Authenticator::new(profile, keys, Arc::new(ManualClock::new(now))).unwrap();
    door.authenticate(&issuer.issue(&request).unwrap()).unwrap()
}

fn exchange(answer: HttpResponse) -> (OnBehalfOf, Arc<Entra>) {
    let entra = Arc::new(Entra {
        asked: Mutex::default(),
        answer,
    });
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)));
    let proof = ClientProof::Secret(Zeroizing::new("hush".to_owned()));
    let http: Arc<dyn HttpClient> = Arc::<Entra>::clone(&entra);
    let client = Guid::from_u128(7);
    (
        OnBehalfOf::new(Cloud::Public, client, proof, http, clock),
        entra,
    )
}

#[tokio::test]
async fn a_person_is_acted_for_with_their_own_token() {
    let answer = r#"{"token_type":"Bearer","expires_in":600,"access_token":"theirs"}"#;
    let (exchange, entra) = exchange(HttpResponse::new(200, answer));
    let caller = person();
    let token = exchange
        .exchange(&caller, "user-token", "api://x/.default")
        .await
        .unwrap();
    assert_eq!(token.reveal(), "theirs");
    let asked = entra.asked.lock().unwrap();
    let url = format!(
        "https://login.microsoftonline.com/{}/oauth2/v2.0/token",
        caller.tenant()
    );
    assert_eq!(asked[0].url, url);
    let body = String::from_utf8(asked[0].body.to_vec()).unwrap();
    for field in [
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer",
        "requested_token_use=on_behalf_of",
        "assertion=user-token",
        "client_secret=hush",
        "scope=api%3A%2F%2Fx%2F.default",
    ] {
        assert!(body.split('&').any(|own| own == field), "{field} in {body}");
    }
    assert!(!format!("{exchange:?}").contains("hush"));
}

#[tokio::test]
async fn nobody_else_is() {
    let (exchange, entra) = exchange(HttpResponse::new(200, "{}"));
    for id in ["user:maya", "sp:job"] {
        let id: PrincipalId = id.parse().unwrap();
        let (tenant, object) = (Guid::from_u128(1), Guid::from_u128(2));
        let asserted = Caller::asserted(tenant, &id, object, Groups::NotInToken).unwrap();
        let refused = exchange
            .exchange(&asserted, "token", "api://x/.default")
            .await;
        assert!(
            matches!(refused, Err(CredentialError::Refused { .. })),
            "{id}"
        );
    }
    assert!(entra.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_claims_challenge_comes_out() {
    let body = r#"{"error":"interaction_required","error_codes":[50079],"claims":"{}"}"#;
    let (exchange, _) = exchange(HttpResponse::new(400, body));
    let caller = person();
    let refused = exchange
        .exchange(&caller, "token", "api://x/.default")
        .await;
    assert!(matches!(
        refused,
        Err(CredentialError::ClaimsRequired { .. })
    ));
}
