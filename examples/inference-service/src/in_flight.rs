//! How many requests of one caller are under way: nobody takes all the room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use zt_core::Session;
use zt_core::id::Guid;

/// Tenant and object id: what a caller cannot choose.
type Caller = (Guid, Guid);

/// Counts by caller; whoever has none is not kept.
#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    most: usize,
    counts: Arc<Mutex<HashMap<Caller, usize>>>,
}

/// One request under way. Ends with its drop, however the request ends.
#[derive(Debug)]
pub(crate) struct Place {
    caller: Caller,
    counts: Arc<Mutex<HashMap<Caller, usize>>>,
}

impl InFlight {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            counts: Arc::default(),
        }
    }

    /// A place for a request of this caller, unless as many are under way as may be.
    pub(crate) fn take(&self, session: &Session) -> Option<Place> {
        self.take_for((session.caller().tenant(), session.caller().object()))
    }

    fn take_for(&self, caller: Caller) -> Option<Place> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(caller).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place {
            caller,
            counts: Arc::clone(&self.counts),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_so_many_places_and_gives_them_back() {
        let guid = |text: &str| text.parse().unwrap();
        let tenant: Guid = guid("11111111-1111-4111-8111-111111111111");
        let maya = (tenant, guid("b0000000-0000-4000-8000-000000000002"));
        let elin = (tenant, guid("b0000000-0000-4000-8000-000000000003"));
        let places = InFlight::new(2);
        let first = places.take_for(maya);
        let second = places.take_for(maya);
        assert!(first.is_some() && second.is_some());
        assert!(places.take_for(maya).is_none());
        assert!(
            places.take_for(elin).is_some(),
            "another caller has its own"
        );
        drop(first);
        assert!(places.take_for(maya).is_some());
        drop(second);
        assert!(places.counts.lock().unwrap().is_empty());
    }
}
