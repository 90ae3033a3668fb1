//! Alerts in a file: JSON Lines, appended, one object a line.
//!
//! A call is one write at the end of the file and one sync, so writers of several processes do not mix within a line. A
//! line that a killed writer left torn stays as it is; the next one starts on a line of its own. The file is made with mode
//! 0600, its folder with 0700.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use zt_memory::fork::Local;

use crate::durable::{create_folder, sync_folder};
use crate::monitor::{Alert, AlertError, AlertSink};
use crate::port::BoxFuture;

/// A file that alerts are appended to.
#[derive(Debug)]
pub struct FileAlerts {
    path: PathBuf,
    /// One writer at a time: what a short write began, the same writer ends. A forked child has a turn of its own.
    turn: Local<Mutex<()>>,
}

impl FileAlerts {
    /// Alerts in this file. It is made with the first alert, and opened anew each time, so that it may be rotated.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            turn: Local::new(),
        }
    }

    fn append(&self, alerts: &[Alert]) -> Result<(), AlertError> {
        if alerts.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for alert in alerts {
            serde_json::to_writer(&mut lines, alert)
                .map_err(|why| AlertError::new("an alert has no JSON").with_source(why))?;
            lines.push(b'\n');
        }
        let turn = self.turn.get_or_init(Mutex::default);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(lines).map_err(|why| {
            let what = format!("cannot append to `{}`", self.path.display());
            AlertError::new(what).with_source(why)
        })
    }

    fn write(&self, mut lines: Vec<u8>) -> io::Result<()> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) | None => Path::new("."),
        };
        create_folder(folder)?;
        let mut file = open(&self.path)?;
        let is_new = file.metadata()?.len() == 0;
        if !is_new && last_byte(&mut file)? != b'\n' {
            lines.insert(0, b'\n');
        }
        file.write_all(&lines)?;
        file.sync_data()?;
        if is_new {
            sync_folder(folder)?;
        }
        Ok(())
    }
}

impl AlertSink for FileAlerts {
    fn deliver<'a>(&'a self, alerts: &'a [Alert]) -> BoxFuture<'a, Result<(), AlertError>> {
        Box::pin(async move { self.append(alerts) })
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(file)
}

fn last_byte(file: &mut File) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut byte)?;
    let [byte] = byte;
    Ok(byte)
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::alert_contract::{self, Delivered, alert};

    impl Delivered for FileAlerts {
        fn rules(&self) -> Vec<String> {
            let text = fs::read_to_string(&self.path).unwrap_or_default();
            let rule = |line: &str| {
                let alert: serde_json::Value = serde_json::from_str(line).ok()?;
                Some(alert["rule"].as_str()?.to_owned())
            };
            text.lines().filter_map(rule).collect()
        }
    }

    #[tokio::test]
    async fn the_file_keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        alert_contract::run(&FileAlerts::new(folder.path().join("new/alerts.jsonl"))).await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/alerts.jsonl");
        let sink = FileAlerts::new(&path);
        sink.deliver(&[alert("AL-01")]).await.unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(&path), mode(&folder.path().join("a"))),
            (0o600, 0o700)
        );
    }

    #[tokio::test]
    async fn a_torn_line_stays_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.jsonl");
        let sink = FileAlerts::new(&path);
        sink.deliver(&[alert("AL-01"), alert("AL-02")])
            .await
            .unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
        sink.deliver(&[alert("AL-03")]).await.unwrap();
        assert_eq!(sink.rules(), ["AL-01", "AL-03"]);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
    }

    #[test]
    fn writers_do_not_mix_within_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.jsonl");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                // One each, as processes have.
                let sink = FileAlerts::new(&path);
                scope.spawn(move || {
                    for _ in 0..20 {
                        let alerts = vec![alert(&format!("AL-{writer}")); 3];
                        sink.append(&alerts).unwrap();
                    }
                });
            }
        });
        let rules = FileAlerts::new(&path).rules();
        assert_eq!(rules.len(), 240, "every line is whole");
        assert!(
            rules
                .chunks(3)
                .all(|call| call[0] == call[1] && call[1] == call[2])
        );
    }

    #[tokio::test]
    async fn a_folder_in_its_place_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let sink = FileAlerts::new(folder.path());
        let error = sink.deliver(&[alert("AL-01")]).await.unwrap_err();
        assert!(error.to_string().contains("cannot append to"), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}
