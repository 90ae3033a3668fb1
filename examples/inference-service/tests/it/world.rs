//! A copy of the sample world in a folder of the test's own, and the built service on it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use zt_core::id::SecretRef;
use zt_core::metadata::Snapshot;
use zt_core::runtime::{self, Config};
use zt_core::secrets::{SecretId, Validity};
use zt_core::{audit, testing};

use crate::http::{Answer, get, post};

/// The value of the secret: it must stand nowhere.
pub(crate) const NEEDLE: &str = "zt-needle-bureau-5e21";
const SCORE: &str = "/v1/models/car_loan_scorer/score";
/// A test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
const FILES: [&str; 3] = [
    "brindlewick.toml",
    "data/loans.csv",
    "data/loans_reference.csv",
];

/// Nobody listens where the machine's metadata endpoint would: a test has no identity of the machine that it runs on.
const NO_MACHINE: &str = "\n[development]\nazure_plain = \"127.0.0.1:9\"\n";

/// Who may score, who may not, who approves, who opens what was sealed.
pub(crate) struct World {
    folder: TempDir,
    config: Config,
    snapshot: Arc<Snapshot>,
}

impl World {
    /// A world whose vault has no secret yet.
    pub(crate) fn without_secret(settings: &str) -> Self {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../world");
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        for file in FILES {
            fs::copy(sample.join(file), folder.path().join(file)).unwrap();
        }
        let text = fs::read_to_string(sample.join("zt.toml")).unwrap();
        let text = text
            .replace("[vault]", &format!("{settings}\n[vault]"))
            .replace(
                "[development.groups]",
                &format!("{NO_MACHINE}\n[development.groups]"),
            );
        fs::write(folder.path().join("zt.toml"), text).unwrap();
        fs::create_dir(folder.path().join(".zt")).unwrap();
        let config = Config::load(folder.path()).unwrap();
        let executor = tokio::runtime::Runtime::new().unwrap();
        let snapshot = executor
            .block_on(runtime::tables(&config))
            .unwrap()
            .current();
        let world = Self {
            folder,
            config,
            snapshot,
        };
        let vault = runtime::local_vault(&world.config).unwrap();
        vault.create_key(&world.id_of("scores-kek")).unwrap();
        fs::write(world.token_file(), world.token("sp:sp-score-201")).unwrap();
        world
    }

    pub(crate) fn new() -> Self {
        Self::with_settings("")
    }

    pub(crate) fn with_settings(settings: &str) -> Self {
        let world = Self::without_secret(settings);
        world.set_secret();
        world
    }

    pub(crate) fn set_secret(&self) {
        let vault = runtime::local_vault(&self.config).unwrap();
        let value = NEEDLE.as_bytes().to_vec().into();
        vault
            .set(&self.id_of("bureau-api-key"), value, Validity::ALWAYS)
            .unwrap();
    }

    fn id_of(&self, reference: &str) -> SecretId {
        let row = self
            .snapshot
            .secret_reference(&SecretRef::new(reference))
            .unwrap();
        SecretId::new(row.vault.clone(), row.name.clone())
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn token_file(&self) -> PathBuf {
        self.path().join(".zt/own.token")
    }

    pub(crate) fn token(&self, who: &str) -> String {
        self.token_for(who, Duration::from_secs(3600))
    }

    pub(crate) fn token_for(&self, who: &str, lifetime: Duration) -> String {
        testing::sign_in(
            &self.config,
            &self.snapshot,
            &who.parse().unwrap(),
            lifetime,
        )
        .unwrap()
    }

    pub(crate) fn tables(&self) -> String {
        fs::read_to_string(self.path().join("brindlewick.toml")).unwrap()
    }

    /// Whole or not at all, as whoever publishes tables must write them.
    pub(crate) fn publish(&self, tables: &str) {
        let draft = self.path().join("draft");
        fs::write(&draft, tables).unwrap();
        fs::rename(draft, self.path().join("brindlewick.toml")).unwrap();
    }

    /// The built service, on ports of its own.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Serving {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zt-inference-service"));
        command
            .arg(self.path())
            .arg("--token-file")
            .arg(self.token_file());
        command.args(arguments);
        Serving::start(&mut command)
    }

    /// The audit log after the service has ended: intact, and without the secret.
    pub(crate) fn log(&self) -> Vec<audit::Entry> {
        let folder = self.path().join(".zt/audit");
        let found = audit::verify(&folder).unwrap();
        assert!(found.is_intact(), "{:?}", found.findings);
        for file in fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                let bytes = fs::read(path).unwrap();
                let needle = NEEDLE.as_bytes();
                assert!(!bytes.windows(needle.len()).any(|part| part == needle));
            }
        }
        audit::tail(folder, 10_000, |_| true).unwrap()
    }
}

/// The task runner's search of everything that tests leave behind wants to see it.
impl Drop for World {
    fn drop(&mut self) {
        let keep = std::env::var_os("ZT_KEEP_WORLDS").is_some();
        self.folder.disable_cleanup(keep);
    }
}

/// A running service. Ends with the test.
pub(crate) struct Serving {
    child: Child,
    pub(crate) callers: SocketAddr,
    pub(crate) operators: SocketAddr,
    said: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Serving {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (said, (tell, told)) = (Arc::new(Mutex::new(Vec::new())), channel());
        let heard = Arc::clone(&said);
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(at) = line.strip_prefix("serving callers at http://") {
                    let (callers, operators) = at.split_once(" and operators at http://").unwrap();
                    let both = (callers.parse().unwrap(), operators.parse().unwrap());
                    tell.send(both).unwrap();
                }
                heard.lock().unwrap().push(line);
            }
        });
        let (callers, operators) = Self::wait_for_start(&told, &mut child, &said);
        Self {
            child,
            callers,
            operators,
            said,
            reader: Some(reader),
        }
    }

    fn wait_for_start(
        told: &Receiver<(SocketAddr, SocketAddr)>,
        child: &mut Child,
        said: &Mutex<Vec<String>>,
    ) -> (SocketAddr, SocketAddr) {
        told.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let _may_be_gone = child.kill();
            panic!("the service does not start: {:?}", said.lock().unwrap());
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn score(&self, token: &str, body: &str) -> Answer {
        post(self.callers, SCORE, Some(token), body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        get(self.operators, path)
    }

    pub(crate) fn metric(&self, line: &str) -> Option<u64> {
        let text = self.get("/metrics").body;
        let mut values = text
            .lines()
            .filter_map(|own| own.strip_prefix(line)?.strip_prefix(' '));
        values.next()?.parse().ok()
    }

    /// Asks `/readyz` until it is as wanted.
    pub(crate) fn ready_when(&self, wanted: impl Fn(&Answer) -> bool) -> Answer {
        self.until("/readyz", wanted)
    }

    fn until(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let began = Instant::now();
        loop {
            let answer = self.get(path);
            if wanted(&answer) {
                return answer;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "it stays {answer:?}, {:?}",
                self.said.lock().unwrap()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Tells it to stop and waits until it has; answers what it said.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.signal(Signal::TERM);
        self.wait()
    }

    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        let said = self.said.lock().unwrap().join("\n");
        assert!(!said.contains(NEEDLE), "the service wrote the secret");
        (status, said)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _may_be_gone = self.child.kill();
        let _is_gone = self.child.wait();
    }
}
