//! The signer against a Key Vault that remembers what it was asked.

use std::path::Path;

use super::*;
use crate::adapters::azure::key_vault::fake::{Azure, Next, Tokens, World, refused as refusal};
use crate::audit::{
    AuditLog, AuditOptions, Durability, Kind, Outcome, Record, Verification, VerifyOptions,
    verify_with,
};
use crate::clock::SystemClock;
use crate::secrets::Validity;
use crate::testing::{ManualClock, signer_contract};

fn id() -> SecretId {
    let vault = "https://kv-loans.vault.azure.net".parse().unwrap();
    SecretId::new(vault, "checkpoints".parse().unwrap())
}

fn signer(world: &World, key: SecretId) -> KeyVaultAuditKey {
    let http: Arc<dyn HttpClient> = Arc::<Azure>::clone(&world.azure);
    let credential: Arc<dyn TokenCredential> = Arc::<Tokens>::clone(&world.tokens);
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&world.clock);
    KeyVaultAuditKey::new(key, http, credential, Cloud::Public, clock)
}

/// The part of each request behind the name of the key.
fn asked(world: &World) -> Vec<String> {
    let asked = world.azure.asked.lock().unwrap();
    let urls = asked.iter().map(|one| one.url.as_str());
    let rest = urls.map(|url| url.split_once("checkpoints/").unwrap().1);
    rest.map(|rest| rest.split('?').next().unwrap().to_owned())
        .collect()
}

fn log_signed_by(signer: KeyVaultAuditKey, folder: &Path) -> Verification {
    let signer = Arc::new(signer);
    let options = AuditOptions::new(folder).with_signer(Arc::<KeyVaultAuditKey>::clone(&signer));
    let clock = Arc::new(SystemClock::new());
    let log = AuditLog::open(options, Arc::<SystemClock>::clone(&clock)).unwrap();
    let record = Record::new(Kind::Admin, clock.now(), "reload", "metadata", Outcome::Ok);
    log.append(record, Durability::Durable).unwrap();
    log.close(Duration::from_secs(60)).unwrap();
    let trusted = VerifyOptions::new().with_key(signer.public_key().unwrap());
    verify_with(folder, &trusted).unwrap()
}

#[test]
fn a_log_is_vouched_for_by_the_key_in_the_vault() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    world.azure.keys.make_ec(&id());
    let found = log_signed_by(signer(&world, id()), folder.path());
    assert!(found.is_intact(), "{found:?}");
    assert_eq!(found.unsigned(), 0);
}

#[tokio::test]
async fn it_may_be_asked_inside_of_an_executor() {
    let world = World::new();
    world.azure.keys.make_ec(&id());
    let signer = signer(&world, id());
    let signature = signer.sign(b"a statement").unwrap();
    let public = signer.public_key().unwrap();
    let key = aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED,
        public.to_der().split_off(26),
    );
    assert!(key.verify(b"a statement", &signature).is_ok());
    assert!(key.verify(b"another", &signature).is_err());
}

#[test]
fn it_keeps_the_contract_of_audit_keys() {
    let world = World::new();
    world.azure.keys.make_ec(&id());
    let signer = signer(&world, id());
    signer_contract::run(&signer);
    signer_contract::what_is_switched_off_signs_nothing(&signer, || {
        let off = Validity {
            enabled: false,
            ..Validity::ALWAYS
        };
        world.azure.keys.set(&id(), off);
    });
}

#[test]
fn the_version_that_was_told_signs_until_it_cannot() {
    let world = World::new();
    let first = world.azure.keys.make_ec(&id());
    let signer = signer(&world, id());
    signer.public_key().unwrap();
    let second = world.azure.keys.make_ec(&id());
    signer.sign(b"a statement").unwrap();
    let told = asked(&world);
    assert_eq!(told.last().unwrap(), &format!("{first}/sign"), "{told:?}");

    world
        .azure
        .then(Next::Answer(refusal(403, "Forbidden", Some("KeyDisabled"))));
    let error = signer.sign(b"a statement").unwrap_err().to_string();
    assert!(error.contains("is disabled"), "{error}");
    signer.sign(b"a statement").unwrap();
    let told = asked(&world);
    assert_eq!(told.last().unwrap(), &format!("{second}/sign"), "{told:?}");
}

#[test]
fn a_pinned_version_signs_whatever_came_after_it() {
    let world = World::new();
    let first = world.azure.keys.make_ec(&id());
    world.azure.keys.make_ec(&id());
    let signer = signer(&world, id().at(first));
    signer.sign(b"a statement").unwrap();
    let told = asked(&world);
    assert!(told.iter().all(|one| one.starts_with(&first.to_string())));
    assert_eq!(told.last().unwrap(), &format!("{first}/sign"), "{told:?}");
}

#[test]
fn what_cannot_sign_says_why_and_shows_nothing_of_the_vault() {
    let refused = |code, inner| Next::Answer(refusal(403, code, inner));
    let cases = [
        (
            refused("Forbidden", Some("ForbiddenByRbac")),
            "ForbiddenByRbac",
        ),
        (
            Next::Answer(refusal(404, "KeyNotFound", None)),
            "there is no key",
        ),
        (
            Next::Fail(crate::network::HttpError::Broken {
                host: "kv-loans.vault.azure.net".into(),
            }),
            "kv-loans",
        ),
    ];
    for (next, expected) in cases {
        let world = World::new();
        world.azure.keys.make_ec(&id());
        world.azure.then(next);
        let error = signer(&world, id()).public_key().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("needle"), "{error}");
    }
    let world = World::new();
    world.azure.keys.make_rsa(&id(), Validity::ALWAYS);
    let error = signer(&world, id()).public_key().unwrap_err().to_string();
    assert!(error.contains("P-256"), "{error}");
}
