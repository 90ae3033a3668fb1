//! `zt status` and `zt conformance azure` as a user runs them, with a `zt.toml` that takes the simulator for Azure.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use zt_azure_simulator::Right;
use zt_core::runtime::{Config, RuntimeBuilder};
use zt_core::{Runtime, Session};

use super::super::office::{Office, ready, until};
use super::{KEY, VALUE};
use crate::client::{SCORING, SECRET, TENANT};

/// The command, built once with the features that it needs here.
fn zt() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.current_dir(env!("CARGO_MANIFEST_DIR")).args([
            "build",
            "--quiet",
            "--package=zt-core",
            "--bin=zt",
            "--features=azure,cli,testing",
            "--message-format=json",
        ]);
        let output = build.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let built = output.stdout.split(|byte| *byte == b'\n').find_map(|line| {
            let message: Value = serde_json::from_slice(line).ok()?;
            message["executable"].as_str().map(PathBuf::from)
        });
        built.unwrap()
    })
}

/// What it said, without a secret in it.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(folder: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(zt());
    command.arg("-C").arg(folder).args(arguments);
    for variable in [
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_AUTHORITY_HOST",
        "ZT_FOLDER",
    ] {
        command.env_remove(variable);
    }
    let identity = [
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", SCORING),
        ("AZURE_CLIENT_SECRET", SECRET),
    ];
    let Output {
        status,
        stdout,
        stderr,
    } = command.envs(identity).output().unwrap();
    let said = Said {
        code: status.code(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    };
    for text in [&said.out, &said.err] {
        assert!(!text.contains("zt-needle-") && !text.contains(SECRET));
    }
    said
}

fn folder(office: &Office) -> PathBuf {
    office.path("zt.toml").parent().unwrap().to_owned()
}

/// On the system's clock, as `zt status` compares with it.
async fn live(office: &Office) -> (Runtime, Session) {
    let config = Config::load(folder(office)).unwrap();
    let builder = RuntimeBuilder::new(config);
    let builder = builder.with_credential(office.credential("sp-score-201"));
    let zt = builder.open().await.unwrap();
    ready(&zt).await;
    let job = office.sign_in(&zt, "sp-score-201").await.claiming(201, 2);
    (zt, job)
}

#[tokio::test]
async fn the_status_of_a_live_process_is_told() {
    let office = Office::new("[vault]\nstore = \"key_vault\"\n[status]\nfolder = \".zt/status\"");
    let folder = folder(&office);
    let said = run(&folder, &["status"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.out.contains("no process has written to"),
        "{}",
        said.out
    );

    let (zt, job) = live(&office).await;
    assert!(job.secret(KEY).await.unwrap().reveal() == VALUE.as_bytes());
    let mut said = run(&folder, &["status"]);
    for _ in 0..1200 {
        if said.out.contains("bureau-api-key fresh") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        said = run(&folder, &["status"]);
    }
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let process = std::process::id();
    for text in [
        &format!("process {process} (development)"),
        "  ready\n",
        "vault     https://kv-brindlewick-prod.vault.azure.net open\n",
        "secret    bureau-api-key fresh, ",
        "secret    adb-token absent, 0 reads",
        "audit     writable",
        "memory    ",
    ] {
        assert!(
            said.out.contains(text),
            "`{text}` does not stand in: {}",
            said.out
        );
    }
    let said = run(&folder, &["status", "--json"]);
    let status: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (status["process"].as_u64(), said.code),
        (Some(process.into()), Some(0))
    );
    assert_eq!(status["ready"], Value::Null);
    let slots = status["secrets"]["slots"].as_array().unwrap();
    let slot = slots.iter().find(|one| one["name"] == KEY).unwrap();
    assert_eq!(
        (&slot["state"], &slot["last_error"]),
        (&"fresh".into(), &Value::Null)
    );
    let other = run(&folder, &["status", "--process", "1"]);
    assert_eq!(other.code, Some(1));

    gone(&folder, process);
    drop(job);
    zt.close(Duration::from_secs(60)).await.unwrap();
    let file = folder.join(format!(".zt/status/{process}.json"));
    until("it takes its file along", || !file.exists()).await;
}

/// One that was killed leaves its file.
fn gone(folder: &Path, process: u32) {
    let status = folder.join(".zt/status");
    let text = fs::read_to_string(status.join(format!("{process}.json"))).unwrap();
    let mut left: Value = serde_json::from_str(&text).unwrap();
    left["process"] = 4_000_000_000_u32.into();
    left["at"] = "2020-01-01T00:00:00Z".into();
    fs::write(status.join("4000000000.json"), left.to_string()).unwrap();
    let said = run(folder, &["status", "--process", "4000000000"]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("gone or stuck"), "{}", said.out);
}

#[test]
fn without_a_folder_the_status_says_what_to_set() {
    let office = Office::new("");
    let said = run(&folder(&office), &["status"]);
    assert_eq!(said.code, Some(2));
    for text in ["ZT-7001", "`status.folder` is not set", "ZT_STATUS_FOLDER"] {
        assert!(
            said.err.contains(text),
            "`{text}` does not stand in: {}",
            said.err
        );
    }
}

const SCRATCH: &str = "kv-scratch";
const URL: &str = "https://kv-scratch.vault.azure.net";

/// A scratch vault in which the scoring job holds these rights, and its row.
fn with_scratch(rights: &[Right]) -> Office {
    let office = Office::new("");
    office.add_rows(
        "[[Network_Rules]]\nid = \"NR-SCRATCH\"\nhost = \"kv-scratch.vault.azure.net\"\nmode = \"private_only\"\ncidrs = [\"10.30.4.0/26\"]",
    );
    let vault = office.sim.make_vault(SCRATCH).unwrap();
    vault.grant("sp-score-201", rights).unwrap();
    office
}

/// The names of secrets or keys in requests of a kind that went well.
fn names(office: &Office, method: &str, kind: &str) -> BTreeSet<String> {
    let all = office.sim.requests().into_iter();
    let good =
        all.filter(|one| one.method == method && one.status.is_some_and(|status| status < 300));
    let here = good.filter(|one| one.host.starts_with(SCRATCH));
    here.filter_map(|one| {
        let mut path = one.path.trim_matches('/').split('/');
        let is_kind = path.next()? == kind;
        path.next().filter(|_| is_kind).map(str::to_owned)
    })
    .collect()
}

const OFFICER: &[Right] = &[
    Right::SecretsGet,
    Right::SecretsList,
    Right::SecretsSet,
    Right::SecretsDelete,
    Right::SecretsRecover,
    Right::SecretsPurge,
];

const CRYPTO_OFFICER: &[Right] = &[
    Right::KeysGet,
    Right::KeysCreate,
    Right::KeysUpdate,
    Right::KeysDelete,
    Right::KeysRecover,
    Right::KeysPurge,
    Right::KeysUnwrap,
    Right::KeysSign,
];

#[test]
fn a_scratch_vault_keeps_the_contract_and_is_left_as_it_was() {
    for purge in [false, true] {
        let office = with_scratch(&[OFFICER, CRYPTO_OFFICER].concat());
        let mut arguments = vec!["conformance", "azure", "--vault", URL];
        arguments.extend(purge.then_some("--purge"));
        let said = run(&folder(&office), &arguments);
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
        assert_eq!(said.out.matches("holds  ").count(), 24, "{}", said.out);
        assert!(!said.out.contains("fails  "), "{}", said.out);
        let (written, made) = (
            names(&office, "PUT", "secrets"),
            names(&office, "DELETE", "keys"),
        );
        assert!(written.len() > 10 && made.len() > 10);
        let mut all = written.iter().chain(&made);
        assert!(all.all(|name| name.starts_with("zt-conformance-")));
        for left in [
            format!("{} secrets were written, 0 are left", written.len()),
            format!("{} keys were made, 0 are left", made.len()),
        ] {
            assert!(said.out.contains(&left), "{}", said.out);
        }
        assert_eq!(names(&office, "DELETE", "secrets"), written);
        // Of keys a POST makes, unwraps or signs; nothing else was touched.
        assert!(names(&office, "POST", "keys").is_superset(&made));
        assert!(names(&office, "PATCH", "keys").is_subset(&made));
        let vault = office.sim.vault(SCRATCH);
        for name in &written {
            assert!(vault.secret_versions(name).is_err(), "{name}");
            assert_eq!(vault.recover_secret(name).is_err(), purge, "{name}");
        }
        for name in &made {
            assert!(vault.key_versions(name).is_err(), "{name}");
            assert_eq!(vault.recover_key(name).is_err(), purge, "{name}");
        }
    }
}

#[test]
fn one_part_needs_its_own_role_alone() {
    for (part, rights, holds) in [("secrets", OFFICER, 9), ("keys", CRYPTO_OFFICER, 15)] {
        let office = with_scratch(rights);
        let arguments = ["conformance", "azure", "--vault", URL, "--only", part];
        let said = run(&folder(&office), &arguments);
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
        assert_eq!(said.out.matches("holds  ").count(), holds, "{}", said.out);
    }
    let office = with_scratch(OFFICER);
    let said = run(&folder(&office), &["conformance", "azure", "--vault", URL]);
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    assert!(
        said.err.contains("Key Vault Crypto Officer"),
        "{}",
        said.err
    );
    assert!(!said.out.contains("holds  "), "{}", said.out);
    assert!(said.out.contains("1 secrets were written, 0 are left"));
}

#[test]
fn a_vault_that_cannot_be_tried_is_explained() {
    for (rights, url, texts) in [
        (
            OFFICER,
            "https://kv-norow.vault.azure.net",
            ["ZT-4007", "kv-norow.vault.azure.net", "Network_Rules"],
        ),
        (
            &[][..],
            URL,
            ["ZT-7001", "ForbiddenByRbac", "Key Vault Secrets Officer"],
        ),
        (
            &[Right::SecretsGet][..],
            URL,
            ["ZT-7001", "ForbiddenByRbac", "Key Vault Secrets Officer"],
        ),
        (
            OFFICER,
            "http://kv-scratch.vault.azure.net",
            ["ZT-5001", "https://", "vault"],
        ),
    ] {
        let office = with_scratch(rights);
        let said = run(&folder(&office), &["conformance", "azure", "--vault", url]);
        assert_eq!(said.code, Some(2), "{url}: {}{}", said.out, said.err);
        for text in texts {
            assert!(
                said.err.contains(text),
                "`{text}` does not stand in: {}",
                said.err
            );
        }
        assert!(!said.err.contains("panicked"), "{}", said.err);
        assert!(names(&office, "PUT", "secrets").is_empty());
    }
}
