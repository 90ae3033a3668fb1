use super::{Mapping, page_size};
use crate::status::Protection;

/// Reads one byte in a child and says whether that ended it.
fn is_deadly(address: *const u8) -> bool {
    // SAFETY: the child reads one byte and exits.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: reads what may not be mapped: that is the question, asked of the kernel in a child of its own.
        let byte = unsafe { address.read_volatile() };
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(i32::from(byte)) };
    }
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!(waited, child);
    libc::WIFSIGNALED(status) && matches!(libc::WTERMSIG(status), libc::SIGSEGV | libc::SIGBUS)
}

/// Whether the address is mapped so that nobody may read there: proc(5), /proc/PID/maps.
#[cfg(target_os = "linux")]
fn is_reserved(address: usize) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().any(|line| {
        let (range, rest) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let bound = |text| usize::from_str_radix(text, 16).unwrap();
        rest.starts_with("---") && (bound(start)..bound(end)).contains(&address)
    })
}

#[test]
fn a_mapping_is_whole_pages_of_zeros_between_guards() {
    let Ok(mapping) = Mapping::new(page_size() + 1) else {
        println!("skipped: no memory can be locked here");
        return;
    };
    assert_eq!(mapping.len(), 2 * page_size());
    assert_ne!(mapping.protection(), Protection::Heap);
    let start = mapping.start().as_ptr();
    let end = start.wrapping_add(mapping.len());
    for at in 0..mapping.len() {
        // SAFETY: inside of the mapping.
        let byte = unsafe { start.wrapping_add(at).read_volatile() };
        assert_eq!(byte, 0);
    }
    #[cfg(target_os = "linux")]
    assert!(is_reserved(start.addr() - 1) && is_reserved(end.addr()));
    assert!(is_deadly(start.wrapping_sub(1)));
    assert!(is_deadly(end));
    // What lies between is not: a child finds zeros there.
    // SAFETY: inside of the mapping.
    unsafe { start.write_volatile(7) };
    assert!(!is_deadly(start));
}

#[test]
fn what_cannot_be_mapped_is_an_error() {
    assert!(Mapping::new(usize::MAX).is_err());
    assert!(Mapping::new(usize::MAX - 2 * page_size()).is_err());
    assert!(Mapping::new(usize::MAX / 4).is_err());
}
