//! `zt seal` and `zt open`: files of an output, sealed before they leave and opened for whom the policy allows.
//!
//! These release something, so nobody is simulated: the caller's token comes from `ZT_TOKEN` or a file, never from the command
//! line, which other users of the machine can read; without one the process itself is the caller. The result is written
//! beside its place and moved there when it is whole, so that a failure leaves nothing.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anstream::println;
use clap::Args;
use zeroize::Zeroizing;
use zt_core::envelope::{Draft, FileHeader};
use zt_core::runtime::{Config, Runtime, RuntimeBuilder};
use zt_core::{Code, Error, Result, Session};

use crate::Answer;

#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// The name of a row of Output_Storage: its rule says under which key.
    output: String,
    /// The file to read.
    from: PathBuf,
    /// The file to write.
    to: PathBuf,
    /// The name that the file is bound to, instead of the plain file's: what is sealed as one name opens as no other.
    #[arg(long)]
    name: Option<String>,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
    /// A file with the caller's access token, instead of the variable ZT_TOKEN.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The job that the process works on.
    #[arg(long, requires = "stage")]
    job: Option<u32>,
    /// The stage that it is in.
    #[arg(long, requires = "job")]
    stage: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Seal,
    Open,
}

impl Seal {
    pub(crate) async fn run(self, config: Config, way: Way) -> Result<Answer> {
        let name = self.name(way)?;
        let from = File::open(&self.from).map_err(|why| failed("read", &self.from, why))?;
        let mut to = Draft::new(&self.to, self.force)?;
        let zt = RuntimeBuilder::new(config).open().await?;
        let done = self.work(&zt, way, &name, from, &mut to).await;
        zt.close(Duration::from_secs(5)).await?;
        let length = done?;
        to.keep()?;
        let did = match way {
            Way::Seal => "sealed",
            Way::Open => "opened",
        };
        println!("{did} {name}: {length} bytes");
        Ok(Answer::Yes)
    }

    async fn work(
        &self,
        zt: &Runtime,
        way: Way,
        name: &str,
        mut from: File,
        to: &mut Draft,
    ) -> Result<u64> {
        let session = self.session(zt).await?;
        match way {
            Way::Seal => {
                let sealer = session.sealer(&self.output).await?;
                sealer.seal_stream(name, from, to)
            }
            Way::Open => {
                let header = FileHeader::read(&mut from)?;
                let opener = session.file_opener(&self.output, &header).await?;
                opener.unseal_stream(name, &header, from, to)
            }
        }
    }

    /// The name of the plain file.
    fn name(&self, way: Way) -> Result<String> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let plain = match way {
            Way::Seal => &self.from,
            Way::Open => &self.to,
        };
        let name = plain.file_name().and_then(|name| name.to_str());
        name.map(str::to_owned).ok_or_else(|| {
            let message = format!("`{}` has no name of a file in UTF-8", plain.display());
            Error::new(Code::InvalidArgument, message).with_help("give one with `--name`")
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a token is no setting: it is read here, once, and kept nowhere"
    )]
    async fn session(&self, zt: &Runtime) -> Result<Session> {
        let token = match &self.token_file {
            Some(path) => Some(fs::read_to_string(path).map_err(|why| failed("read", path, why))?),
            None => std::env::var("ZT_TOKEN").ok(),
        };
        let session = match token.map(Zeroizing::new) {
            Some(token) => zt.authenticate(token.trim()).await?,
            None => zt.workload().await?,
        };
        Ok(match (self.job, self.stage) {
            (Some(job), Some(stage)) => session.claiming(job, stage),
            (Some(_) | None, _) => session,
        })
    }
}

fn failed(doing: &str, path: &Path, why: io::Error) -> Error {
    let message = format!("cannot {doing} `{}`", path.display());
    Error::new(Code::InvalidArgument, message).with_source(why)
}
