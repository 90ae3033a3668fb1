//! When two records are repeats of each other.

use std::hash::{Hash, Hasher};

use super::{Contents, Record};

/// A record as the key under which its repeats are counted: equal but for when it was, its decision, what nearly decided and
/// what of its lists was left out. The rest of it stays with the first.
#[derive(Debug)]
pub(in super::super) struct Repeat(pub(in super::super) Record);

impl PartialEq for Repeat {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&self.0.0, &other.0.0);
        (one.kind, one.outcome) == (other.kind, other.outcome)
            && one.fields.repeated() == other.fields.repeated()
    }
}

impl Eq for Repeat {}

impl Hash for Repeat {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Contents {
            kind,
            outcome,
            fields,
            at: _,
            omitted: _,
        } = &*self.0.0;
        (kind, outcome, fields.repeated()).hash(state);
    }
}
