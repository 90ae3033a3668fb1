use super::*;

fn endorsement() -> Endorsement {
    Endorsement {
        key_id: [1; 4],
        signature: vec![2],
    }
}

#[test]
fn while_the_log_ends_somebody_is_asked_until_the_last_answer() {
    let mut state = State::default();
    state.answered(false, None);
    assert!(!state.is_asked && !state.is_over, "again later");
    state.is_ending = true;
    state.answered(false, None);
    assert!(state.is_asked && !state.is_over, "again at once");
    state.answered(true, None);
    assert!(!state.is_asked && state.is_over);
    let mut state = State {
        is_ending: true,
        ..State::default()
    };
    state.answered(false, Some(endorsement()));
    assert!(!state.is_asked && state.is_over);
}

#[test]
fn the_first_note_waits_for_an_endorsement() {
    let desk = Arc::new(Desk::default());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| desk.endorsement(Duration::from_secs(60)));
        desk.lock().answered(false, Some(endorsement()));
        desk.changed.notify_all();
        assert_eq!(waiting.join().unwrap(), Some(endorsement()));
    });
}
