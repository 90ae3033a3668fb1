//! `zt.Sealer` and `zt.Opener`: columns and files encrypted before they leave, and opened again.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zt_core::envelope::{self, FileHeader};

use crate::error::Failure;
use crate::executor::Work;
use crate::file::{self, Raised, Source, Target};
use crate::fork::Homed;
use crate::rows::{Rows, Stored};

/// Seals rows and files of one output under one data key. Safe across threads.
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Sealer {
    core: Homed<envelope::Sealer>,
}

impl Sealer {
    pub(crate) fn new(core: envelope::Sealer) -> Self {
        Self {
            core: Homed::new(core),
        }
    }
}

#[pymethods]
impl Sealer {
    /// The rows with the rule's columns sealed, with one column more: `_zt_key` holds the wrapped data key, so that rows may
    /// be split, reordered and appended, and still open.
    ///
    /// `data` is a frame of Arrow (pyarrow, pandas, polars, DuckDB, whatever has `__arrow_c_stream__`) or a mapping of column
    /// names to sequences. The answer is a frame of the same library, `zt.Table` where zt does not know it, a dict of lists
    /// for a mapping. Sealed columns are text; of a frame they may be bytes, `store="bytes"`, which are a quarter shorter. Raises
    /// Invalid unless every column of the rule is there: one that was renamed would stay plain.
    ///
    /// >>> scores = {"id": [70000], "y_pred_proba": [0.99], "salary_range": ["20K - 40K"], "debt_to_income_ratio": [0.7]}
    /// >>> sealed = job.sealer("loan_scores_delta").seal(scores)
    /// >>> list(sealed)
    /// ['id', 'y_pred_proba', 'salary_range', 'debt_to_income_ratio', '_zt_key']
    /// >>> sealed["y_pred_proba"][0][:4]
    /// 'zt1.'
    #[pyo3(signature = (data, *, store = "text"))]
    fn seal<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
        store: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (sealer, store) = (self.core.get()?, Stored::read(store).map_err(Failure::new)?);
        let rows = Rows::read(data)?;
        let sealed = py.detach(|| rows.seal(sealer, store));
        let sealed = sealed.map_err(Failure::new)?;
        sealed.like(data)
    }

    /// Bytes sealed under this name, such as that of a file: they open under it alone, so that none can lie in the place of
    /// others.
    ///
    /// >>> sealed = job.sealer("loan_scores_delta").seal_bytes("model.onnx", b"weights")
    /// >>> ines.file_opener("loan_scores_delta", sealed).unseal_bytes("model.onnx", sealed)
    /// b'weights'
    fn seal_bytes<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (sealer, data) = (self.core.get()?, file::bytes("data", data)?);
        let sealed = py.detach(|| sealer.seal_bytes(name, &data));
        Ok(PyBytes::new(py, &sealed.map_err(Failure::new)?))
    }

    /// Seals a file of any length in about 4 MiB of memory, and answers how many bytes it has.
    ///
    /// `source` and `target` are paths or binary file objects. `name` is what the file opens under, else the name of
    /// `source`. `progress=True` shows a bar where a file takes more than two seconds (tqdm, else plain text); a function is
    /// called with the bytes done and the bytes in all, None if unknown. A file at `target` is refused unless `replace`; it is written beside its place, for its owner alone, and
    /// moved there when it is whole. Raises NotFound where there is no `source`, Invalid for what cannot be read or written.
    /// Ctrl-C ends it.
    ///
    /// >>> import io
    /// >>> sealed = io.BytesIO()
    /// >>> job.sealer("loan_scores_delta").seal_file(io.BytesIO(b"weights"), sealed, name="model.onnx")
    /// 7
    /// >>> sealed.getvalue()[:7]
    /// b'zt1file'
    #[pyo3(signature = (source, target, *, name = None, replace = false, progress = None))]
    fn seal_file(
        &self,
        py: Python<'_>,
        source: &Bound<'_, PyAny>,
        target: &Bound<'_, PyAny>,
        name: Option<String>,
        replace: bool,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u64> {
        let (sealer, raised) = (self.core.get()?, Raised::default());
        let (from, place) = (Source::of(source)?, Target::place(target)?);
        let name = file::name(name, from.path())?;
        let mut from = file::watched(from, source, progress)?;
        let mut to = Target::of(target, place.as_deref(), replace)?;
        raised.or(py.detach(|| {
            let length = sealer.seal_stream(&name, from.reader(&raised), to.writer(&raised))?;
            to.keep()?;
            Ok(length)
        }))
    }

    fn __repr__(&self) -> String {
        match self.core.names() {
            Some(core) => format!("{core:?}"),
            None => "Sealer()".to_owned(),
        }
    }
}

/// Opens rows or a file of one output, with the data keys of those that it was made for. Safe across threads.
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Opener {
    core: Homed<envelope::Opener>,
}

impl Opener {
    pub(crate) fn new(core: envelope::Opener) -> Self {
        Self {
            core: Homed::new(core),
        }
    }
}

#[pymethods]
impl Opener {
    /// The rows as they were before they were sealed, without `_zt_key`, as far as the caller may see them: columns that the
    /// policy hides are left out, masked ones masked.
    ///
    /// `sealed` and the answer are as `Sealer.seal` has them. Raises Integrity for a cell that was changed, moved or cut;
    /// the message names row and column, never the value.
    ///
    /// >>> scores = {"id": [70000], "y_pred_proba": [0.99], "salary_range": ["20K - 40K"], "debt_to_income_ratio": [None]}
    /// >>> sealed = job.sealer("loan_scores_delta").seal(scores)
    /// >>> ines.opener("loan_scores_delta", sealed).unseal(sealed) == scores
    /// True
    fn unseal<'py>(
        &self,
        py: Python<'py>,
        sealed: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (opener, rows) = (self.core.get()?, Rows::read(sealed)?);
        let plain = py.detach(|| rows.unseal(opener)).map_err(Failure::new)?;
        plain.like(sealed)
    }

    /// Bytes as they were before `Sealer.seal_bytes` sealed them under this name.
    ///
    /// Raises Integrity if they were sealed under another name or key, or were changed, cut or extended.
    fn unseal_bytes<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        sealed: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (opener, sealed) = (self.core.get()?, file::bytes("sealed", sealed)?);
        let plain = py.detach(|| opener.unseal_bytes(name, &sealed));
        Ok(PyBytes::new(py, &plain.map_err(Failure::new)?))
    }

    /// Opens a sealed file, and answers how many bytes it has.
    ///
    /// `source`, `target`, `replace` and `progress` are as `Sealer.seal_file` has them; `name` is what it was sealed under, else the name
    /// of `target`. After an error there is no file at `target`; a file object may have got whole parts from the beginning,
    /// which must not be taken for the file.
    ///
    /// >>> import io
    /// >>> sealed, plain = io.BytesIO(), io.BytesIO()
    /// >>> _ = job.sealer("loan_scores_delta").seal_file(io.BytesIO(b"weights"), sealed, name="model.onnx")
    /// >>> _ = sealed.seek(0)
    /// >>> opener = ines.file_opener("loan_scores_delta", sealed)
    /// >>> opener.unseal_file(sealed, plain, name="model.onnx"), plain.getvalue()
    /// (7, b'weights')
    #[pyo3(signature = (source, target, *, name = None, replace = false, progress = None))]
    fn unseal_file(
        &self,
        py: Python<'_>,
        source: &Bound<'_, PyAny>,
        target: &Bound<'_, PyAny>,
        name: Option<String>,
        replace: bool,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u64> {
        let (opener, raised) = (self.core.get()?, Raised::default());
        let (from, place) = (Source::of(source)?, Target::place(target)?);
        let mut from = file::watched(from, source, progress)?;
        let name = file::name(name, place.as_deref())?;
        let mut to = Target::of(target, place.as_deref(), replace)?;
        raised.or(py.detach(|| {
            let header = FileHeader::read(from.reader(&raised))?;
            let (from, writer) = (from.reader(&raised), to.writer(&raised));
            let length = opener.unseal_stream(&name, &header, from, writer)?;
            to.keep()?;
            Ok(length)
        }))
    }

    fn __repr__(&self) -> String {
        match self.core.names() {
            Some(core) => format!("{core:?}"),
            None => "Opener()".to_owned(),
        }
    }
}

/// A sealer on its way.
pub(crate) fn sealer(session: zt_core::Session, output: &str) -> Work<envelope::Sealer> {
    let output = output.to_owned();
    Box::pin(async move { session.sealer(&output).await })
}

/// An opener on its way.
pub(crate) fn opener(
    session: zt_core::Session,
    output: &str,
    sealed: &Bound<'_, PyAny>,
) -> PyResult<Work<envelope::Opener>> {
    if sealed.hasattr("__next__")? {
        let message = "this can be read once, and its rows are read again to open them: make it a table first";
        return Err(PyTypeError::new_err(message));
    }
    let (output, sealed) = (output.to_owned(), Rows::read(sealed)?);
    Ok(Box::pin(
        async move { sealed.opener(&session, &output).await },
    ))
}

/// An opener of a file on its way.
pub(crate) fn file_opener(
    session: zt_core::Session,
    output: &str,
    sealed: &Bound<'_, PyAny>,
) -> PyResult<Work<envelope::Opener>> {
    let (output, header) = (output.to_owned(), file::header(sealed)?);
    Ok(Box::pin(async move {
        session.file_opener(&output, &header).await
    }))
}
