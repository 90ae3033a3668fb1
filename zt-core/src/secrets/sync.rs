//! What a slot synchronises with. In one place, so that its model test puts a scheduler's own in their stead.

pub(super) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) use arc_swap::ArcSwap;
