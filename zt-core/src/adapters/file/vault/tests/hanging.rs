//! A file system that hangs: a pipe in place of the vault file, which nobody writes.

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tokio::time::{Instant, advance};

use super::*;
use crate::envelope::{DataKey, KeyWrapper as _};
use crate::error::ErrorKind;
use crate::secrets::{AttemptId, SecretRequest, Secrets, Timing};

const STEP: Duration = Duration::from_millis(50);

/// The vault, its pipe, and the file that was there.
struct Hung {
    folder: Folder,
    vault: Arc<LocalVault>,
}

impl Hung {
    fn new() -> Self {
        let folder = Folder::new();
        let vault = folder.by_key_file().unwrap();
        vault.put(&id("adb-token"), b"zt-needle-value", Validity::ALWAYS);
        vault.create_key(&id("kek")).unwrap();
        fs::rename(folder.path(), folder.aside()).unwrap();
        let mode = Mode::RUSR | Mode::WUSR;
        mknodat(CWD, folder.path(), FileType::Fifo, mode, 0).unwrap();
        Self {
            folder,
            vault: Arc::new(vault),
        }
    }

    /// Where the pipe is once the file is back.
    fn pipe(&self) -> PathBuf {
        self.folder.path().with_extension("pipe")
    }

    /// Puts the file back; what hangs goes on to hang.
    fn put_back(&self) {
        fs::rename(self.folder.path(), self.pipe()).unwrap();
        fs::rename(self.folder.aside(), self.folder.path()).unwrap();
    }

    /// Lets every thread that hangs go, and puts the file back.
    fn end(&self) {
        if self.folder.aside().exists() {
            self.put_back();
        }
        let both = fs::File::options().read(true).write(true).open(self.pipe());
        drop(both);
    }
}

impl Drop for Hung {
    /// The test's runtime waits for its threads, also when the test fails.
    fn drop(&mut self) {
        self.end();
    }
}

/// Until it is over, in steps: time does not pass by itself while a thread hangs.
async fn over<T: Send + 'static>(asked: impl Future<Output = T> + Send + 'static) -> (T, Duration) {
    let begin = Instant::now();
    let asked = tokio::spawn(asked);
    while !asked.is_finished() {
        tokio::task::yield_now().await;
        advance(STEP).await;
    }
    (asked.await.unwrap(), begin.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_read_ends_with_the_time_of_a_miss_and_warming_with_its_budget() {
    let hung = Hung::new();
    let vault = Arc::clone(&hung.vault) as Arc<dyn SecretVault>;
    let secrets = Secrets::new(vault, Arc::new(ManualClock::new(Timestamp::from_secs(0))));
    let secrets = Arc::new(secrets.with_timing(Timing::local()));
    let request = SecretRequest::new(id("adb-token"));
    secrets.declare([request.clone()]);

    let (own, asked) = (Arc::clone(&secrets), request.clone());
    let (read, took) = over(async move { own.get(&asked).await.map(drop) }).await;
    let error = read.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable { .. }),
        "{error}"
    );
    assert!(took <= Duration::from_millis(3_200), "{took:?}");
    let (own, asked) = (Arc::clone(&secrets), request.clone());
    let budget = Duration::from_secs(1);
    let (warmed, took) = over(async move { own.warm(&[asked], budget).await }).await;
    assert_eq!((warmed.ready, warmed.failed.len()), (0, 1));
    assert!(took <= budget + STEP, "{took:?}");

    hung.end();
    secrets.clear();
    let secret = secrets.get(&request).await.unwrap();
    assert!(secret.reveal() == b"zt-needle-value");
}

#[tokio::test(start_paused = true)]
async fn no_more_than_four_threads_hang_whoever_asks_and_they_come_back() {
    let hung = Hung::new();
    for n in 0..20 {
        let vault = Arc::clone(&hung.vault);
        let asked = async move {
            let dek = DataKey::generate().unwrap();
            let attempt = Attempt::new(AttemptId::from_u128(n), STEP);
            if n % 2 == 0 {
                vault.fetch(&id("adb-token"), &attempt).await.is_ok()
            } else {
                vault.wrap(&id("kek"), &dek).await.is_ok()
            }
        };
        let (given_up, _) = over(tokio::time::timeout(STEP, asked)).await;
        assert!(given_up.is_err());
    }
    let places = Arc::clone(hung.vault.readers.places());
    assert_eq!(places.free(), 0);
    hung.end();
    while places.free() < places::MOST_READERS {
        tokio::task::yield_now().await;
    }
    let attempt = Attempt::new(AttemptId::from_u128(20), STEP);
    assert!(hung.vault.fetch(&id("adb-token"), &attempt).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_back_is_read_although_every_read_of_before_hangs_for_good() {
    let hung = Hung::new();
    let fetch = |n| {
        let vault = Arc::clone(&hung.vault);
        let asked = async move {
            let attempt = Attempt::new(AttemptId::from_u128(n), STEP);
            vault.fetch(&id("adb-token"), &attempt).await
        };
        over(tokio::time::timeout(STEP, asked))
    };
    for n in 0..4 {
        assert!(fetch(n).await.0.is_err());
    }
    hung.put_back();
    advance(Duration::from_secs(30)).await;
    let vault = Arc::clone(&hung.vault);
    let attempt = Attempt::new(AttemptId::from_u128(5), STEP);
    let fetched = vault.fetch(&id("adb-token"), &attempt).await.unwrap();
    assert!(fetched.value.reveal() == b"zt-needle-value");
}
