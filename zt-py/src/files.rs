//! Sealed files between Python and the core: paths, or bytes in memory.

use std::io::Cursor;
use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use zeroize::Zeroizing;
use zt_core::envelope::{self, FileHeader};
use zt_core::{Error, Result};

use crate::executor::Work;

/// The bytes of `bytes`, `bytearray` or a memory view; a copy, since Python may change them meanwhile.
pub(crate) fn bytes(what: &str, given: &Bound<'_, PyAny>) -> PyResult<Zeroizing<Vec<u8>>> {
    let made = || -> PyResult<Vec<u8>> {
        if let Ok(bytes) = given.extract::<&[u8]>() {
            return Ok(bytes.to_vec());
        }
        // As `bytes(given)` reads a buffer; of an int that would make so many zeros.
        let view = given
            .py()
            .import("builtins")?
            .getattr("memoryview")?
            .call1((given,))?;
        view.call_method0("tobytes")?.extract()
    };
    made().map(Zeroizing::new).map_err(|_| {
        PyTypeError::new_err(format!("`{what}` must be bytes, or have a buffer of them"))
    })
}

/// An opener on its way for a sealed file, which is named by its path or given as its bytes.
pub(crate) fn opener(
    session: zt_core::Session,
    output: &str,
    sealed: &Bound<'_, PyAny>,
) -> PyResult<Work<envelope::Opener>> {
    let output = output.to_owned();
    let header: Box<dyn FnOnce() -> Result<FileHeader> + Send> = match sealed.extract::<PathBuf>() {
        Ok(path) => Box::new(move || FileHeader::of_file(path)),
        Err(_) => {
            let sealed = bytes("sealed", sealed).map_err(|_| {
                PyTypeError::new_err("`sealed` must be the path of a sealed file, or its bytes")
            })?;
            let header = FileHeader::read(&mut Cursor::new(&**sealed));
            Box::new(move || header.map_err(Error::from))
        }
    };
    Ok(Box::pin(async move {
        let header = header()?;
        session.file_opener(&output, &header).await
    }))
}
