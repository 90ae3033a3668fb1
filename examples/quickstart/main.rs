//! The quickstart: job 201 is planned, scored, sealed, watched and proven.
//!
//! `cargo run --release --example quickstart [FOLDER]` runs on `examples/world`, an invented company, with the embedded
//! default: tables in files, an encrypted local vault, an audit folder. No network, no Azure. What it writes lies in
//! `FOLDER/.zt`. Exit code 1 if anything differs from `FOLDER/expected.json`.

mod decisions;
mod expected;
mod people;
mod plan;
mod proof;
mod scoring;
mod sealing;
mod secrets;
mod story;
mod tables;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use zt_core::runtime::{Config, RuntimeBuilder};

use expected::Expected;
use scoring::Loans;
use story::Story;

/// Anything that stops the story.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(sample_world, PathBuf::from);
    let mut story = Story::new(
        "zt quickstart",
        "Brindlewick Motor Finance, an invented company",
    );
    let told = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|executor| executor.block_on(tell(&mut story, &folder)));
    if let Err(error) = told {
        story.differs(&error.to_string());
    }
    story.end()
}

fn sample_world() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("world")
}

async fn tell(story: &mut Story, folder: &Path) -> Outcome {
    let config = Config::load(folder)?;
    let expected = Expected::read(&folder.join("expected.json"))?;

    tables::lint(story, &config).await?;
    secrets::fill_the_vault(story, &config).await?;
    let zt = RuntimeBuilder::new(config.clone()).open().await?;
    let sessions = people::sign_in(story, &zt).await?;
    people::refuse_a_forged_token(story, &zt).await?;
    decisions::decide(story, &expected, &sessions, &config).await?;
    plan::plan(story, &expected, &sessions)?;
    secrets::read_as_the_job(story, &sessions).await?;
    let data = Loans::read(folder)?;
    scoring::score(story, &data, &sessions)?;
    scoring::measure(story, &expected, &data)?;
    scoring::watch(story, &expected, &data, &sessions).await?;
    let scores = sealing::scores(&data)?;
    sealing::seal_and_open(story, &scores, &sessions, &config).await?;
    sealing::show(story, &expected, &scores, &sessions)?;
    zt.close(Duration::from_secs(5)).await?;
    proof::verify(story, &config)
}
