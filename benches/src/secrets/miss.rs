//! A secret that is not there yet: Key Vault over TLS on loopback, through the guarded client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use zt_azure_simulator::{KeyVault, Options, Simulator};
use zt_core::adapters::azure::{ClientCredential, GuardedHttp, KeyVaultSecrets};
use zt_core::clock::{Clock, SystemClock};
use zt_core::identity::{ClientProof, Cloud, OwnIdentity, TokenCredential};
use zt_core::network::{Destination, Guard, HttpClient};
use zt_core::secrets::{Attempt, AttemptId, SecretId, SecretRequest, SecretVault as _, Secrets};

use super::line;
use crate::Outcome;
use crate::harness::{Case, Effort, compare};
use crate::report::time;
use crate::world::World;

pub const TENANT: &str = "11111111-1111-4111-8111-111111111111";
/// The application itself, which may read the whole vault, and what it proves itself with in the simulator alone.
pub const CLIENT: &str = "d0000000-0000-4000-8000-000000000001";
const PROOF: &str = "sample-secret-of-the-simulator";
const VAULT: &str = "kv-brindlewick-prod";
pub const SECRET: &str = "bureau-api-key";
/// Who all want the same secret at once.
const READERS: usize = 1_000;
/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// Key Vault, Entra and the way to them.
pub struct Cloudlet {
    pub sim: Simulator,
}

impl Cloudlet {
    pub fn new() -> Outcome<Self> {
        let sim = Simulator::start(Options::new())?;
        Ok(Self { sim })
    }

    fn vault(&self) -> KeyVault<'_> {
        self.sim.vault(VAULT)
    }

    fn id(&self) -> Outcome<SecretId> {
        Ok(SecretId::new(self.vault().url().parse()?, SECRET.parse()?))
    }

    /// A client that has no connection, no challenge and no token yet.
    fn client(&self) -> Outcome<KeyVaultSecrets> {
        let http = self.http()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let identity = OwnIdentity::new(credential(&http, &clock), Arc::clone(&clock));
        let identity = Arc::new(identity);
        Ok(KeyVaultSecrets::new(http, identity, Cloud::Public, clock))
    }

    /// What proves to Entra who the process is; it has no token yet.
    pub fn credential(&self) -> Outcome<Arc<dyn TokenCredential>> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Ok(credential(&self.http()?, &clock))
    }

    fn http(&self) -> Outcome<Arc<dyn HttpClient>> {
        let (vault, at) = (self.vault(), self.sim.https_addr());
        let host = vault.host();
        let guard = Guard::for_identity(Cloud::Public)
            .with(Destination::public("measured", host))
            .dialling("login.microsoftonline.com", at)
            .dialling(host, at);
        let ca = self.sim.ca_pem().as_bytes();
        Ok(Arc::new(GuardedHttp::trusting_only(guard, ca)?))
    }
}

fn credential(http: &Arc<dyn HttpClient>, clock: &Arc<dyn Clock>) -> Arc<dyn TokenCredential> {
    let proof = ClientProof::Secret(PROOF.to_owned().into());
    let cloud = Cloud::Public;
    Arc::new(ClientCredential::new(
        cloud, TENANT, CLIENT, proof, http, clock,
    ))
}

pub fn markdown(effort: Effort) -> Outcome<String> {
    let (world, cloudlet) = (World::new()?, Cloudlet::new()?);
    let mut text = String::from(
        "\n## A miss, Key Vault over TLS on loopback\n\n| what | median | least |\n|---|---:|---:|\n",
    );
    let kept = kept(&world, &cloudlet, effort)?;
    text.push_str(&format!(
        "| `KeyVaultSecrets::fetch`, connection and token kept | {} | {} |\n",
        time(kept.0),
        time(kept.1)
    ));
    let first = repeated(effort, || first(&world, &cloudlet))?;
    line(
        &mut text,
        "the first fetch: two connections, challenge, token",
        first,
    );
    let mut calls = Vec::new();
    let herds = repeated(effort, || {
        let (took, asked) = herd(&world, &cloudlet)?;
        calls.push(asked);
        Ok(took)
    })?;
    line(
        &mut text,
        "1,000 readers at once, until the last has it",
        herds,
    );
    if calls.iter().any(|calls| *calls != 1) {
        return Err(
            format!("the vault was asked {calls:?} times for 1,000 readers at once").into(),
        );
    }
    text.push_str(&format!(
        "\nThe vault's log has 1 call for the {READERS} readers, in each of {} runs.\n",
        calls.len()
    ));
    Ok(text)
}

fn repeated(effort: Effort, mut run: impl FnMut() -> Outcome<Duration>) -> Outcome<Vec<Duration>> {
    (0..effort.runs()).map(|_| run()).collect()
}

fn attempt(number: usize) -> Attempt {
    let id = AttemptId::from_u128(u128::try_from(number).unwrap_or(0));
    Attempt::new(id, DEADLINE)
}

/// Median and least of fetches one after the other.
fn kept(world: &World, cloudlet: &Cloudlet, effort: Effort) -> Outcome<(Duration, Duration)> {
    let (client, id) = (cloudlet.client()?, cloudlet.id()?);
    let _first = world.executor.block_on(client.fetch(&id, &attempt(0)))?;
    let (mut number, mut failed) = (0, 0);
    let fetch = || {
        number += 1;
        let fetched = world.executor.block_on(client.fetch(&id, &attempt(number)));
        failed += usize::from(fetched.is_err());
    };
    let group = compare("", effort, vec![Case::new("fetch", fetch)]);
    if failed > 0 {
        return Err(format!("{failed} fetches failed").into());
    }
    cloudlet.sim.clear_requests();
    let measured = group.measured.first().ok_or("one case")?;
    Ok((measured.median, measured.least))
}

fn first(world: &World, cloudlet: &Cloudlet) -> Outcome<Duration> {
    let (client, id) = (cloudlet.client()?, cloudlet.id()?);
    let began = Instant::now();
    let fetched = world.executor.block_on(client.fetch(&id, &attempt(0)))?;
    let took = began.elapsed();
    drop(fetched);
    Ok(took)
}

/// How long until all have it, and how often the vault was asked.
fn herd(world: &World, cloudlet: &Cloudlet) -> Outcome<(Duration, usize)> {
    let client = cloudlet.client()?;
    let clock = Arc::new(SystemClock::new());
    let secrets = Arc::new(Secrets::new(Arc::new(client), clock));
    let request = SecretRequest::new(cloudlet.id()?);
    secrets.declare([request.clone()]);
    cloudlet.sim.clear_requests();
    let took = world.executor.block_on(async {
        let start = Arc::new(Barrier::new(READERS + 1));
        let readers: Vec<_> = (0..READERS)
            .map(|_| {
                let (secrets, request) = (Arc::clone(&secrets), request.clone());
                let start = Arc::clone(&start);
                tokio::spawn(async move {
                    start.wait().await;
                    secrets.get(&request).await.map(drop)
                })
            })
            .collect();
        start.wait().await;
        let began = Instant::now();
        for reader in readers {
            reader.await??;
        }
        Outcome::Ok(began.elapsed())
    })?;
    Ok((took, cloudlet.vault().secret_gets(SECRET)))
}
