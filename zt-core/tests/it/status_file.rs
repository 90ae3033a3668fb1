//! The file in which a process tells how it is: for its owner alone, whole, and gone with the runtime.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::world::{World, sign_in};

/// Waits until the file is there, or is not.
fn waits(file: &Path, is_there: bool) -> bool {
    for _ in 0..1200 {
        if file.exists() == is_there {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

#[tokio::test]
async fn the_status_file_is_its_owners_and_goes_with_the_runtime() {
    let world = World::new().with_secret("bureau-api-key").await;
    let file = world.path().join("zt.toml");
    let settings = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{settings}\n[status]\nfolder = \"state\"\n")).unwrap();
    let folder = world.path().join("state");
    // Left by a process that was killed while it wrote: whoever laid it there is not followed.
    fs::create_dir(&folder).unwrap();
    let elsewhere = world.path().join("elsewhere");
    let draft = folder.join(format!(".{}.json", std::process::id()));
    #[cfg(unix)]
    std::os::unix::fs::symlink(&elsewhere, draft).unwrap();

    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    assert!(job.secret("bureau-api-key").await.is_ok());
    let file = folder.join(format!("{}.json", std::process::id()));
    assert!(waits(&file, true), "it is written");
    let said: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(said["process"], std::process::id());
    assert!(!elsewhere.exists(), "a link is not followed");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    zt.close(Duration::from_secs(5)).await.unwrap();
    assert!(waits(&file, false), "it is gone");
}
