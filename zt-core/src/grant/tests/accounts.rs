//! The account that an executor keeps: nothing that was asked is missing, and it is never longer than what is read.

use super::*;
use crate::audit::Statement;

/// An executor that can seal. What its public key is does not matter here.
pub(super) fn sealing(clock: &Arc<crate::testing::ManualClock>) -> Executor {
    let (grant, key) = signed(|claims| {
        claims
            .rights
            .push("data.seal output:loan_scores_delta".to_owned());
        claims.seals.push(Seal {
            output: "loan_scores_delta".to_owned(),
            rule: "ER-01".to_owned(),
            table: "gold.loan_scores".to_owned(),
            reference: "scores-kek".to_owned(),
            columns: vec!["p".to_owned()],
            row_key: Vec::new(),
            version: String::new(),
            public_key: String::new(),
        });
    });
    let clock: Arc<dyn crate::clock::Clock> = Arc::<crate::testing::ManualClock>::clone(clock);
    Executor::open_with(&grant, &[key.public()], clock).unwrap()
}

fn told(executor: &Executor) -> String {
    let statement = executor.statement().unwrap().to_string();
    statement.parse::<Statement>().unwrap();
    statement
}

#[test]
fn an_account_is_never_longer_than_what_the_driver_reads() {
    let executor = executor(&manual());
    for number in 0..600 {
        let name = format!("model:{}{number}", "\"".repeat(1000));
        drop(executor.require("model.infer", &name));
    }
    executor
        .require("model.infer", "model:car_loan_scorer")
        .unwrap();
    let told = told(&executor);
    assert!(told.contains("executor.further"));
    // What was allowed always has a line of its own.
    assert!(told.contains("\"model:car_loan_scorer\""));
}

#[test]
fn what_is_asked_in_vain_after_the_end_or_about_columns_is_in_the_account() {
    let clock = manual();
    let executor = sealing(&clock);
    executor.require_columns(&["id"]).unwrap();
    drop(executor.require_columns(&["iban"]));
    drop(executor.require("table.reap", "table:raw.x"));
    drop(executor.sealed("another_output", 1));
    clock.advance(USUAL);
    assert_eq!(
        executor.require_valid().unwrap_err().code(),
        Code::GrantExpired
    );
    drop(executor.require("table.read", "table:raw.loan_applications"));
    executor.sealed("loan_scores_delta", 7).unwrap();
    let told = told(&executor);
    for line in [
        r#""outcome":"allow","action":"executor.columns","resource":"*""#,
        r#""outcome":"refused","action":"executor.columns","resource":"iban""#,
        r#""outcome":"refused","action":"executor.malformed","resource":"table.reap table:raw.x""#,
        r#""outcome":"refused","action":"data.seal","resource":"output:another_output""#,
        r#""outcome":"refused","action":"table.read","resource":"table:raw.loan_applications""#,
        r#""outcome":"ok","action":"data.seal","resource":"output:loan_scores_delta","count":1,"rows":7"#,
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    // Of the end at the latest: an act after it would be one that no executor can do.
    let end = NOW.after(USUAL).as_millis();
    assert!(told.contains(&format!(r#""first_ms":{end},"last_ms":{end}"#)));
}
