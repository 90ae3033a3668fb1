//! `zt doctor network` and its probe, against a vault on loopback.

use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use zt_core::adapters::azure::NetworkDoctor;
use zt_core::metadata::Snapshot;
use zt_core::network::doctor::Cause;
use zt_core::runtime;

use super::Says;
use super::proof::{OURS, PUBLIC, Vault};
use super::server::VAULT;
use crate::world::World;

const NOT_OURS: &str = "kv-nobody.vault.azure.net";

/// The sample world with the vault's name in the certificate, and the simulator of this vault.
fn world(vault: &Vault) -> World {
    let world = World::new();
    let edit = |file: &str, changes: &[(&str, &str)]| {
        let path = world.path().join(file);
        let mut text = std::fs::read_to_string(&path).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        std::fs::write(path, text).unwrap();
    };
    edit(
        "brindlewick.toml",
        &[
            ("kv-brindlewick-prod.vault.azure.net", VAULT),
            ("\"pe-kv-brindlewick\"", "\"pe-kv\""),
        ],
    );
    let section = format!(
        "[development]\nazure = \"{}\"\nazure_ca = \"ca.pem\"\n[development.groups]",
        vault.at
    );
    edit("zt.toml", &[("[development.groups]", &section)]);
    std::fs::write(world.path().join("ca.pem"), &vault.authority).unwrap();
    world
}

fn doctor(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zt"));
    command
        .arg("-C")
        .arg(world.path())
        .args(["doctor", "network"]);
    command.args(arguments).env_remove("ZT_FOLDER");
    for variable in [
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        command.env_remove(variable);
    }
    command.env("HTTPS_PROXY", "http://zt-needle-password@127.0.0.1:9");
    let output = command.output().unwrap();
    let said =
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("zt-needle-"));
    (output.status.code(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_names_the_cause_and_sends_no_token() {
    for (header, cause, code, proof) in [
        (OURS, "ok", 0, Value::from("private_link")),
        (PUBLIC, "endpoint_pending", 1, Value::Null),
        (&super::proof::other(), "wrong_endpoint", 1, Value::Null),
    ] {
        let vault = Vault::start(header, header).await;
        let world = world(&vault);
        let (exit, said) = doctor(&world, &["--json", "--host", VAULT]);
        assert_eq!(exit, Some(code), "{said}");
        let found: Value = serde_json::from_str(&said).unwrap();
        let found = &found[0];
        assert_eq!(found["cause"], cause, "{said}");
        assert_eq!(found["rule"], "NR-01");
        assert_eq!(found["proof"], proof);
        assert_eq!(found["fix"].is_null(), code == 0);
        assert!(
            found["note"]
                .as_str()
                .unwrap()
                .starts_with("HTTPS_PROXY is set")
        );
        assert_eq!(vault.seen(), (1, 0));

        let (exit, said) = doctor(&world, &["--host", VAULT]);
        assert_eq!(exit, Some(code), "{said}");
        assert!(
            said.starts_with(&format!("NR-01 {VAULT}: {cause}")),
            "{said}"
        );
        let (exit, said) = doctor(&world, &["--host", NOT_OURS]);
        assert_eq!(exit, Some(1));
        assert!(said.starts_with(&format!("{NOT_OURS}: no_row: ")), "{said}");
        assert_eq!(vault.seen(), (2, 0), "a host without a row is not dialled");
    }
}

#[tokio::test]
async fn the_probe_dials_nothing_outside_of_the_ranges() {
    let vault = Vault::start(OURS, OURS).await;
    let world = world(&vault);
    let snapshot: Arc<Snapshot> = runtime::tables(&world.config()).await.unwrap().current();
    let rule = &snapshot.tables().network_rules[0];
    let asked = |says| {
        let probe = NetworkDoctor::new().resolving_with(Arc::new(Says(says)));
        probe.trusting_only(vault.authority.clone().into_bytes())
    };
    for (says, cause) in [
        // Every name gets this answer, the one in the wrong zone too.
        (&["127.0.0.1"][..], Cause::WrongZone),
        (&[][..], Cause::NoSuchName),
    ] {
        let found = asked(says).examine(VAULT, Some(rule)).await.unwrap();
        assert_eq!(found.cause, cause, "{found:?}");
    }
    assert_eq!(vault.seen(), (0, 0));
}
