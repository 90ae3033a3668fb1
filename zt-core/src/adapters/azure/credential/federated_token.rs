//! The token file of a workload: Kubernetes writes a fresh token into it before the old one ends (Microsoft Learn, "Microsoft
//! Entra Workload ID": read the file each time).

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tokio::runtime::Handle;
use zeroize::Zeroizing;

use crate::identity::{ClientAssertion, CredentialError};
use crate::port::BoxFuture;

/// A file that holds a client assertion, read anew for each request.
#[derive(Debug, Clone)]
pub struct FederatedTokenFile {
    path: PathBuf,
}

impl FederatedTokenFile {
    /// The file of `AZURE_FEDERATED_TOKEN_FILE`. Nothing is read yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl ClientAssertion for FederatedTokenFile {
    fn assertion(&self) -> BoxFuture<'_, Result<Zeroizing<String>, CredentialError>> {
        Box::pin(async {
            let path = self.path.clone();
            let Ok(runtime) = Handle::try_current() else {
                return read(&path).map_err(|error| unreadable(error.kind()));
            };
            match runtime.spawn_blocking(move || read(&path)).await {
                Ok(read) => read.map_err(|error| unreadable(error.kind())),
                Err(_) => Err(unreadable(io::ErrorKind::Interrupted)),
            }
        })
    }
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(MOST_BYTES));
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    File::open(path)?.take(most).read_to_string(&mut text)?;
    let token = text.trim();
    let sound = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !sound || text.len() == MOST_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(Zeroizing::new(token.to_owned()))
}

/// Also a file that is not there: the variable says that this process is a workload, and a chain that went on would end up as
/// the machine instead.
fn unreadable(kind: io::ErrorKind) -> CredentialError {
    CredentialError::Unavailable {
        credential: "the federated token file".to_owned(),
        reason: format!("AZURE_FEDERATED_TOKEN_FILE cannot be read: {kind}"),
        retry_in: None,
    }
}

/// Longer than any service account token.
const MOST_BYTES: usize = 64 * 1024;
