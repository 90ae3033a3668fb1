//! What must stand nowhere, whatever goes wrong: values of secrets and tokens. In a process of its own, that all logging of
//! every library in it can be read.

use std::fmt::{self, Write as _};
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use zt_azure_simulator::{Denial, Fault, Misfit, NetworkInfo};
use zt_core::identity::{AccessToken, CredentialError, TokenCredential};
use zt_core::port::BoxFuture;

use super::super::office::{Office, alone, end, ready, until};
use super::{HOST, KEY, LONG, Scene, TTL, VALUE, VAULT};

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<String>>);

impl Heard {
    fn note(&self, target: &str, text: &dyn fmt::Display) {
        let mut heard = self.0.lock().unwrap();
        writeln!(heard, "{target} {text}").unwrap();
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Heard {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(span.metadata().name().to_owned());
        span.record(&mut fields);
        self.note(span.metadata().target(), &fields.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        self.note("span", &fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.note(event.metadata().target(), &fields.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl log::Log for Heard {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.note(record.target(), record.args());
    }

    fn flush(&self) {}
}

/// A credential that remembers what it gave.
struct Kept {
    inner: Arc<dyn TokenCredential>,
    tokens: Arc<Mutex<Vec<String>>>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

impl TokenCredential for Kept {
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async move {
            let token = self.inner.get_token(scope).await?;
            self.tokens.lock().unwrap().push(token.reveal().to_owned());
            Ok(token)
        })
    }

    fn name(&self) -> &'static str {
        "kept"
    }
}

#[test]
fn no_value_and_no_token_is_written_or_said() {
    alone("secrets::needles::heard", &[]);
}

async fn open(tokens: &Arc<Mutex<Vec<String>>>) -> Scene {
    let office = Office::new("[vault]\nstore = \"key_vault\"\n[status]\nfolder = \".zt/status\"");
    office.edit_tables(
        "ttl_s = 900\nrotate_days = 90",
        &format!("ttl_s = {TTL}\nrotate_days = 90"),
    );
    let credential = Kept {
        inner: office.credential("sp-score-201"),
        tokens: Arc::clone(tokens),
    };
    let builder = office
        .builder()
        .unwrap()
        .with_credential(Arc::new(credential));
    let zt = builder.open().await.unwrap();
    ready(&zt).await;
    let job = office.sign_in(&zt, "sp-score-201").await.claiming(201, 2);
    Scene { office, zt, job }
}

fn faults() -> Vec<Fault> {
    let mut faults: Vec<Fault> = Denial::all().map(Fault::Forbidden).collect();
    let busy = Fault::Status {
        status: 429,
        retry_after: Some(7),
    };
    let id = format!("https://{HOST}/secrets/{VALUE}/{VALUE}");
    faults.extend([
        busy,
        Fault::Unauthorized,
        Fault::NotFound,
        Fault::Html,
        Fault::WrongJson,
        Fault::Truncated,
        Fault::Close,
        Fault::Redirect(format!("https://{VALUE}.example/")),
        Fault::OtherId(id),
        Fault::ValueNotText,
        Fault::Giant(1 << 20),
        Fault::Certificate(Misfit::UnknownAuthority),
    ]);
    faults
}

#[tokio::test]
#[ignore = "in a process of its own"]
async fn heard() {
    let heard = Heard::default();
    tracing::subscriber::set_global_default(heard.clone()).unwrap();
    log::set_logger(Box::leak(Box::new(heard.clone()))).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let tokens = Arc::default();
    let mut scene = open(&tokens).await;
    let mut said = String::new();
    for fault in faults() {
        scene.spoil(fault.clone());
        said.push_str(&said_by(&scene).await);
        scene.office.sim.clear_faults();
        scene.office.advance(LONG / 4);
        let _may_be_too_early = scene.read().await;
        scene.office.advance(TTL + 1);
        scene.spoil(fault);
        said.push_str(&said_by(&scene).await);
        scene.office.sim.clear_faults();
        scene.office.advance(LONG / 4);
        scene.zt.invalidate(KEY).unwrap();
        // Its token would end meanwhile.
        let again = scene.office.sign_in(&scene.zt, "sp-score-201").await;
        scene.job = again.claiming(201, 2);
    }
    let said_of_way = NetworkInfo::Text(format!("conn_type={VALUE}"));
    scene
        .office
        .sim
        .vault(VAULT)
        .set_network(said_of_way)
        .unwrap();
    said.push_str(&said_by(&scene).await);
    written(&scene, &mut said).await;
    let office = scene.office;
    drop(scene.job);
    let _records = end(scene.zt).await;
    let log = heard.text();
    assert!(log.contains("zt::secrets"), "the log was heard");
    let tokens = tokens.lock().unwrap().clone();
    assert!(tokens.len() > 1);
    // The header of a token is the same in all, and of nobody.
    let parts = tokens.iter().flat_map(|token| token.split('.').skip(1));
    let mut needles: Vec<&str> = parts.collect();
    needles.push(VALUE);
    for (name, text) in [("log", &log), ("said", &said)] {
        for needle in &needles {
            assert!(!text.contains(needle), "a needle stands in the {name}");
        }
    }
    office.assert_no_leaks(&needles);
}

/// What errors, values and parts say of themselves.
async fn said_by(scene: &Scene) -> String {
    let handle = scene.job.secret_handle(KEY);
    let read = scene.read().await;
    let by_handle = handle.get().await;
    let refreshed = scene.job.refresh_secret(KEY).await;
    let warmed = scene.job.warm(&[KEY], Duration::from_secs(5)).await;
    let errors = [read.as_ref().err(), refreshed.as_ref().err()];
    for error in errors.into_iter().flatten() {
        scene.office.keep(error);
    }
    format!(
        "{read:?}\n{by_handle:?}\n{refreshed:?}\n{warmed:?}\n{handle:?}\n{:?}\n{:?}\n{:?}\n{}\n",
        scene.job,
        scene.zt,
        scene.zt.status(),
        serde_json::to_string(&scene.zt.status()).unwrap(),
    )
}

/// The status file as it is after the clock moved on.
async fn written(scene: &Scene, said: &mut String) {
    let file = scene
        .office
        .path(&format!(".zt/status/{}.json", std::process::id()));
    scene.office.advance(10);
    until("the status is written", || file.exists()).await;
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(KEY));
    said.push_str(&text);
}
