//! `zt-inference-service`: serves until it is told to stop. SIGHUP looks at the tables at once; SIGTERM and Ctrl-C stop it
//! once open requests are answered and the audit log is on the disk.

use clap::Parser as _;
use zt_inference_service::{Options, run};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(Options::parse()).await
}
