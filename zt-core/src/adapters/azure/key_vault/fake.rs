//! Key Vault and an identity, played in memory.

pub(in crate::adapters::azure) mod keys;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use crate::adapters::azure::{KeyVaultKeys, KeyVaultSecrets};
use crate::clock::{Clock, Timestamp};
use crate::identity::{AccessToken, Cloud, CredentialError, TokenCredential};
use crate::network::{
    HttpClient, HttpError, HttpMethod, HttpRequest, HttpResponse, PathKind, PathProof,
};
use crate::port::BoxFuture;
use crate::secrets::{SecretId, SecretVault, SecretVersion, Validity};
use crate::testing::ManualClock;
use crate::testing::vault_contract::Seed;

pub(in crate::adapters::azure) const CHALLENGE: &str = r#"Bearer authorization="https://login.microsoftonline.com/33333333-3333-4333-8333-333333333333", resource="https://vault.azure.net""#;

/// What a fake does next instead of playing Key Vault.
#[derive(Debug)]
pub(in crate::adapters::azure) enum Next {
    Answer(HttpResponse),
    Fail(HttpError),
    Hang,
}

/// The vaults behind one HTTP client.
#[derive(Debug)]
pub(in crate::adapters::azure) struct Azure {
    pub(in crate::adapters::azure) asked: Mutex<Vec<HttpRequest>>,
    /// For requests without a token, then for those with one.
    pub(in crate::adapters::azure) next: [Mutex<VecDeque<Next>>; 2],
    pub(in crate::adapters::azure) challenge: Mutex<String>,
    pub(in crate::adapters::azure) peer: Mutex<&'static str>,
    pub(in crate::adapters::azure) revoked: Mutex<Vec<String>>,
    pub(in crate::adapters::azure) held: watch::Sender<bool>,
    secrets: Mutex<BTreeMap<(String, String), Vec<Stored>>>,
    pub(in crate::adapters::azure) keys: keys::Keys,
}

#[derive(Debug, Clone)]
struct Stored {
    id: String,
    version: SecretVersion,
    value: String,
    validity: Validity,
}

impl Azure {
    fn new() -> Self {
        Self {
            asked: Mutex::default(),
            next: [Mutex::default(), Mutex::default()],
            challenge: Mutex::new(CHALLENGE.to_owned()),
            peer: Mutex::new("10.20.4.4:443"),
            revoked: Mutex::default(),
            held: watch::Sender::new(false),
            secrets: Mutex::default(),
            keys: keys::Keys::default(),
        }
    }

    pub(in crate::adapters::azure) fn then(&self, next: Next) {
        self.next[1].lock().unwrap().push_back(next);
    }

    pub(in crate::adapters::azure) fn then_unasked(&self, next: Next) {
        self.next[0].lock().unwrap().push_back(next);
    }

    /// How many requests came without and with a token.
    pub(in crate::adapters::azure) fn counts(&self) -> [usize; 2] {
        let asked = self.asked.lock().unwrap();
        let with = asked.iter().filter(|request| token(request).is_some());
        let with = with.count();
        [asked.len() - with, with]
    }

    fn play(&self, request: &HttpRequest) -> HttpResponse {
        let Some(token) = token(request) else {
            return json_answer(401, r#"{"error":{"code":"Unauthorized"}}"#)
                .with_header("www-authenticate", self.challenge.lock().unwrap().as_str());
        };
        if self.revoked.lock().unwrap().contains(&token) {
            return json_answer(
                401,
                r#"{"error":{"code":"Unauthorized","message":"needle"}}"#,
            )
            .with_header("www-authenticate", CHALLENGE);
        }
        if request.url.contains(".net/keys/") {
            return self.keys.play(request);
        }
        if request.method != HttpMethod::Get {
            return self.write(request);
        }
        let (host, name, version) = parts(&request.url);
        let secrets = self.secrets.lock().unwrap();
        let versions = secrets.get(&(host, name)).map_or(&[][..], Vec::as_slice);
        let found = match version {
            None => versions.last(),
            Some(pinned) => versions
                .iter()
                .find(|one| one.version.to_string() == pinned),
        };
        match found {
            None => refused(404, "SecretNotFound", None),
            Some(one) if !one.validity.enabled => refused(403, "Forbidden", Some("SecretDisabled")),
            Some(one) => json_answer(200, &one.bundle()),
        }
    }

    fn write(&self, request: &HttpRequest) -> HttpResponse {
        let url = url::Url::parse(&request.url).unwrap();
        let host = url.host_str().unwrap().to_owned();
        let segments: Vec<&str> = url.path_segments().unwrap().collect();
        let mut secrets = self.secrets.lock().unwrap();
        match (request.method.as_str(), &segments[..]) {
            ("PUT", ["secrets", name]) => {
                let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
                let attributes = &body["attributes"];
                let date = |name: &str| attributes[name].as_i64().map(Timestamp::from_secs);
                let mut validity = Validity::ALWAYS;
                validity.enabled = attributes["enabled"].as_bool().unwrap();
                (validity.not_before, validity.expires) = (date("nbf"), date("exp"));
                let versions = secrets.entry((host.clone(), name.to_ascii_lowercase()));
                let versions = versions.or_default();
                let one = Stored {
                    id: format!("https://{host}/secrets/{name}"),
                    version: SecretVersion::from_u128(0xdef0 + versions.len() as u128),
                    value: body["value"].as_str().unwrap().to_owned(),
                    validity,
                };
                versions.push(one.clone());
                json_answer(200, &one.bundle())
            }
            ("DELETE", ["secrets", name]) => {
                match secrets.remove(&(host, name.to_ascii_lowercase())) {
                    Some(_) => json_answer(200, "{}"),
                    None => refused(404, "SecretNotFound", None),
                }
            }
            ("DELETE", ["deletedsecrets", _]) => HttpResponse::new(204, ""),
            other => panic!("{other:?} is not an operation of Key Vault"),
        }
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let with_token = token(&request).is_some();
        self.asked.lock().unwrap().push(request.clone());
        tokio::task::yield_now().await;
        let mut held = self.held.subscribe();
        held.wait_for(|held| !held).await.unwrap();
        let next = self.next[usize::from(with_token)]
            .lock()
            .unwrap()
            .pop_front();
        let mut answer = match next {
            None => self.play(&request),
            Some(Next::Answer(answer)) => answer,
            Some(Next::Fail(error)) => return Err(error),
            Some(Next::Hang) => std::future::pending().await,
        };
        answer.peer = Some(self.peer.lock().unwrap().parse().unwrap());
        answer.path = Some(PathProof::new(PathKind::PrivateLink).through("/sub/pe-loans"));
        Ok(answer)
    }
}

impl HttpClient for Azure {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(self.answer(request))
    }
}

impl Stored {
    fn bundle(&self) -> String {
        let seconds = |at: Option<Timestamp>| at.map(Timestamp::as_secs);
        let mut attributes = json!({
            "enabled": self.validity.enabled,
            "created": 1_700_000_000, "updated": 1_700_000_000, "recoveryLevel": "Recoverable",
        });
        for (name, at) in [
            ("nbf", self.validity.not_before),
            ("exp", self.validity.expires),
        ] {
            if let Some(seconds) = seconds(at) {
                attributes[name] = seconds.into();
            }
        }
        json!({
            "value": self.value,
            "id": format!("{}/{}", self.id, self.version),
            "contentType": "text/plain", "tags": {"team": "loans"},
            "attributes": attributes,
        })
        .to_string()
    }
}

pub(in crate::adapters::azure) fn json_answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse::new(status, body)
        .with_header("content-type", "application/json; charset=utf-8")
        .with_header("x-ms-request-id", "request-17")
        .with_header("x-ms-keyvault-region", "westeurope")
        .with_header("x-ms-keyvault-rbac-assignment-id", "assignment-3")
}

/// A refusal as Key Vault writes them: with escapes, and with what must not get into a log.
pub(in crate::adapters::azure) fn refused(
    status: u16,
    code: &str,
    inner: Option<&str>,
) -> HttpResponse {
    let mut error = json!({ "code": code, "message": "Caller is not authorized\r\nneedle appid=1; oid=2; ip=3" });
    if let Some(inner) = inner {
        error["innererror"] = json!({ "code": inner });
    }
    json_answer(status, &json!({ "error": error }).to_string())
}

pub(in crate::adapters::azure) fn header(request: &HttpRequest, name: &str) -> Option<String> {
    let found = request.headers.iter().find(|(own, _)| own == name);
    found.map(|(_, value)| value.as_str().to_owned())
}

fn token(request: &HttpRequest) -> Option<String> {
    let value = header(request, "authorization")?;
    value.strip_prefix("Bearer ").map(str::to_owned)
}

/// Host, folded name, version.
pub(in crate::adapters::azure) fn parts(url: &str) -> (String, String, Option<String>) {
    let url = url::Url::parse(url).unwrap();
    let segments: Vec<&str> = url.path_segments().unwrap().collect();
    let ["secrets", name, version] = segments[..] else {
        panic!("{url} is not the URL of a secret");
    };
    let version = (!version.is_empty()).then(|| version.to_owned());
    (
        url.host_str().unwrap().to_owned(),
        name.to_ascii_lowercase(),
        version,
    )
}

/// An identity that counts.
#[derive(Debug)]
pub(in crate::adapters::azure) struct Tokens {
    pub(in crate::adapters::azure) given: AtomicUsize,
    pub(in crate::adapters::azure) forgotten: AtomicUsize,
    pub(in crate::adapters::azure) scopes: Mutex<Vec<String>>,
    pub(in crate::adapters::azure) next: Mutex<VecDeque<CredentialError>>,
    pub(in crate::adapters::azure) ends: Mutex<Timestamp>,
    pub(in crate::adapters::azure) takes: Mutex<Duration>,
}

impl TokenCredential for Tokens {
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async move {
            self.scopes.lock().unwrap().push(scope.to_owned());
            tokio::task::yield_now().await;
            let takes = *self.takes.lock().unwrap();
            if !takes.is_zero() {
                tokio::time::sleep(takes).await;
            }
            if let Some(error) = self.next.lock().unwrap().pop_front() {
                return Err(error);
            }
            self.given.fetch_add(1, Ordering::SeqCst);
            // As an identity that keeps tokens: the same one until it is told to forget.
            let number = self.forgotten.load(Ordering::SeqCst);
            let token = format!("zt-needle-token-{number}");
            Ok(AccessToken::new(token, *self.ends.lock().unwrap()))
        })
    }

    fn name(&self) -> &str {
        "fake identity"
    }

    fn forget(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
    }
}

/// The adapters between both.
#[derive(Debug)]
pub(in crate::adapters::azure) struct World {
    pub(in crate::adapters::azure) azure: Arc<Azure>,
    pub(in crate::adapters::azure) tokens: Arc<Tokens>,
    pub(in crate::adapters::azure) clock: Arc<ManualClock>,
    pub(in crate::adapters::azure) vault: KeyVaultSecrets,
    pub(in crate::adapters::azure) wrapper: KeyVaultKeys,
}

impl World {
    pub(in crate::adapters::azure) fn new() -> Self {
        Self::with(|vault| vault)
    }

    pub(in crate::adapters::azure) fn with(
        change: impl FnOnce(KeyVaultSecrets) -> KeyVaultSecrets,
    ) -> Self {
        let azure = Arc::new(Azure::new());
        let tokens = Arc::new(Tokens {
            given: AtomicUsize::new(0),
            forgotten: AtomicUsize::new(0),
            scopes: Mutex::default(),
            next: Mutex::default(),
            // The SDK asks the system's clock whether a token ends.
            ends: Mutex::new("2999-01-01T00:00:00Z".parse().unwrap()),
            takes: Mutex::default(),
        });
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)));
        let vault = KeyVaultSecrets::new(
            Arc::<Azure>::clone(&azure),
            Arc::<Tokens>::clone(&tokens),
            Cloud::Public,
            Arc::<ManualClock>::clone(&clock) as Arc<dyn Clock>,
        );
        let wrapper = KeyVaultKeys::new(
            Arc::<Azure>::clone(&azure),
            Arc::<Tokens>::clone(&tokens),
            Cloud::Public,
            Arc::<ManualClock>::clone(&clock) as Arc<dyn Clock>,
        );
        Self {
            azure,
            tokens,
            clock,
            vault: change(vault),
            wrapper,
        }
    }

    pub(in crate::adapters::azure) fn text(&self, id: &SecretId, value: &str) -> SecretVersion {
        self.put(id, value.as_bytes(), Validity::ALWAYS)
    }

    pub(in crate::adapters::azure) fn given(&self) -> usize {
        self.tokens.given.load(Ordering::SeqCst)
    }

    pub(in crate::adapters::azure) fn forgotten(&self) -> usize {
        self.tokens.forgotten.load(Ordering::SeqCst)
    }

    pub(in crate::adapters::azure) fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

impl SecretVault for World {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        attempt: &'a crate::secrets::Attempt,
    ) -> BoxFuture<'a, Result<crate::secrets::Fetched, crate::secrets::VaultError>> {
        self.vault.fetch(id, attempt)
    }
}

impl Seed for World {
    fn put(&self, id: &SecretId, value: &[u8], validity: Validity) -> SecretVersion {
        let key = (
            id.vault().host().to_owned(),
            id.name().as_str().to_ascii_lowercase(),
        );
        let mut secrets = self.azure.secrets.lock().unwrap();
        let versions = secrets.entry(key).or_default();
        let version = SecretVersion::from_u128(0xabc0 + versions.len() as u128);
        versions.push(Stored {
            id: format!("{}/secrets/{}", id.vault(), id.name()),
            version,
            value: String::from_utf8(value.to_vec()).unwrap(),
            validity,
        });
        version
    }

    fn takes_bytes(&self) -> bool {
        false
    }
}
