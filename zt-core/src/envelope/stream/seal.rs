//! Seals a file: a header, then its segments.

use std::io::{Read, Write};

use super::segments::{Segments, each};
use super::{FileError, FileHeader, TAG_LEN};
use crate::envelope::{SealError, Sealer};
use crate::error::Result;

impl Sealer {
    /// Seals a file of any length, which opens under this name alone, and answers how many bytes were read. The name and the
    /// length can be seen. About 4 MiB are in memory; large files are sealed on several threads.
    ///
    /// ```no_run
    /// # use zt_core::{Result, Session};
    /// # use std::fs::File;
    /// async fn keep(job: &Session) -> Result<u64> {
    ///     let (model, to) = (File::open("model.onnx").unwrap(), File::create("model.onnx.zt").unwrap());
    ///     job.sealer("models").await?.seal_stream("model.onnx", model, to)
    /// }
    /// ```
    ///
    /// # Errors
    /// `Invalid` for a name that is empty, longer than 1,024 bytes or has control characters, for a file of more than 256 TiB,
    /// and when it cannot be read or written; what was written until then is of no use.
    pub fn seal_stream(&self, name: &str, from: impl Read, mut to: impl Write) -> Result<u64> {
        let header = FileHeader::new(self.key_text(), name, self.files())?;
        self.seal_under_header(&header, from, &mut to)
    }

    /// The same under a given header, whose random bytes must never have been used under this key.
    pub(in crate::envelope) fn seal_under_header(
        &self,
        header: &FileHeader,
        from: impl Read,
        to: &mut impl Write,
    ) -> Result<u64> {
        let key = self.files().file(header)?;
        to.write_all(&header.bytes()).map_err(FileError::Write)?;
        let mut segments = Segments::new(from, 1 << header.segment_bits, TAG_LEN)?;
        let mut length = 0;
        loop {
            let group = segments.read()?;
            if group.is_empty() {
                break;
            }
            length += group.iter().map(|one| one.from.len() as u64).sum::<u64>();
            each(group, |one| -> Result<(), SealError> {
                let bytes = one.from.bytes_mut();
                let tag = key.seal(one.number, one.is_last, bytes)?;
                bytes.extend_from_slice(&tag);
                Ok(())
            })?;
            for one in group {
                to.write_all(&one.from).map_err(FileError::Write)?;
            }
        }
        to.flush().map_err(FileError::Write)?;
        Ok(length)
    }
}
