use std::cell::{Cell, RefCell};

use super::*;

fn gone() -> AuditError {
    let error = std::io::ErrorKind::NotFound.into();
    AuditError::unavailable("read the audit segment", Path::new("x"), error)
}

#[test]
fn a_folder_whose_files_go_is_read_again_after_longer_and_longer_pauses() {
    for good in 1..=TRIES {
        let (tried, pauses) = (Cell::new(0), RefCell::new(Vec::new()));
        let attempt = || {
            tried.set(tried.get() + 1);
            if tried.get() < good {
                Err(gone())
            } else {
                Ok(tried.get())
            }
        };
        let read = while_files_go(attempt, |pause| pauses.borrow_mut().push(pause)).unwrap();
        let pauses = pauses.into_inner();
        assert_eq!((read, pauses.len()), (good, good as usize - 1));
        assert!(pauses.windows(2).all(|pair| pair[1] > pair[0]));
        assert!(pauses.iter().sum::<Duration>() < Duration::from_secs(1));
    }
}

#[test]
fn files_that_go_for_ever_and_what_is_wrong_otherwise_are_errors() {
    let tried = Cell::new(0);
    let count = |error: AuditError| {
        tried.set(tried.get() + 1);
        Err::<(), _>(error)
    };
    assert!(
        while_files_go(|| count(gone()), |_| ())
            .unwrap_err()
            .is_gone()
    );
    assert_eq!(tried.replace(0), TRIES);
    while_files_go(|| count(AuditError::Closed), |_| panic!("a pause")).unwrap_err();
    assert_eq!(tried.get(), 1);
    let nowhere = tempfile::tempdir().unwrap().path().join("nothing");
    assert!(verify(nowhere).unwrap_err().is_gone());
}
