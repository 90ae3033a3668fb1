//! `zt seal` and `zt open`: who may, and that a failure leaves nothing.

use std::fs;
use std::process::{Command, Output};

use crate::world::{NEEDLE, World};

fn zt(world: &World, token: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zt"));
    command.arg("-C").arg(world.path()).args(arguments);
    command.current_dir(world.path()).env_remove("ZT_FOLDER");
    match token {
        Some(token) => command.env("ZT_TOKEN", token),
        None => command.env_remove("ZT_TOKEN"),
    };
    let output = command.output().unwrap();
    let said = format!("{output:?}");
    assert!(
        !said.contains("needle") && !said.contains("panicked"),
        "{said}"
    );
    output
}

fn token(world: &World, name: &str) -> String {
    let output = zt(world, None, &["dev-token", name]);
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

const SEAL: &[&str] = &[
    "seal",
    "loan_scores_delta",
    "model.bin",
    "model.zt",
    "--job",
    "201",
    "--stage",
    "2",
];
const OPEN: &[&str] = &["open", "loan_scores_delta", "model.zt", "out/model.bin"];

fn files(world: &World, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(world.path().join(folder)).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_is_sealed_by_the_job_and_opened_by_the_risk_officer_alone() {
    let world = World::new().with_key("scores-kek").await;
    let plain = vec![0x5a; 200_001];
    fs::write(world.path().join("model.bin"), &plain).unwrap();
    fs::create_dir(world.path().join("out")).unwrap();
    let [job, ines, maya] = ["sp-score-201", "ines", "maya"].map(|name| token(&world, name));

    let denied = zt(&world, Some(&maya), SEAL);
    assert_eq!(denied.status.code(), Some(2));
    assert!(err(&denied).contains("ZT-1001"), "{}", err(&denied));
    let before = files(&world, ".");
    let sealed = zt(&world, Some(&job), SEAL);
    assert!(sealed.status.success(), "{}", err(&sealed));
    assert_eq!(sealed.stdout, b"sealed model.bin: 200001 bytes\n");
    assert_eq!(files(&world, ".").len(), before.len() + 1);
    let again = zt(&world, Some(&job), SEAL);
    assert!(err(&again).contains("`model.zt` exists already"));

    let denied = zt(&world, Some(&maya), OPEN);
    assert_eq!(denied.status.code(), Some(2));
    assert!(files(&world, "out").is_empty());
    let opened = zt(&world, Some(&ines), OPEN);
    assert!(opened.status.success(), "{}", err(&opened));
    assert!(fs::read(world.path().join("out/model.bin")).unwrap() == plain);
    let other = ["open", "loan_scores_delta", "model.zt", "out/other.bin"];
    let why = err(&zt(&world, Some(&ines), &other));
    assert!(
        why.contains("sealed as `model.bin`, and is opened as `other.bin`"),
        "{why}"
    );
    let named = [&other[..], &["--name", "model.bin"]].concat();
    assert!(zt(&world, Some(&ines), &named).status.success());
}

#[tokio::test]
async fn a_file_that_was_changed_leaves_nothing() {
    let world = World::new().with_key("scores-kek").await;
    let mut plain = NEEDLE.as_bytes().repeat(8000);
    plain.truncate(150_000);
    let (source, place) = (
        world.path().join("model.bin"),
        world.path().join("model.zt"),
    );
    fs::write(&source, plain).unwrap();
    fs::create_dir(world.path().join("out")).unwrap();
    let [job, ines] = ["sp-score-201", "ines"].map(|name| token(&world, name));
    assert!(zt(&world, Some(&job), SEAL).status.success());
    fs::remove_file(source).unwrap();
    let mut sealed = fs::read(&place).unwrap();
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    fs::write(&place, &sealed).unwrap();
    let why = zt(&world, Some(&ines), OPEN);
    assert_eq!(why.status.code(), Some(2));
    assert!(
        err(&why).contains("the last segment of the file, 3, does not open"),
        "{}",
        err(&why)
    );
    assert!(files(&world, "out").is_empty());
    fs::write(&place, "plain").unwrap();
    let why = zt(&world, Some(&ines), OPEN);
    assert!(
        err(&why).contains("this is not a sealed file"),
        "{}",
        err(&why)
    );
    // What opens a part of the rows or columns opens no file.
    sealed[last] ^= 1;
    fs::write(&place, &sealed).unwrap();
    world.edit(|tables| {
        tables
            + "\n[[Access_Policies]]\nid = \"AP-99\"\nprincipal = \"role:risk_officer\"\naction = \"data.open\"\n\
               resource = \"output:loan_scores_delta\"\neffect = \"deny\"\ncolumns = [\"id\"]\n"
    });
    let why = zt(&world, Some(&ines), OPEN);
    assert!(
        err(&why).contains("ZT-1003") && err(&why).contains("opened whole"),
        "{}",
        err(&why)
    );
    assert!(files(&world, "out").is_empty());
}
