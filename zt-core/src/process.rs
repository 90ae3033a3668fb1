//! Which process this is, seen from a fork: what belongs to the parent's threads is not the child's.

/// Differs between a process and its forked children. One atomic load.
pub(crate) fn generation() -> u64 {
    zt_memory::fork::generation()
}
