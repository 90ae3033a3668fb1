//! What goes wrong on a disk: a wrong passphrase, a truncated vault, a log that cannot be written, a killed writer.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zt_core::audit;
use zt_core::runtime::{self, Config, ConfigKey, RuntimeBuilder};
use zt_core::secrets::SecretVault;
use zt_core::testing::FaultyVault;
use zt_core::{Code, Error};

use crate::world::{NEEDLE, World, sign_in};

fn shown(error: &Error) -> String {
    format!("{error} {error:?} {}", error.public_message())
}

async fn open(config: Config) -> Error {
    RuntimeBuilder::new(config)
        .open()
        .await
        .map(|_| ())
        .unwrap_err()
}

#[tokio::test]
async fn a_wrong_passphrase_is_told_apart_from_a_damaged_file() {
    let world = World::new();
    let toml = fs::read_to_string(world.path().join("zt.toml")).unwrap();
    fs::write(
        world.path().join("zt.toml"),
        toml.replace("key_file = ", "# key_file = "),
    )
    .unwrap();
    world.with_passphrase("right zt-needle-passphrase").await;
    let wrong = |name: &str| (name == "ZT_VAULT_PASSPHRASE").then(|| "wrong zt-needle-one".into());
    let error = open(Config::load_with(world.path(), wrong).unwrap()).await;
    assert_eq!(error.code(), Code::VaultIntegrity);
    assert!(error.message().contains("not the one"), "{error}");
    assert!(!shown(&error).contains("needle"));

    let right =
        |name: &str| (name == "ZT_VAULT_PASSPHRASE").then(|| "right zt-needle-passphrase".into());
    let config = Config::load_with(world.path(), right).unwrap();
    assert!(!format!("{config:?}").contains("needle"));
    let mut bytes = fs::read(config.vault_file()).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(config.vault_file(), bytes).unwrap();
    let error = open(config).await;
    assert_eq!(error.code(), Code::VaultIntegrity);
    assert!(error.message().contains("damaged"), "{error}");
}

#[tokio::test]
async fn a_truncated_vault_is_an_error_that_says_so() {
    let world = World::new().with_secret("bureau-api-key").await;
    let file = world.config().vault_file();
    let bytes = fs::read(&file).unwrap();
    for keep in [0, 1, 20, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&file, &bytes[..keep]).unwrap();
        let error = open(world.config()).await;
        assert_eq!(error.code(), Code::VaultIntegrity, "{keep}: {error}");
        assert!(!shown(&error).contains(NEEDLE));
    }
}

#[tokio::test]
async fn without_an_audit_log_nothing_opens() {
    let world = World::new();
    fs::write(
        world.path().join(".zt/audit"),
        "a file where the folder should be",
    )
    .unwrap();
    let error = open(world.config()).await;
    assert_eq!(error.code(), Code::AuditUnavailable);
    assert!(error.is_transient() && error.help().is_some());
}

#[tokio::test]
async fn a_log_that_is_closed_under_a_session_refuses_every_answer() {
    let world = World::new().with_secret("bureau-api-key").await;
    let local = runtime::local_vault(&world.config()).unwrap();
    let vault = Arc::new(FaultyVault::new(Arc::new(local)));
    let port: Arc<dyn SecretVault> = Arc::<FaultyVault>::clone(&vault);
    let zt = RuntimeBuilder::new(world.config())
        .with_vault(port)
        .open()
        .await
        .unwrap();
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    let maya = sign_in(&zt, "user:maya").await;
    zt.clone().close(Duration::from_secs(5)).await.unwrap();
    let denied = maya
        .check("table.read", "table:raw.loan_applications")
        .unwrap_err();
    assert_eq!(denied.code(), Code::Closed, "not even a deny is answered");
    assert!(!denied.is_transient(), "nobody tries for ever");
    let allowed = maya
        .check("model.infer", "model:car_loan_scorer")
        .unwrap_err();
    assert_eq!(allowed.code(), Code::Closed);
    let secret = job.secret("bureau-api-key").await.unwrap_err();
    assert_eq!(secret.code(), Code::Closed);
    assert!(!shown(&secret).contains(NEEDLE));
    assert_eq!(zt.authenticate("x").await.unwrap_err().code(), Code::Closed);
    assert_eq!(zt.reload().await.unwrap_err().code(), Code::Closed);
    assert_eq!(vault.calls(), 0, "and the vault is not asked");
}

/// A closed log of one segment with one deny: its folder and its file.
async fn one_deny(world: &World) -> (PathBuf, PathBuf) {
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let denied = maya
        .check("table.read", "table:raw.loan_applications")
        .unwrap();
    assert!(!denied.is_allowed());
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    let segment = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .unwrap();
    (folder, segment)
}

#[tokio::test]
async fn a_cut_inside_a_record_is_recovered_and_recorded() {
    let world = World::new();
    let (folder, segment) = one_deny(&world).await;
    let bytes = fs::read(&segment).unwrap();
    // As a killed process leaves it: no close record, half a line at the end, no checkpoint of either.
    let lines: Vec<usize> = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at)
        .collect();
    let cut = lines[lines.len() - 3] + 40;
    fs::write(&segment, &bytes[..cut]).unwrap();
    let notes = segment
        .to_str()
        .unwrap()
        .replace("-000001.jsonl", ".checkpoints");
    let first: String = fs::read_to_string(&notes)
        .unwrap()
        .split_inclusive('\n')
        .take(10)
        .collect();
    fs::write(&notes, first).unwrap();
    assert!(!audit::verify(&folder).unwrap().is_intact());

    let zt = world.open().await;
    zt.close(Duration::from_secs(5)).await.unwrap();
    let found = audit::verify(&folder).unwrap();
    assert!(found.is_intact(), "{:#?}", found.findings);
    assert_eq!(found.recoveries.len(), 1);
    assert_eq!(found.recoveries[0].bytes_cut, 39);
    let recorded = audit::tail(&folder, 100, |entry| entry.action == "audit.recovered").unwrap();
    assert_eq!(recorded.len(), 1);
}

#[tokio::test]
async fn a_changed_record_is_found_and_named() {
    let world = World::new();
    let (folder, segment) = one_deny(&world).await;
    let text = fs::read_to_string(&segment).unwrap();
    let line = 1 + text
        .lines()
        .position(|line| line.contains("explicit_deny"))
        .unwrap();
    fs::write(&segment, text.replace("explicit_deny", "allow")).unwrap();
    let found = audit::verify(&folder).unwrap();
    assert_eq!(found.findings[0].line, u64::try_from(line).unwrap());
}

#[tokio::test]
async fn a_production_configuration_refuses_the_development_issuer() {
    let world = World::new();
    let text = fs::read_to_string(world.path().join("zt.toml")).unwrap();
    let production = text.replace("mode = \"development\"", "mode = \"production\"");
    fs::write(world.path().join("zt.toml"), &production).unwrap();
    let error = Config::load_with(world.path(), |_| None).unwrap_err();
    assert_eq!(error.code(), Code::Config);

    let bare = production
        .split("[development")
        .next()
        .unwrap()
        .replace("cloud = \"development\"", "");
    fs::write(world.path().join("zt.toml"), bare + "[identity.x]").unwrap();
    assert!(Config::load_with(world.path(), |_| None).is_err());
}

#[tokio::test]
async fn keys_of_the_development_issuer_do_not_open_production() {
    let world = World::new();
    let toml = "tables = \"brindlewick.toml\"\n[identity]\n\
                audience = \"d0000000-0000-4000-8000-000000000001\"\nkeys = \".zt/dev-issuer.jwks.json\"\n";
    fs::write(world.path().join("zt.toml"), toml).unwrap();
    let error = open(world.config()).await;
    assert_eq!(error.code(), Code::Config, "{error}");
}

#[tokio::test]
async fn the_environment_adds_and_never_replaces() {
    let world = World::new();
    let with = |name: &'static str, value: &'static str| {
        Config::load_with(world.path(), move |asked| {
            (asked == name).then(|| value.into())
        })
    };
    for (name, value) in [
        ("ZT_TABLES", "other.toml"),
        ("ZT_IDENTITY_CLOUD", "public"),
        (
            "ZT_IDENTITY_AUDIENCE",
            "d0000000-0000-4000-8000-000000000002",
        ),
        ("ZT_AUDIT_FOLDER", "elsewhere"),
    ] {
        let error = with(name, value).unwrap_err();
        assert_eq!(error.code(), Code::Config);
        assert!(error.message().contains(name), "{error}");
    }
    let added = with("ZT_IDENTITY_KEYS", "pinned.json").unwrap();
    assert_eq!(added.value(ConfigKey::IdentityKeys), Some("pinned.json"));
    assert!(
        with("ZT_MODE", "production").is_err(),
        "tightened, and then the development issuer is refused"
    );
    assert!(added.set(ConfigKey::IdentityKeys, "other.json").is_err());
}

#[tokio::test]
async fn a_wrong_setting_is_named_with_its_line_and_what_was_meant() {
    let world = World::new();
    let toml = "mode = \"development\"\n[identity]\naudeince = \"x\"\n[vault]\npassphrase = \"zt-needle-in-a-file\"\n";
    fs::write(world.path().join("zt.toml"), toml).unwrap();
    let error = Config::load_with(world.path(), |_| None).unwrap_err();
    assert!(error.message().contains(
        "zt.toml:3: `identity.audeince`: not a setting; did you mean `identity.audience`?"
    ));
    assert!(error.message().contains("set ZT_VAULT_PASSPHRASE"));
    assert!(!shown(&error).contains("needle"));
}

impl World {
    /// A vault under a passphrase instead of a key file.
    async fn with_passphrase(&self, passphrase: &'static str) {
        let given = move |name: &str| (name == "ZT_VAULT_PASSPHRASE").then(|| passphrase.into());
        let config = Config::load_with(self.path(), given).unwrap();
        let vault = runtime::local_vault(&config).unwrap();
        let id = zt_core::secrets::SecretId::new(
            "https://kv-brindlewick-prod.vault.azure.net"
                .parse()
                .unwrap(),
            "bureau-api-key".parse().unwrap(),
        );
        let value = zeroize::Zeroizing::new(NEEDLE.as_bytes().to_vec());
        vault
            .set(&id, value, zt_core::secrets::Validity::ALWAYS)
            .unwrap();
    }
}
