//! A value whose place in memory is overwritten when it is dropped, for types of other libraries that leave it as it is.

use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Deref;

use zeroize::zeroize_flat_type;

/// Drops its value, and then overwrites the place where it lay. Not overwritten is what the value points to, and where it lay
/// before it was moved: what is to be moved belongs into a box first.
///
/// ```
/// let schedule = Box::new(zt_memory::Overwritten::new([7_u8; 16]));
/// assert_eq!(schedule.len(), 16);
/// assert_eq!(format!("{schedule:?}"), "[overwritten when dropped]");
/// ```
pub struct Overwritten<T>(ManuallyDrop<T>);

impl<T> Overwritten<T> {
    /// The value.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(ManuallyDrop::new(value))
    }
}

impl<T> Deref for Overwritten<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Overwritten<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[overwritten when dropped]")
    }
}

impl<T> Drop for Overwritten<T> {
    fn drop(&mut self) {
        // SAFETY: the value is dropped here alone, once, and nobody can reach it afterwards.
        unsafe { ManuallyDrop::drop(&mut self.0) };
        let place = (&raw mut self.0).cast::<MaybeUninit<T>>();
        // SAFETY: the place is ours, aligned and as large as its type; it holds no value any more, so that any bytes are
        // valid in it, and nothing reads it again.
        unsafe { zeroize_flat_type(place) };
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_place_is_overwritten() {
        let mut place = Box::new(MaybeUninit::new(Overwritten::new([7_u8; 40])));
        // SAFETY: it was initialised above and is not used as a value again.
        unsafe { ptr::drop_in_place(place.as_mut_ptr()) };
        // SAFETY: the box still owns the place, and dropping wrote each of its bytes.
        let left = unsafe { place.as_ptr().cast::<[u8; 40]>().read() };
        assert_eq!(left, [0; 40]);
    }

    #[test]
    fn the_value_is_dropped_once() {
        let counted = Arc::new(());
        let held = Overwritten::new(Arc::clone(&counted));
        assert_eq!(Arc::strong_count(&held), 2);
        drop(held);
        assert_eq!(Arc::strong_count(&counted), 1);
    }
}
