//! What a sink lacks of the logs that dead writers left.

use super::super::super::cursor::{Cursor, Found};
use super::super::super::follow::Log;
use super::super::trouble::Trouble;
use super::Shipper;

impl Shipper {
    /// Lists the dead logs that the sink lacks records of, the newest first, so that the oldest is the next.
    pub(in super::super) fn survey(&mut self) -> Result<(), Trouble> {
        let (mut left, mut missing, mut damaged) = (Vec::new(), 0_u64, 0_u64);
        for (writer, last) in Log::dead(&self.own.folder, &self.own.writer)? {
            let lacks = match self.lacks(&writer, last) {
                // Removed by rule since it was listed: what is left of it, the next look finds.
                Err(trouble) if trouble.is_gone() => continue,
                lacks => lacks?,
            };
            let Some(lacks) = lacks else {
                continue;
            };
            let is_damaged = self.damaged.contains(&writer);
            let sum = if is_damaged {
                &mut damaged
            } else {
                &mut missing
            };
            *sum = sum.saturating_add(lacks);
            left.push(writer);
        }
        left.reverse();
        self.left = left;
        self.state.of_others(missing, damaged);
        Ok(())
    }

    /// How many records of a dead log the sink lacks; `None` if it has all.
    fn lacks(&self, writer: &str, last: u32) -> Result<Option<u64>, Trouble> {
        let log = Log {
            folder: &self.own.folder,
            writer,
        };
        let claimed = match Cursor::read(&self.place, writer).map_err(Trouble::place)? {
            Found::Cursor(cursor) => cursor.claim(),
            Found::Nothing | Found::Damaged => None,
        };
        // Only a cursor that the log bears out says that nothing is left.
        let confirmed = match &claimed {
            Some(claimed) => log.resume(claimed)?,
            None => None,
        };
        if let Some(at) = &confirmed
            && log.is_end(at, last)?
        {
            return Ok(None);
        }
        let has = confirmed.map_or(0, |at| at.link.seq);
        let newest = log.last(last)?;
        Ok((newest != Some(has)).then(|| newest.unwrap_or(0).abs_diff(has)))
    }
}
