//! A running simulator: its addresses, and everything that a test may tell it.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::cloud::Cloud;
use crate::directory::Directory;
use crate::error::Error;
use crate::fault::Fault;
use crate::monitor::LogsIngestion;
use crate::options::Options;
use crate::request_log::Request;
use crate::state::State;
use crate::tls::Tls;
use crate::token::{self, TokenOptions};
use crate::vault::KeyVault;
use crate::{entra, federated, server};

/// Azure on loopback, on threads of its own; dropping it stops it.
///
/// ```
/// use zt_azure_simulator::{Options, Simulator, TokenOptions};
///
/// let sim = Simulator::start(Options::new())?;
/// let token = sim.token_for("maya", &TokenOptions::new())?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), zt_azure_simulator::Error>(())
/// ```
pub struct Simulator {
    state: Arc<State>,
    ca: Vec<u8>,
    ca_pem: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts it and waits until it serves. Blocks for well under a second, which is the making of two keys; it needs no
    /// runtime of the caller's.
    ///
    /// # Errors
    /// A port is taken, or the system gives no keys or threads.
    pub fn start(options: Options) -> Result<Self, Error> {
        let tls = Tls::new()?;
        let (ca, ca_pem) = (tls.ca.to_vec(), tls.ca_pem.clone());
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let serve = move || run(options, &tls, &tell, stopped);
        let thread = std::thread::Builder::new()
            .name("azure-simulator".to_owned())
            .spawn(serve)
            .map_err(|why| Error::new(format!("no thread: {why}")))?;
        let state = told
            .recv()
            .map_err(|_| Error::new("the simulator ended before it began"))??;
        Ok(Self {
            state,
            ca,
            ca_pem,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The certificate of its authority, in DER. It is another one each time.
    #[must_use]
    pub fn ca_der(&self) -> &[u8] {
        &self.ca
    }

    /// The same in PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Where Entra and Graph are, over TLS: connect here for every Azure host, with that host in SNI and `Host`.
    #[must_use]
    pub fn https_addr(&self) -> SocketAddr {
        self.state.https
    }

    /// Where managed identities and the control interface are, without TLS.
    #[must_use]
    pub fn http_addr(&self) -> SocketAddr {
        self.state.http
    }

    /// What App Service gives in `IDENTITY_ENDPOINT`.
    #[must_use]
    pub fn identity_endpoint(&self) -> String {
        format!("http://{}/msi/token", self.state.http)
    }

    /// What App Service gives in `IDENTITY_HEADER`.
    #[must_use]
    pub fn identity_header(&self) -> &str {
        &self.state.identity_header
    }

    /// A token for a person or a workload, as Entra would issue it, without asking over the network.
    ///
    /// # Errors
    /// Nobody has this name, or there is no such application or key.
    pub fn token_for(&self, name: &str, options: &TokenOptions) -> Result<String, Error> {
        token::mint(&self.state, name, options)
    }

    /// Signs any claims with a key of the ring, however wrong they are. Without a kid, with the current key.
    ///
    /// # Errors
    /// There is no such key.
    pub fn sign(&self, claims: &serde_json::Value, kid: Option<&str>) -> Result<String, Error> {
        token::sign(&self.state, kid, false, claims)
    }

    /// What a cluster projects into the pod of a workload that has a federated credential.
    ///
    /// # Errors
    /// The workload has none.
    pub fn federated_token(&self, name: &str) -> Result<String, Error> {
        federated::token(&self.state, name)
    }

    /// Looks at the directory. The closure must not call the simulator: it holds the directory.
    pub fn look<T>(&self, look: impl FnOnce(&Directory) -> T) -> T {
        look(&self.state.directory())
    }

    /// Changes the directory: the next request sees it. The closure must not call the simulator: it holds the directory.
    pub fn change<T>(&self, change: impl FnOnce(&mut Directory) -> T) -> T {
        change(&mut self.state.directory_mut())
    }

    /// Signs with another key from now on: the one published ahead, or a new one. Returns its kid.
    ///
    /// # Errors
    /// The system gives no key.
    pub fn rotate(&self) -> Result<String, Error> {
        let key = self.state.keys_mut().rotate()?;
        Ok(key.kid().to_owned())
    }

    /// Publishes a key that does not sign yet. Returns its kid.
    ///
    /// # Errors
    /// The system gives no key.
    pub fn publish_ahead(&self) -> Result<String, Error> {
        let key = self.state.keys_mut().publish_ahead()?;
        Ok(key.kid().to_owned())
    }

    /// Takes a key out of the published set.
    ///
    /// # Errors
    /// No published key has this kid, or it is the last.
    pub fn retire(&self, kid: &str) -> Result<(), Error> {
        self.state.keys_mut().retire(kid)
    }

    /// Lists a key of another cloud in the public set, as the real one does. Returns its kid, which
    /// [`TokenOptions::signed_with`] takes.
    ///
    /// # Errors
    /// The system gives no key.
    pub fn foreign_keys(&self) -> Result<String, Error> {
        let key = self.state.keys_mut().add_foreign()?;
        Ok(key.kid().to_owned())
    }

    /// The kids in the published set, oldest first, without foreign ones.
    #[must_use]
    pub fn published_keys(&self) -> Vec<String> {
        let keys = self.state.keys();
        keys.published()
            .iter()
            .map(|key| key.kid().to_owned())
            .collect()
    }

    /// The public cloud's v2.0 key set, as the network would answer it: for pinned keys.
    #[must_use]
    pub fn jwks(&self) -> String {
        entra::key_set(&self.state, Cloud::Public, false).to_string()
    }

    /// The kid that signs now.
    #[must_use]
    pub fn current_key(&self) -> String {
        self.state.keys().current().kid().to_owned()
    }

    /// Lets the next `times` requests below a path go wrong; [`u32::MAX`] is until [`Self::clear_faults`]. A prefix without a
    /// slash at its start begins with the host: `graph.microsoft.com/v1.0`. The first fault that fits is used up first.
    pub fn fault(&self, prefix: &str, fault: Fault, times: u32) {
        if times > 0 {
            self.state.faults().add(prefix, fault, times);
        }
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.state.faults().clear();
    }

    /// Every request since the start or the last [`Self::clear_requests`], without those to the control interface.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state.log().all()
    }

    /// How many requests went below a path.
    #[must_use]
    pub fn count(&self, prefix: &str) -> usize {
        let all = self.requests();
        all.iter()
            .filter(|one| one.path.starts_with(prefix))
            .count()
    }

    /// Empties the request log.
    pub fn clear_requests(&self) {
        self.state.log().clear();
    }

    /// Signs a person in on the device that shows this code.
    ///
    /// # Errors
    /// Nobody waits for the code, or that person may not sign in.
    pub fn approve(&self, user_code: &str, name: &str) -> Result<(), Error> {
        entra::approve(&self.state, user_code, name)
    }

    /// Refuses the sign-in on the device that shows this code.
    ///
    /// # Errors
    /// Nobody waits for the code.
    pub fn decline(&self, user_code: &str) -> Result<(), Error> {
        entra::decline(&self.state, user_code)
    }

    /// Codes that wait for a person.
    #[must_use]
    pub fn waiting_codes(&self) -> Vec<String> {
        self.state.devices().waiting()
    }

    /// The vault of this short name (of the public cloud) or host. Whether it was made is seen when it is used.
    #[must_use]
    pub fn vault(&self, name: &str) -> KeyVault<'_> {
        KeyVault::new(&self.state, name)
    }

    /// Makes an empty vault in the first tenant, reached over the private endpoint `pe-NAME`; one that is there stays as it is.
    ///
    /// # Errors
    /// A vault cannot have this name.
    pub fn make_vault(&self, name: &str) -> Result<KeyVault<'_>, Error> {
        let vault = self.vault(name);
        vault.make()?;
        Ok(vault)
    }

    /// The sample data collection rule of Azure Monitor, and the rows that it took.
    #[must_use]
    pub fn logs_ingestion(&self) -> LogsIngestion<'_> {
        LogsIngestion::new(&self.state)
    }

    /// The hosts of all vaults.
    #[must_use]
    pub fn vaults(&self) -> Vec<String> {
        let vaults = self.state.vaults();
        vaults.all().map(|vault| vault.host.clone()).collect()
    }

    /// The simulator's time, in seconds since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.state.clock.now()
    }

    /// Moves its clock ahead.
    pub fn advance(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        self.state.clock.advance(seconds);
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so already.
            let _ended = thread.join();
        }
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("https", &self.state.https)
            .field("http", &self.state.http)
            .finish_non_exhaustive()
    }
}

/// The life of the simulator's thread.
fn run(
    options: Options,
    tls: &Tls,
    tell: &mpsc::Sender<Result<Arc<State>, Error>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("azure-simulator")
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(why) => {
            let _nobody_waits = tell.send(Err(Error::new(format!("no runtime: {why}"))));
            return;
        }
    };
    let begun = runtime.block_on(begin(options, tls));
    let is_serving = begun.is_ok();
    if tell.send(begun).is_ok() && is_serving {
        // Ends when the simulator is dropped.
        let _dropped = runtime.block_on(stopped);
    }
    runtime.shutdown_timeout(Duration::from_millis(200));
}

async fn begin(options: Options, tls: &Tls) -> Result<Arc<State>, Error> {
    let secure = listen(options.https_port).await?;
    let plain = listen(options.http_port).await?;
    let address = |listener: &TcpListener| {
        let address = listener.local_addr();
        address.map_err(|why| Error::new(format!("no address: {why}")))
    };
    let state = Arc::new(State::new(options, address(&secure)?, address(&plain)?)?);
    let tls = tls.server(Arc::clone(&state))?;
    tokio::spawn(server::serve_tls(secure, tls, Arc::clone(&state)));
    tokio::spawn(server::serve_plain(plain, Arc::clone(&state)));
    Ok(state)
}

async fn listen(port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|why| Error::new(format!("cannot listen on 127.0.0.1:{port}: {why}")))
}
