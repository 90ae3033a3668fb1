//! Actions, principals and their patterns, moments and numbers: the small words of tables.

use std::fmt::Debug;
use std::str::FromStr;

use zt_core::clock::Timestamp;
use zt_core::id::PrincipalId;
use zt_core::policy::{Action, ActionPattern, Decimal, PrincipalPattern, Value, ValueType};

use super::check_message;

/// Every word that reads prints as text that reads back as the same, and a pattern of actions matches what it stands for.
pub fn words(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else {
        return false;
    };
    let mut is_word = returns::<Action>(text)
        | returns::<PrincipalId>(text)
        | returns::<PrincipalPattern>(text)
        | returns::<Decimal>(text)
        | returns::<Timestamp>(text);
    match text.parse::<ActionPattern>() {
        Ok(pattern) => {
            let stands_for: Vec<Action> = pattern.actions().collect();
            is_word = true;
            assert!(!stands_for.is_empty(), "{text:?} stands for nothing");
            for action in Action::ALL {
                assert_eq!(
                    stands_for.contains(action),
                    pattern.matches(*action),
                    "{text:?}"
                );
            }
        }
        Err(why) => check_message(&why.to_string()),
    }
    for kind in [
        ValueType::Bool,
        ValueType::Int,
        ValueType::Decimal,
        ValueType::Text,
        ValueType::Enum,
        ValueType::Set,
        ValueType::Ip,
        ValueType::Datetime,
    ] {
        if let Some(value) = Value::read(kind, text) {
            // A value may be a secret: a log of it says no more than its type.
            assert!(format!("{value:?}").ends_with("(…)"), "{value:?}");
        }
    }
    is_word
}

fn returns<T: FromStr<Err: ToString> + ToString + PartialEq + Debug>(text: &str) -> bool {
    match text.parse::<T>() {
        Ok(read) => {
            let printed = read.to_string();
            assert_eq!(
                printed.parse::<T>().ok().as_ref(),
                Some(&read),
                "{printed:?}"
            );
            true
        }
        Err(why) => {
            check_message(&why.to_string());
            false
        }
    }
}
