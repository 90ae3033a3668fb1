//! Which process this is, seen from a fork: what belongs to the parent's threads is not the child's.

/// Differs between a process and its forked children.
pub(crate) fn generation() -> u64 {
    u64::from(std::process::id())
}
