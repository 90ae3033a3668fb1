//! Reference data in files: CSV in the folder of `zt.toml`.
//!
//! The row of ML_Models names a path inside the folder; validation refuses one that leads out by its text, and this adapter
//! one that leads out by a link. Bytes are compared with the row's SHA-256 before anything parses them.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::batch::Batch;
use crate::metadata::MlModel;
use crate::monitor::{ReferenceError, ReferenceSource};
use crate::port::BoxFuture;

/// The longest reference file, in bytes.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// A folder of reference data.
#[derive(Debug)]
pub struct FileReference {
    folder: PathBuf,
    most_bytes: u64,
}

impl FileReference {
    /// The reference data in this folder; nothing is read yet. A file has at most 64 MiB.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            most_bytes: MOST_BYTES,
        }
    }

    fn read(&self, model: &MlModel) -> Result<Batch, ReferenceError> {
        let name = model
            .reference
            .as_deref()
            .ok_or_else(|| ReferenceError::not_found(&model.name))?;
        let bytes = self.bytes(name)?;
        if let Some(expected) = &model.sha256 {
            let is = hex(digest::digest(&digest::SHA256, &bytes).as_ref());
            if !expected.eq_ignore_ascii_case(&is) {
                return Err(ReferenceError::changed(name, is));
            }
        }
        Batch::from_csv(bytes.as_slice()).map_err(|why| ReferenceError::malformed(name, why))
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, ReferenceError> {
        let failed = |why: io::Error| {
            if why.kind() == io::ErrorKind::NotFound {
                ReferenceError::not_found(name)
            } else {
                ReferenceError::refused(name, format!("cannot be read: {why}"))
            }
        };
        let path = self.inside(name).map_err(failed)?;
        let path = path.ok_or_else(|| ReferenceError::refused(name, "leads out of the folder"))?;
        // Asked before it is opened: opening a pipe waits for a writer.
        if !fs::metadata(&path).map_err(failed)?.is_file() {
            return Err(ReferenceError::refused(name, "not a regular file"));
        }
        let file = File::open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        let mut limited = file.take(self.most_bytes.saturating_add(1));
        let read = limited.read_to_end(&mut bytes).map_err(failed)?;
        if u64::try_from(read).unwrap_or(u64::MAX) > self.most_bytes {
            let why = format!("more than {} bytes", self.most_bytes);
            return Err(ReferenceError::refused(name, why));
        }
        Ok(bytes)
    }

    /// The real path with every link followed; `None` if it is not inside the folder.
    fn inside(&self, name: &str) -> io::Result<Option<PathBuf>> {
        let folder = if self.folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &self.folder
        };
        let folder = folder.canonicalize()?;
        let path = folder.join(name).canonicalize()?;
        Ok(path.starts_with(&folder).then_some(path))
    }
}

impl ReferenceSource for FileReference {
    fn load<'a>(&'a self, model: &'a MlModel) -> BoxFuture<'a, Result<Batch, ReferenceError>> {
        Box::pin(async move { self.read(model) })
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String does not fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(reference: &str, sha256: Option<&str>) -> MlModel {
        MlModel {
            name: "m".to_owned(),
            kind: None,
            notebook: None,
            label: None,
            prediction: None,
            score: None,
            reference: Some(reference.to_owned()),
            sha256: sha256.map(str::to_owned),
        }
    }

    fn folder() -> (tempfile::TempDir, FileReference) {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        fs::create_dir_all(inner.join("data")).unwrap();
        fs::write(inner.join("data/r.csv"), "a\n1\n").unwrap();
        fs::write(outer.path().join("out.csv"), "a\nzt-needle-outside\n").unwrap();
        (outer, FileReference::new(inner))
    }

    #[tokio::test]
    async fn a_file_of_the_right_digest_is_read() {
        let (_folder, source) = folder();
        // As `sha256sum` prints it.
        let right = "309b0e45a73d3fc5325e2b6ed0a01ef8b9cde6b05a5633c1f893f970d52bfddc";
        let other = right.replace('0', "1");
        let error = source.load(&model("data/r.csv", Some(&other))).await;
        let ReferenceError::Changed { is, .. } = error.unwrap_err() else {
            panic!("another digest was taken");
        };
        assert_eq!(is, right);
        for right in [is.clone(), is.to_uppercase()] {
            let batch = source.load(&model("data/r.csv", Some(&right))).await;
            assert_eq!(batch.unwrap().rows(), 1);
        }
    }

    #[tokio::test]
    async fn the_digest_is_compared_before_anything_is_parsed() {
        let (folder, source) = folder();
        fs::write(folder.path().join("inner/bad.csv"), b"a,a\n\xff").unwrap();
        let digest = "0".repeat(64);
        let error = source.load(&model("bad.csv", Some(&digest))).await;
        assert!(matches!(error, Err(ReferenceError::Changed { .. })));
        let error = source.load(&model("bad.csv", None)).await;
        assert!(matches!(error, Err(ReferenceError::Malformed { .. })));
    }

    #[tokio::test]
    async fn no_path_leads_out_of_the_folder() {
        let (folder, source) = folder();
        let out = folder.path().join("out.csv");
        for path in ["../out.csv", "data/../../out.csv", out.to_str().unwrap()] {
            let error = source.load(&model(path, None)).await.unwrap_err();
            assert!(
                error.to_string().contains("leads out of"),
                "{path}: {error}"
            );
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn no_link_leads_out_of_the_folder() {
        let (folder, source) = folder();
        let link = |from: &str, to: &str| {
            std::os::unix::fs::symlink(from, folder.path().join("inner").join(to)).unwrap();
        };
        link("../out.csv", "file.csv");
        link("..", "up");
        link("data", "within");
        for path in ["file.csv", "up/out.csv"] {
            let error = source.load(&model(path, None)).await.unwrap_err();
            assert!(
                error.to_string().contains("leads out of"),
                "{path}: {error}"
            );
        }
        assert!(source.load(&model("within/r.csv", None)).await.is_ok());
    }

    #[tokio::test]
    async fn only_a_regular_file_of_bounded_size_is_read() {
        let (_folder, mut source) = folder();
        let error = source.load(&model("data", None)).await.unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
        let error = source.load(&model("data/none.csv", None)).await;
        assert!(matches!(error, Err(ReferenceError::NotFound { .. })));
        source.most_bytes = 4;
        assert!(source.load(&model("data/r.csv", None)).await.is_ok());
        source.most_bytes = 3;
        let error = source.load(&model("data/r.csv", None)).await.unwrap_err();
        assert!(error.to_string().contains("more than 3 bytes"), "{error}");
    }
}
