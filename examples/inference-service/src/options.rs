//! What the service is told at its start, by flags or the environment. What zt itself is told stands in `zt.toml`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Scores car loans over HTTP for whom zt's metadata tables allow it. Each option has an environment variable; settings of zt
/// itself stand in the folder's `zt.toml`.
#[derive(Debug, Clone, Parser)]
#[command(name = "zt-inference-service", version)]
pub struct Options {
    /// The folder that holds `zt.toml`, the tables and the reference data of the models.
    #[arg(default_value = "examples/world", env = "ZT_SERVICE_FOLDER")]
    pub folder: PathBuf,
    /// Where callers reach the service. TLS ends in front of it.
    #[arg(long, default_value = "127.0.0.1:8080", env = "ZT_SERVICE_LISTEN")]
    pub listen: SocketAddr,
    /// Where probes, scrapers and operators reach it: never through the door of the callers.
    #[arg(long, default_value = "127.0.0.1:9090", env = "ZT_SERVICE_ADMIN")]
    pub admin: SocketAddr,
    /// A file with the token of the service itself, read again when the token is about to end. Without it the identity of the
    /// machine counts (build with the feature `azure`).
    #[arg(long, env = "ZT_SERVICE_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// The secret that opens the credit bureau, a row of Secret_References.
    #[arg(long, default_value = "bureau-api-key", env = "ZT_SERVICE_SECRET")]
    pub secret: String,
    /// The output whose Encryption_Rules seal answers, a row of Output_Storage.
    #[arg(long, default_value = "loan_scores_delta", env = "ZT_SERVICE_OUTPUT")]
    pub output: String,
    /// The job that the service claims to work for.
    #[arg(long, default_value_t = 201, env = "ZT_SERVICE_JOB")]
    pub job: u32,
    /// The stage of that job.
    #[arg(long, default_value_t = 2, env = "ZT_SERVICE_STAGE")]
    pub stage: u32,
    #[command(flatten)]
    pub(crate) limits: Limits,
    #[command(flatten)]
    pub(crate) trial: TrialOptions,
    /// How often the service looks whether it is ready, in seconds.
    #[arg(long, default_value = "5", value_parser = seconds, env = "ZT_SERVICE_PROBE_S")]
    pub(crate) probe_s: Duration,
    /// How long open requests may take after the service was told to stop, in seconds.
    #[arg(long, default_value = "20", value_parser = seconds, env = "ZT_SERVICE_DRAIN_S")]
    pub(crate) drain_s: Duration,
}

/// How much is taken on.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Limits {
    /// The largest body of a request, in bytes; 413 beyond.
    #[arg(long, default_value_t = 256 << 10, env = "ZT_SERVICE_MOST_BYTES")]
    pub(crate) most_bytes: usize,
    /// The most applications of a request; 400 beyond.
    #[arg(long, default_value_t = 1000, env = "ZT_SERVICE_MOST_ROWS")]
    pub(crate) most_rows: usize,
    /// How long a request may take, in seconds; 503 beyond.
    #[arg(long, default_value = "10", value_parser = seconds, env = "ZT_SERVICE_TIMEOUT_S")]
    pub(crate) timeout_s: Duration,
    /// The most requests at a time; 503 beyond.
    #[arg(long, default_value_t = 64, env = "ZT_SERVICE_MOST_IN_FLIGHT")]
    pub(crate) most_in_flight: usize,
    /// The most requests of one caller at a time; 429 beyond.
    #[arg(long, default_value_t = 8, env = "ZT_SERVICE_PER_CALLER")]
    pub(crate) per_caller: usize,
}

/// How new tables are tried.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct TrialOptions {
    /// How often the tables are looked at, in seconds.
    #[arg(long, default_value = "5", value_parser = seconds, env = "ZT_SERVICE_WATCH_S")]
    pub(crate) watch_s: Duration,
    /// How long changed tables stay in shadow at most, in seconds; 0 takes them at once.
    #[arg(long, default_value = "60", value_parser = seconds, env = "ZT_SERVICE_SHADOW_S")]
    pub(crate) shadow_s: Duration,
    /// After how many compared decisions they leave it earlier.
    #[arg(long, default_value_t = 1000, env = "ZT_SERVICE_SHADOW_DECISIONS")]
    pub(crate) shadow_decisions: u64,
    /// How many decisions may change; with more the tables are kept back.
    #[arg(long, default_value_t = 0, env = "ZT_SERVICE_SHADOW_FLIPS")]
    pub(crate) shadow_flips: u64,
}

impl TrialOptions {
    /// While tables are tried, nothing confirms those in force.
    pub(crate) fn refuse_longer_than(&self, most: Option<Duration>) -> Result<(), String> {
        let lasts = self.shadow_s.saturating_add(self.watch_s);
        match most {
            Some(most) if lasts >= most => Err(format!(
                "a trial and a look last {} s together, and tables are trusted for {} s: choose a shorter `--shadow-s`, or a \
                 longer `metadata.max_staleness_s`",
                lasts.as_secs(),
                most.as_secs()
            )),
            Some(_) | None => Ok(()),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// In the cluster one folder is written to, and a trial fits into what the settings allow.
    #[test]
    fn what_is_shipped_runs_with_the_defaults() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");
        let config = zt_core::runtime::Config::load_with(folder, |_| None).unwrap();
        let trial = Options::parse_from(["service"]).trial;
        assert!(trial.refuse_longer_than(config.max_staleness()).is_ok());
        for path in [config.audit_folder(), config.alerts_file()] {
            assert!(path.starts_with("/var/lib/zt"), "{}", path.display());
        }
        let manifest = include_str!("../deploy/kubernetes.yaml");
        for word in [
            "runAsNonRoot: true",
            "readOnlyRootFilesystem: true",
            "allowPrivilegeEscalation: false",
            "drop: [\"ALL\"]",
            "type: RuntimeDefault",
            "path: /readyz",
            "path: /healthz",
            "mountPath: /var/lib/zt ",
        ] {
            assert!(manifest.contains(word), "{word}");
        }
    }

    #[test]
    fn every_option_has_a_variable_and_says_what_it_is() {
        let command = Options::command();
        command.clone().debug_assert();
        for argument in command.get_arguments() {
            let name = argument.get_id();
            let variable = argument.get_env().and_then(|name| name.to_str());
            assert!(
                variable.is_some_and(|name| name.starts_with("ZT_SERVICE_")),
                "{name}"
            );
            assert!(argument.get_help().is_some(), "{name}");
        }
    }

    #[test]
    fn a_trial_is_shorter_than_tables_are_trusted_unconfirmed() {
        let most = |seconds| Some(Duration::from_secs(seconds));
        let trial = Options::parse_from(["service"]).trial;
        assert!(trial.refuse_longer_than(None).is_ok());
        assert!(trial.refuse_longer_than(most(66)).is_ok());
        let why = trial.refuse_longer_than(most(65)).unwrap_err();
        assert!(why.contains("last 65 s together"), "{why}");
    }

    #[test]
    fn the_readme_has_every_variable() {
        let (command, readme) = (Options::command(), include_str!("../README.md"));
        for argument in command.get_arguments() {
            let variable = argument.get_env().unwrap().to_str().unwrap();
            assert!(readme.contains(&format!("`{variable}`")), "{variable}");
        }
    }
}
