//! From nothing to the first secret of a process, and from a withdrawn grant to the first refusal.

use std::fs;
use std::time::{Duration, Instant};

use zt_azure_simulator::TokenOptions;
use zt_core::runtime::{Config, RuntimeBuilder};
use zt_core::{ErrorKind, Runtime};

use super::line;
use super::miss::{CLIENT, Cloudlet, SECRET, TENANT};
use crate::Outcome;
use crate::harness::Effort;
use crate::world::World;

const JOB: &str = "sp:sp-score-201";
/// The row that lets the job read it.
const GRANT: &str = "[[Access_Policies]]\nid = \"AP-07\"\n";

pub fn markdown(effort: Effort) -> Outcome<String> {
    let (world, azure, cloudlet) = (World::new()?, World::new()?, Cloudlet::new()?);
    on_azure(&azure, &cloudlet)?;
    let mut text = String::from(
        "\n## The first secret, and the last\n\n| from, to | median | least |\n|---|---:|---:|\n",
    );
    let (mut opened, mut local, mut remote) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.runs() {
        // Tokens come from Entra, not from zt.
        let token = world.token(&world.open()?, JOB)?;
        let builder = |world: &World| Ok(RuntimeBuilder::new(Config::load(world.path())?));
        let [open, secret] = cold(&world, &token, || builder(&world))?;
        opened.push(open);
        local.push(secret);
        let token = cloudlet
            .sim
            .token_for("sp-score-201", &TokenOptions::new())?;
        let credential = cloudlet.credential()?;
        let [_, secret] = cold(&azure, &token, || {
            Ok(builder(&azure)?.with_credential(credential))
        })?;
        remote.push(secret);
    }
    line(&mut text, "nothing, to an open runtime", opened);
    line(
        &mut text,
        "nothing, to the first secret: local vault",
        local,
    );
    line(
        &mut text,
        "nothing, to the first secret: `vault.store = \"key_vault\"`, over TLS on loopback",
        remote,
    );
    let revoked = revocations(&world, effort)?;
    line(
        &mut text,
        "tables without the grant on disk, to the first refusal: `reload`, read",
        revoked,
    );
    Ok(text)
}

/// A configuration that takes the simulator for Azure, with its keys pinned: what is measured is the vault.
fn on_azure(world: &World, cloudlet: &Cloudlet) -> Outcome {
    let sim = &cloudlet.sim;
    let at = |name: &str| world.path().join(name);
    fs::write(at("ca.pem"), sim.ca_pem())?;
    fs::write(at("keys.json"), sim.jwks())?;
    let address = sim.https_addr();
    let settings = format!(
        "mode = \"development\"\ntables = \"brindlewick.toml\"\n\
         [identity]\ncloud = \"public\"\ntenant = \"{TENANT}\"\naudience = \"{CLIENT}\"\nkeys = \"keys.json\"\n\
         [vault]\nstore = \"key_vault\"\n\
         [development]\nazure = \"{address}\"\nazure_ca = \"ca.pem\"\n"
    );
    Ok(fs::write(at("zt.toml"), settings)?)
}

/// How long until the runtime is open, and until the job has its secret.
fn cold(
    world: &World,
    token: &str,
    builder: impl FnOnce() -> Outcome<RuntimeBuilder>,
) -> Outcome<[Duration; 2]> {
    let began = Instant::now();
    let zt = world.executor.block_on(builder()?.open())?;
    let opened = began.elapsed();
    let job = world.executor.block_on(zt.authenticate(token))?;
    let job = job.claiming(201, 2);
    let secret = world.executor.block_on(job.secret(SECRET))?;
    let had = began.elapsed();
    drop(secret);
    close(world, zt)?;
    Ok([opened, had])
}

fn close(world: &World, zt: Runtime) -> Outcome {
    Ok(world.executor.block_on(zt.close(Duration::from_secs(30)))?)
}

/// The tables lose the row, and get it back for the next run.
fn revocations(world: &World, effort: Effort) -> Outcome<Vec<Duration>> {
    let zt = world.open()?;
    let job = world.sign_in(&zt, JOB)?.claiming(201, 2);
    let handle = job.secret_handle(SECRET);
    let file = world.path().join("brindlewick.toml");
    let granted = fs::read_to_string(&file)?;
    let (before, row) = granted.split_once(GRANT).ok_or("the sample grants it")?;
    let rest = row
        .find("[[")
        .and_then(|end| row.get(end..))
        .ok_or("rows follow")?;
    let revoked = format!("{before}{rest}");
    let mut times = Vec::new();
    for _ in 0..effort.runs() {
        let _read = world.executor.block_on(handle.get())?;
        fs::write(&file, &revoked)?;
        let began = Instant::now();
        let _reloaded = world.executor.block_on(zt.reload())?;
        let refused = world.executor.block_on(handle.get());
        times.push(began.elapsed());
        match refused {
            Err(error) if error.kind() == ErrorKind::Denied => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Err("a secret was handed out after its grant was gone".into()),
        }
        fs::write(&file, &granted)?;
        let _reloaded = world.executor.block_on(zt.reload())?;
    }
    close(world, zt)?;
    Ok(times)
}
