//! Where vaults are asked, and where those who wait for one are told that it is too late.

use std::sync::Arc;

use crate::runtime::background::Background;

/// See the module.
pub(super) struct Threads {
    pub(super) work: Arc<Background>,
    pub(super) timer: Arc<Background>,
}

impl Threads {
    /// A thread for vaults beside one that does nothing but timers: what blocks the first ends no wait.
    pub(super) fn with(timer: &Arc<Background>) -> Self {
        let work = Background::new("zt-kv").preparing(zt_memory::wipe_on_this_thread);
        Self {
            work: Arc::new(work),
            timer: Arc::clone(timer),
        }
    }
}
