//! What a sink said of a batch, and what follows: the cursor moves on, or back, and what can never be taken is set aside.

use super::super::super::Outcome;
use super::super::super::cursor::Cursor;
use super::super::super::follow::{Log, Position};
use super::super::super::sink::{Receipt, SinkBatch, SinkError, SinkRecord};
use super::super::aside;
use super::super::trouble::Trouble;
use super::Shipper;

/// The action of a record about a record that a sink can never take.
const REFUSED: &str = "audit.record_refused";

impl Shipper {
    /// Does what a receipt says; from where the log goes on.
    pub(super) fn take(
        &mut self,
        log: Log<'_>,
        batch: &SinkBatch,
        positions: &[Position],
        receipt: &Receipt,
    ) -> Result<Position, Trouble> {
        let (first, up_to) = (batch.first(), receipt.up_to);
        if up_to > batch.last() {
            return Err(
                SinkError::unavailable("the sink acknowledges what it was not given").into(),
            );
        }
        if up_to.saturating_add(1) < first {
            return self.go_back(log, up_to);
        }
        let Some(position) = positions.iter().find(|at| at.link.seq == up_to) else {
            return Err(SinkError::unavailable("the sink takes none of the records").into());
        };
        let refused = self.set_aside(batch, receipt)?;
        self.back_at = None;
        let is_own = log.writer == self.own.writer;
        let written = Cursor::new(log.writer, position).write(&self.place);
        match written.map_err(Trouble::place) {
            // The records are delivered, and this process knows: only the next one may do so again.
            Err(trouble) if is_own => self.state.failed(&trouble.to_string(), None),
            other => other?,
        }
        let records = usize::try_from(up_to.saturating_sub(first)).unwrap_or(usize::MAX);
        self.state.delivered(records.saturating_add(1), refused);
        if is_own {
            self.at = Some(*position);
            self.state.acknowledge(up_to, &receipt.refused);
        }
        Ok(*position)
    }

    /// A sink that was emptied or restored is given again what it lacks, once.
    fn go_back(&mut self, log: Log<'_>, up_to: u64) -> Result<Position, Trouble> {
        let here = (log.writer.to_owned(), up_to);
        if self.back_at.as_ref() == Some(&here) {
            let what = format!("the sink lacks what follows record {up_to}, and does not take it");
            return Err(SinkError::unavailable(what).into());
        }
        self.back_at = Some(here);
        let reason = format!("the sink has this log up to record {up_to} only");
        self.note("audit.redelivered", log.writer, Outcome::Ok, &reason);
        let found = match log.find(up_to)? {
            Some(found) => Some(found),
            None => log.start()?,
        };
        found.ok_or_else(|| SinkError::unavailable("the log is gone").into())
    }

    /// Keeps what the sink can never take; how many records these are.
    fn set_aside(&self, batch: &SinkBatch, receipt: &Receipt) -> Result<usize, Trouble> {
        if receipt.refused.is_empty() {
            return Ok(0);
        }
        let mut refused: Vec<(&SinkRecord, &str)> = Vec::with_capacity(receipt.refused.len());
        for (seq, reason) in &receipt.refused {
            let found = batch.records.iter().find(|record| record.seq == *seq);
            match found.filter(|record| record.seq <= receipt.up_to) {
                Some(record) => refused.push((record, reason)),
                None => {
                    let what = "the sink refuses a record that it was not given";
                    return Err(SinkError::unavailable(what).into());
                }
            }
        }
        aside::set_aside(&self.place, &batch.writer, &refused).map_err(Trouble::place)?;
        for (record, reason) in &refused {
            // The record about a refusal is not itself a reason for another one.
            let is_note = record.entry().is_ok_and(|entry| entry.action == REFUSED);
            if !is_note {
                let reason = format!("record {}: {reason}", record.seq);
                self.note(REFUSED, &batch.writer, Outcome::Failed, &reason);
            }
        }
        Ok(refused.len())
    }
}
