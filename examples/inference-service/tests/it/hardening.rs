//! The service as a cluster runs it: another user, no capability, nothing writable but its state, 64 KiB of locked memory.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::ONE;
use crate::world::{NEEDLE, Serving, World};

/// The user of distroless images.
const NOBODY: &str = "65532";

/// Makes every file system of this mount namespace read-only but the state, shows that it is, and becomes the service.
const CAGE: &str = r#"
set -eu
world=$1; shift
mount --bind "$world" /mnt
mount --bind "$world/.zt" /mnt/.zt
awk '{print $2}' /proc/self/mounts | while read -r at; do
    case "$at" in
        /proc*|/sys*|/dev*|/mnt/.zt) ;;
        *) mount -o remount,ro,bind "$at" 2>/dev/null || true ;;
    esac
done
for at in / /mnt /mnt/data; do
    if touch "$at/zt-writable" 2>/dev/null; then echo "$at is writable" >&2; exit 9; fi
done
cd /
exec setpriv --reuid 65532 --regid 65532 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \
    prlimit --memlock=65536:65536 /mnt/service "$@"
"#;

#[test]
fn it_runs_as_nobody_on_a_read_only_file_system_with_64_kib_of_locked_memory() {
    if let Some(why) = missing() {
        skip(&why);
        return;
    }
    let world = World::new();
    let service = caged(&world);
    assert_caged(service.pid());

    service.ready_when(|answer| answer.status == 200);
    let maya = world.token("user:maya");
    for _ in 0..3 {
        assert_eq!(service.score(&maya, ONE).status, 200);
    }
    let sealed = ONE.replacen('{', r#"{"seal":true,"#, 1);
    assert_eq!(service.score(&maya, &sealed).status, 200);
    let metrics = service.get("/metrics").body;
    let memory = metrics
        .lines()
        .find(|line| line.starts_with("zt_memory_mapped_bytes{"));
    assert!(
        memory.is_some_and(|line| line.contains("protection=")),
        "{memory:?}"
    );
    assert!(!metrics.contains(NEEDLE));
    let (status, said) = service.stop();
    assert!(status.success(), "{said}");
    assert!(world.log().iter().any(|entry| entry.kind == "release"));
    assert!(!world.path().join("zt-writable").exists());
}

/// The service in the cage, with its state its own and everything else readable.
fn caged(world: &World) -> Serving {
    let binary = world.path().join("service");
    fs::copy(env!("CARGO_BIN_EXE_zt-inference-service"), binary).unwrap();
    open_to_all(world.path());
    let owned = Command::new("chown")
        .args(["-R", &format!("{NOBODY}:{NOBODY}")])
        .arg(world.path().join(".zt"))
        .status();
    assert!(owned.unwrap().success());
    let mut command = Command::new("unshare");
    command
        .args([
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            CAGE,
            "sh",
        ])
        .arg(world.path())
        .args(["/mnt", "--token-file", "/mnt/.zt/own.token"]);
    Serving::start(&mut command)
}

/// What the kernel says of the process.
fn assert_caged(pid: u32) {
    let process = Path::new("/proc").join(pid.to_string());
    let status = fs::read_to_string(process.join("status")).unwrap();
    for line in [
        format!("Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}"),
        "CapEff:\t0000000000000000".to_owned(),
        "CapBnd:\t0000000000000000".to_owned(),
        "NoNewPrivs:\t1".to_owned(),
    ] {
        assert!(status.lines().any(|own| own == line), "{line} in {status}");
    }
    let limits = fs::read_to_string(process.join("limits")).unwrap();
    let locked = limits
        .lines()
        .find(|line| line.starts_with("Max locked memory"))
        .unwrap();
    assert_eq!(
        locked
            .split_whitespace()
            .filter(|word| *word == "65536")
            .count(),
        2,
        "{locked}"
    );
}

/// What this machine lacks for the cage.
fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can take the file system away from a service".to_owned());
    }
    for tool in ["unshare", "mount", "setpriv", "prlimit", "awk", "chown"] {
        let found = Command::new(tool)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if found.is_err() {
            return Some(format!("no {tool}"));
        }
    }
    let tried = Command::new("unshare")
        .args([
            "--mount",
            "--propagation",
            "private",
            "mount",
            "--bind",
            "/usr",
            "/mnt",
        ])
        .stderr(Stdio::null())
        .status();
    let can = tried.is_ok_and(|status| status.success());
    (!can).then(|| "this machine gives no mount namespace".to_owned())
}

/// What the image would hold is read by whoever runs it; the state is its owner's.
fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with(".zt") {
            open_to_all(&path);
        } else if path.is_file() {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}

#[expect(clippy::print_stdout, reason = "a skipped test must say so")]
fn skip(why: &str) {
    println!("skipped: {why}");
}
