//! `zt-authzen-server`: serves the tables of a folder to enforcement points until it is told to stop.
//!
//! SIGHUP reads tables and settings again; SIGTERM and Ctrl-C stop it once open requests are answered.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::net::TcpListener;
use zt_authzen_server::{Answering, Token, router};

/// Serves the AuthZEN Authorization API 1.0 from zt's metadata tables. Enforcement points present the token of the environment
/// variable `ZT_AUTHZEN_TOKEN`, if it is set.
#[derive(Debug, Parser)]
#[command(name = "zt-authzen-server", version)]
struct Arguments {
    /// The folder that holds `zt.toml` and, for other words than ours, `authzen.toml`.
    #[arg(default_value = "examples/world")]
    folder: PathBuf,
    /// Where to listen. Beyond this machine only with a token.
    #[arg(long, default_value = "127.0.0.1:8181")]
    listen: SocketAddr,
    /// The `https` URL by which enforcement points reach this service; without it `http://` and the address.
    #[arg(long)]
    base_url: Option<String>,
}

/// How long open requests may take after the service was told to stop.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let token = token()?;
    if token.is_none() && !arguments.listen.ip().is_loopback() {
        return Err("set `ZT_AUTHZEN_TOKEN` before others can reach this service".into());
    }
    let answering = Arc::new(Answering::open(&arguments.folder).await?);
    let listener = TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    let base_url = arguments
        .base_url
        .unwrap_or_else(|| format!("http://{address}"));
    let service = router(Arc::clone(&answering), token, &base_url)?;
    say(&format!(
        "serving {} at {base_url}",
        arguments.folder.display()
    ));
    #[cfg(unix)]
    tokio::spawn(reload_on_hangup(Arc::clone(&answering)));
    serve(listener, service).await?;
    answering.close().await?;
    say("stopped");
    Ok(())
}

/// Until it is told to stop; then open requests have ten seconds.
async fn serve(listener: TcpListener, service: axum::Router) -> std::io::Result<()> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let stop = async move {
        told_to_stop().await;
        let _nobody_waits = tell.send(());
    };
    let served = axum::serve(listener, service).with_graceful_shutdown(stop);
    let late = async move {
        if told.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        served = served.into_future() => served,
        () = late => Ok(()),
    }
}

/// The shared token, if there is one. It stands in no command line, where others could read it.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this program that reads the environment"
)]
fn token() -> Result<Option<Token>, Box<dyn Error>> {
    match std::env::var("ZT_AUTHZEN_TOKEN") {
        Ok(text) => Ok(Some(Token::new(&text)?)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err("`ZT_AUTHZEN_TOKEN` is not text".into()),
    }
}

/// Bad tables or settings leave what is in force as it is.
#[cfg(unix)]
async fn reload_on_hangup(answering: Arc<Answering>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangups) = signal(SignalKind::hangup()) else {
        return;
    };
    while hangups.recv().await.is_some() {
        match answering.reload().await {
            Ok(()) => say("reloaded"),
            Err(why) => say(&format!("not reloaded: {why}")),
        }
    }
}

async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminations) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminations.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _interrupted = tokio::signal::ctrl_c().await;
}

/// Who runs this reads it; if nobody can, it serves on.
fn say(line: &str) {
    let _written = writeln!(std::io::stderr(), "{line}");
}
