//! Several credentials in a row: the first that is set up here is who we are, and stays it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use zeroize::Zeroizing;

use super::{ClientCredential, CommandLine, FederatedTokenFile, ManagedIdentity};
use crate::adapters::azure::transport::redaction_is_armed;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::identity::{AccessToken, ClientProof, Cloud, CredentialError, TokenCredential};
use crate::network::HttpClient;
use crate::port::BoxFuture;

/// Asks one credential after the other. One that is not set up here is passed over; the first that gives a token, or fails
/// for another reason, is the one: a process whose managed identity is slow later on does not become the developer who once
/// signed in on that machine. Where `AZURE_CLIENT_ID` names an identity, a slow endpoint counts as such a reason from the start.
pub struct CredentialChain {
    links: Vec<Arc<dyn TokenCredential>>,
    chosen: OnceLock<Arc<dyn TokenCredential>>,
}

impl CredentialChain {
    /// These, in this order.
    #[must_use]
    pub fn new(links: Vec<Arc<dyn TokenCredential>>) -> Self {
        Self {
            links,
            chosen: OnceLock::new(),
        }
    }

    /// What a process on Azure or on a developer's machine has: a client secret in the environment, workload identity, a
    /// managed identity, Azure CLI, Azure Developer CLI. `env` looks up a variable; empty ones count as not set.
    ///
    /// The guard behind `http` must let the requests through: [`Guard::for_identity`](crate::network::Guard::for_identity),
    /// and [`with_identity_endpoint`](crate::network::Guard::with_identity_endpoint) if `IDENTITY_ENDPOINT` is set.
    ///
    /// # Errors
    /// [`Code::Config`] if the SDK's redaction is off, or `AZURE_AUTHORITY_HOST` names another cloud than `cloud`.
    pub fn default_for(
        cloud: Cloud,
        http: &Arc<dyn HttpClient>,
        clock: &Arc<dyn Clock>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut chain = Self::without_people(cloud, http, clock, env)?;
        chain.links.push(Arc::new(CommandLine::azure_cli()));
        chain
            .links
            .push(Arc::new(CommandLine::azure_developer_cli()));
        Ok(chain)
    }

    /// The same without the command lines: in production nobody is to be whoever signed in on the machine.
    ///
    /// # Errors
    /// As [`default_for`](Self::default_for).
    pub fn without_people(
        cloud: Cloud,
        http: &Arc<dyn HttpClient>,
        clock: &Arc<dyn Clock>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        redaction_is_armed()?;
        let env = |name: &str| env(name).filter(|value| !value.is_empty());
        refuse_foreign_authority(cloud, &env)?;
        let application = Application {
            cloud,
            http,
            clock,
            env: &env,
        };
        let managed = ManagedIdentity::from_env(Arc::clone(http), Arc::clone(clock), &env);
        Ok(Self::new(vec![
            or_absent(SECRET, application.by_secret()),
            or_absent(WORKLOAD, application.by_token_file()),
            or_absent("managed identity", managed),
        ]))
    }

    async fn ask(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        if let Some(chosen) = self.chosen.get() {
            return chosen.get_token(scope).await;
        }
        let mut reasons = Vec::new();
        for link in &self.links {
            match link.get_token(scope).await {
                Err(CredentialError::NotSetUp { credential, reason }) => {
                    reasons.push(format!("{credential}: {reason}"));
                }
                outcome => {
                    let chosen = self.chosen.get_or_init(|| Arc::clone(link));
                    if Arc::ptr_eq(chosen, link) {
                        return outcome;
                    }
                    // Another call for another scope chose first; there is one identity for all scopes.
                    return chosen.get_token(scope).await;
                }
            }
        }
        Err(CredentialError::NotSetUp {
            credential: "an identity of this process".to_owned(),
            reason: reasons.join("; "),
        })
    }
}

impl TokenCredential for CredentialChain {
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(self.ask(scope))
    }

    fn name(&self) -> &str {
        self.chosen
            .get()
            .map_or("credential chain", |chosen| chosen.name())
    }

    fn forget(&self) {
        for link in &self.links {
            link.forget();
        }
    }
}

impl fmt::Debug for CredentialChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.links.iter().map(|link| link.name());
        f.debug_struct("CredentialChain")
            .field("links", &names.collect::<Vec<_>>())
            .field("chosen", &self.chosen.get().map(|chosen| chosen.name()))
            .finish()
    }
}

/// A link that is not set up, with its reason: it stands in the chain so that the chain's error names it.
#[derive(Debug)]
struct Absent {
    name: &'static str,
    reason: String,
}

impl TokenCredential for Absent {
    fn get_token<'a>(
        &'a self,
        _scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async {
            Err(CredentialError::NotSetUp {
                credential: self.name.to_owned(),
                reason: self.reason.clone(),
            })
        })
    }

    fn name(&self) -> &str {
        self.name
    }
}

fn or_absent<C: TokenCredential + 'static>(
    name: &'static str,
    made: Result<C, String>,
) -> Arc<dyn TokenCredential> {
    match made {
        Ok(credential) => Arc::new(credential),
        Err(reason) => Arc::new(Absent { name, reason }),
    }
}

/// The application that the environment names, proven by what one variable holds.
struct Application<'a> {
    cloud: Cloud,
    http: &'a Arc<dyn HttpClient>,
    clock: &'a Arc<dyn Clock>,
    env: &'a dyn Fn(&str) -> Option<String>,
}

impl Application<'_> {
    fn by_secret(&self) -> Result<ClientCredential, String> {
        let proof = |secret| ClientProof::Secret(Zeroizing::new(secret));
        self.by(SECRET, "AZURE_CLIENT_SECRET", proof)
    }

    /// With the variables that the webhook of Kubernetes sets (Microsoft Learn, "Use Microsoft Entra Workload ID with AKS").
    fn by_token_file(&self) -> Result<ClientCredential, String> {
        let proof = |file| ClientProof::Assertion(Arc::new(FederatedTokenFile::new(file)));
        self.by(WORKLOAD, "AZURE_FEDERATED_TOKEN_FILE", proof)
    }

    fn by(
        &self,
        name: &'static str,
        variable: &str,
        proof: impl FnOnce(String) -> ClientProof,
    ) -> Result<ClientCredential, String> {
        let [tenant, client] = application(self.env)?;
        let proof = proof(required(self.env, variable)?);
        let made =
            ClientCredential::new(self.cloud, &tenant, &client, proof, self.http, self.clock);
        Ok(made.named(name))
    }
}

fn application(env: &dyn Fn(&str) -> Option<String>) -> Result<[String; 2], String> {
    let tenant = required(env, "AZURE_TENANT_ID")?;
    let client = required(env, "AZURE_CLIENT_ID")?;
    Ok([tenant, client])
}

fn required(env: &dyn Fn(&str) -> Option<String>, name: &str) -> Result<String, String> {
    env(name).ok_or_else(|| format!("{name} is not set"))
}

/// A secret goes to the configured cloud, wherever a variable points.
fn refuse_foreign_authority(cloud: Cloud, env: &dyn Fn(&str) -> Option<String>) -> Result<()> {
    let Some(authority) = env("AZURE_AUTHORITY_HOST") else {
        return Ok(());
    };
    let host = authority.strip_prefix("https://").unwrap_or(&authority);
    if cloud.is_login_host(host.trim_end_matches('/')) {
        return Ok(());
    }
    let own = cloud.login_host();
    let shown: String = authority.escape_default().take(100).collect();
    let message = format!("AZURE_AUTHORITY_HOST is `{shown}`, but Entra of this cloud is `{own}`");
    Err(Error::new(Code::Config, message)
        .with_help("configure the cloud that the process runs in, or unset the variable"))
}

const SECRET: &str = "client secret of the environment";
const WORKLOAD: &str = "workload identity";
