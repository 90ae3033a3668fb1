//! Until when a decision cannot change on its snapshot.
//!
//! In: a decision. Out: the first moment at which one of the rows that speak of its caller, action and resource may begin
//! or cease to apply: by its window, its activation, a membership of the caller, or a test of `time.*`. Never later than a
//! change; it may be earlier than one, since not every row that changes decides. What a token or a reload ends is not in it.

use super::condition::Condition;
use super::{Decision, Facts, Projection};
use crate::clock::Timestamp;

impl Decision {
    /// The first moment at which time alone may change this decision on its snapshot; none when it never does. So whoever
    /// keeps the answer asks again then, on a new snapshot, or when the caller's token has ended.
    ///
    /// ```
    /// # use zt_core::{Result, Session};
    /// fn cache_until(job: &Session) -> Result<Option<String>> {
    ///     let decision = job.check("secret.get", "secret:bureau-api-key")?;
    ///     Ok(decision.lease().map(|end| end.to_string())) // 2026-10-01T18:00:00.000Z, or for as long as the tables hold
    /// }
    /// ```
    #[must_use]
    pub fn lease(&self) -> Option<Timestamp> {
        let (snapshot, request) = (&**self.snapshot(), self.request());
        let now = request.now?;
        let facts = request.facts(snapshot);
        let projection = Projection::of(snapshot, request);
        let mut rows = Vec::new();
        let membership = projection.at_any_time(snapshot, request, now, &mut |row| rows.push(row));
        rows.sort_unstable();
        rows.dedup();
        let policies = rows.iter().filter_map(|row| snapshot.policy(*row));
        let changes = policies.flat_map(|row| {
            let activations = snapshot.activations(&row.id);
            let activated = activations
                .filter_map(|row| row.window().next_change(now))
                .min();
            let conditions = std::iter::once(&row.when).chain(&row.row_condition);
            let tested = conditions
                .filter_map(|condition| change(condition, &facts, now))
                .min();
            [row.window().next_change(now), activated, tested]
        });
        changes.chain([membership]).flatten().min()
    }
}

fn change(condition: &Condition, facts: &Facts<'_>, now: Timestamp) -> Option<Timestamp> {
    condition.next_change(facts, now)
}
