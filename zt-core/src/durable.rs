//! Names that a power cut does not lose.
//!
//! In: a folder. Out: once a call returns, the names that were made in it or removed from it are on the disk.
//! Source: fsync(2), which brings a file's bytes to the disk and not its name.

use std::fs;
use std::io;
use std::path::Path;

/// Creates the folder and its parents, mode 0700, and makes their names durable; leaves an existing one as it is.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    let missing = path.ancestors().take_while(|folder| !folder.exists());
    let holders: Vec<&Path> = missing.filter_map(Path::parent).collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    holders.into_iter().rev().try_for_each(sync_folder)
}

/// Makes names that were added to or removed from a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened as a file, and its names are journaled by the file system.
    if cfg!(unix) {
        // The parent of a name without a folder.
        let is_here = path.as_os_str().is_empty();
        let path = if is_here { Path::new(".") } else { path };
        fs::File::open(path)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_with_its_parents_and_may_exist() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_folder(&deep).unwrap();
        create_folder(&deep).unwrap();
        assert!(deep.is_dir());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = deep.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
        sync_folder(Path::new("")).unwrap();
        assert!(sync_folder(&deep.join("none")).is_err() || cfg!(not(unix)));
    }
}
