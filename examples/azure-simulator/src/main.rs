//! `zt-azure-simulator`: Azure on this machine, until it is told to stop.

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use zt_azure_simulator::{Options, Simulator};

/// Plays Entra ID, Microsoft Graph, managed identities and Key Vault on loopback, with the people, workloads and secrets of
/// `examples/world`.
/// Nothing that it issues is of any worth elsewhere.
#[derive(Debug, Parser)]
#[command(name = "zt-azure-simulator", version, after_help = AFTER_HELP)]
struct Arguments {
    /// The port for Entra and Graph, over TLS; 0 takes a free one.
    #[arg(long, default_value_t = 8443)]
    https_port: u16,
    /// The port for managed identities, for device codes and for control, without TLS; 0 takes a free one.
    #[arg(long, default_value_t = 8480)]
    http_port: u16,
    /// Where the certificate to trust is written.
    #[arg(long, default_value = ".zt/azure-simulator")]
    folder: PathBuf,
}

const AFTER_HELP: &str = "\
Control, on the plain port:
  GET    /control                                  addresses, people, keys, codes that wait
  POST   /control/token?name=maya                  a token for a person or a workload
  POST   /control/federated-token?name=sp-score-201
  POST   /control/device/approve?code=CODE&user=maya    or /control/device/decline?code=CODE
  POST   /control/keys/rotate                      or publish-ahead, foreign, retire?kid=KID
  POST   /control/faults                           {\"path\": \"/common\", \"fault\": \"slow\", \"times\": 1}
  DELETE /control/faults
  GET    /control/requests                         DELETE empties the log
  POST   /control/time?seconds=3600                moves the simulator's clock ahead
  GET    /control/vaults                           vaults, secrets, keys, rights; never a value
  POST   /control/vaults/NAME                      makes a vault
  POST   /control/vaults/NAME/secrets/SECRET       {\"value\": \"…\"}; PATCH {\"enabled\": false, \"exp\": 0}, DELETE
  POST   /control/vaults/NAME/keys/KEY             {\"kty\": \"RSA\", \"key_size\": 2048}
  POST   /control/vaults/NAME/grant                {\"who\": \"maya\", \"rights\": [\"secrets/get\"], \"on\": \"NAME\"}; or revoke
  POST   /control/vaults/NAME/network              {\"way\": \"public\", \"address\": \"192.0.2.1\"}

Faults: slow (seconds), status (status, retry_after), truncated, html, wrong_json, redirect (to),
giant (bytes), drip (seconds), close, no_keys, other_cloud; for vaults: throttled (milliseconds),
unauthorized, forbidden (code), not_found, other_id (id), value_not_text, next_link (to), certificate
(certificate: other_name, expired, unknown_authority). `path` is the start of a path, or of a
host and a path; `times` 0 is for ever.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&format!("error: {why}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let options = Options::new().with_ports(arguments.https_port, arguments.http_port);
    let sim = Simulator::start(options)?;
    fs::create_dir_all(&arguments.folder)?;
    let folder = arguments.folder.canonicalize()?;
    let ca = folder.join("ca.pem");
    fs::write(&ca, sim.ca_pem())?;
    say(&greeting(&sim, &ca));
    told_to_stop().await?;
    say("stopped");
    Ok(())
}

/// Everything that somebody needs to use it.
fn greeting(sim: &Simulator, ca: &Path) -> String {
    let (https, http) = (sim.https_addr(), sim.http_addr());
    let ca = ca.display();
    let vaults = sim.vaults().join(", ");
    let (endpoint, header) = (sim.identity_endpoint(), sim.identity_header());
    format!(
        "\
Entra and Graph       https://{https}   (connect here for every Azure host; the Host header picks the service)
Managed identities    http://{http}/metadata/identity/oauth2/token
Device codes          http://{http}/device
Control               http://{http}/control
Vaults                {vaults}
Authority to trust    {ca}

zt.toml:
  mode = \"development\"

  [identity]
  cloud = \"public\"
  tenant = \"{SAMPLE_TENANT}\"
  audience = \"{SAMPLE_API}\"
  sign_in_client = \"{SAMPLE_PROGRAM}\"

  [development]
  azure = \"{https}\"
  azure_plain = \"{http}\"
  azure_ca = \"{ca}\"

A token:  curl -s -X POST '{http}/control/token?name=maya'
Entra:    curl -s --cacert {ca} --connect-to ::{https} https://login.microsoftonline.com/organizations/discovery/v2.0/keys
As App Service:  IDENTITY_ENDPOINT={endpoint} IDENTITY_HEADER={header}

Ctrl-C stops it."
    )
}

const SAMPLE_TENANT: &str = "11111111-1111-4111-8111-111111111111";
const SAMPLE_API: &str = "d0000000-0000-4000-8000-000000000001";
const SAMPLE_PROGRAM: &str = "d0000000-0000-4000-8000-0000000000c1";

async fn told_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminated.recv() => Ok(()),
            interrupted = tokio::signal::ctrl_c() => interrupted,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Who runs this reads it; if nobody can, it serves on.
fn say(text: &str) {
    let _written = writeln!(std::io::stderr(), "{text}");
}
