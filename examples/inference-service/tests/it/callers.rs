//! What callers see: scores, problems, sealed answers.

use std::time::Duration;

use rustix::process::Signal;
use zt_core::Runtime;
use zt_core::batch::Batch;

use crate::ONE;
use crate::http::{begin, finish, post, post_with};
use crate::world::{NEEDLE, World};

const SCORE: &str = "/v1/models/car_loan_scorer/score";

fn sealed(body: &str) -> String {
    body.replacen('{', r#"{"seal":true,"#, 1)
}

#[test]
fn the_right_caller_scores_and_the_log_says_by_which_rows() {
    let world = World::new();
    let service = world.serve(&[]);
    let answer = service.score(&world.token("user:maya"), ONE);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(
        (body["model"].as_str(), body["sealed"].as_bool()),
        (Some("car_loan_scorer"), Some(false))
    );
    let row = &body["rows"][0];
    assert_eq!(row["id"], 70000);
    assert_eq!(row["debt_to_income_ratio"], 0.703953, "the bureau knew it");
    let likely = row["y_pred_proba"].as_f64().unwrap();
    assert!(likely > 0.0 && likely < 1.0);
    assert_eq!(row["y_pred"].as_i64().unwrap() == 1, likely > 0.5);
    assert!(!answer.body.contains(NEEDLE));

    let (status, _) = service.stop();
    assert!(status.success());
    let log = world.log();
    let infer = log
        .iter()
        .find(|entry| entry.action == "model.infer")
        .unwrap();
    assert_eq!(
        (infer.outcome.as_str(), infer.policies.as_slice()),
        ("allow", ["AP-01".to_owned()].as_slice())
    );
    let release = log.iter().find(|entry| entry.kind == "release").unwrap();
    assert_eq!(
        release.caller.as_deref(),
        Some("sp:sp-score-201"),
        "the key is the service's"
    );
}

#[test]
fn a_refusal_tells_the_caller_nothing_to_claim() {
    let world = World::new();
    let service = world.serve(&[]);
    for (who, body) in [("user:elin", ONE), ("user:elin", "no JSON at all")] {
        let answer = service.score(&world.token(who), body);
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(answer.header("www-authenticate"), None);
        let problem = answer.json();
        assert_eq!(problem["code"], "ZT-1001");
        let decision = problem["decision"].as_str().unwrap();
        assert_eq!(
            problem["detail"],
            format!("access denied, decision {decision}")
        );
        for hint in ["AP-", "role:", "data_scientist", "would allow"] {
            assert!(!answer.body.contains(hint), "{answer:?}");
        }
    }
    let nobodys = "/v1/models/other/score";
    let answer = post(
        service.callers,
        nobodys,
        Some(&world.token("user:maya")),
        ONE,
    );
    assert_eq!(answer.status, 403, "whether it is there is not told");
    let job = service.score(&world.token("sp:sp-score-201"), ONE);
    assert_eq!(
        job.status, 403,
        "it may score, and not read the scores in plain"
    );
    let (_, _) = service.stop();
    let log = world.log();
    assert!(
        log.iter()
            .any(|entry| entry.action == "model.infer" && entry.outcome == "default_deny")
    );
}

#[test]
fn who_proves_nothing_is_asked_for_a_token() {
    let world = World::new();
    let service = world.serve(&[]);
    let none = post(service.callers, SCORE, None, ONE);
    assert_eq!(
        (none.status, none.header("www-authenticate")),
        (401, Some("Bearer"))
    );
    assert_eq!(none.json()["code"], "ZT-2004");

    let maya = world.token("user:maya");
    let two = format!("Authorization: Bearer {maya}\r\nAuthorization: Bearer {maya}\r\n");
    for headers in [two.as_str(), "Authorization: Basic bWF5YTp4\r\n"] {
        assert_eq!(post_with(service.callers, SCORE, headers, ONE).status, 401);
    }
    let forged = format!("{}x", maya.rsplit_once('.').unwrap().0);
    for token in [forged.as_str(), "not-a-token", ""] {
        let answer = service.score(token, ONE);
        assert_eq!(answer.status, 401, "{answer:?}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer"), "{challenge}");
        assert!(!answer.body.contains("signature"), "{answer:?}");
    }
    let (status, _) = service.stop();
    assert!(status.success());
}

#[test]
fn an_expired_token_is_named_as_such() {
    let world = World::with_settings("clock_skew_s = 1\n");
    let service = world.serve(&[]);
    let short = world.token_for("user:maya", Duration::from_secs(1));
    let mut answer = service.score(&short, ONE);
    while answer.status == 200 {
        std::thread::sleep(Duration::from_millis(100));
        answer = service.score(&short, ONE);
    }
    assert_eq!(answer.status, 401, "{answer:?}");
    assert_eq!(answer.json()["code"], "ZT-2002");
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"\", error=\"invalid_token\"")
    );
}

#[test]
fn a_bad_request_says_what_is_wrong_and_a_large_one_is_not_read() {
    let world = World::new();
    let service = world.serve(&["--most-bytes", "2000", "--most-rows", "1"]);
    let maya = world.token("user:maya");
    let bad = service.score(&maya, r#"{"applications":[{"id":1,"salary":2}]}"#);
    assert_eq!(bad.status, 400);
    assert!(
        bad.json()["detail"]
            .as_str()
            .unwrap()
            .contains("unknown field `salary`")
    );
    let many = service.score(&maya, r#"{"applications":[{"id":1},{"id":2}]}"#);
    assert!(
        many.json()["detail"]
            .as_str()
            .unwrap()
            .contains("from 1 to 1")
    );
    let large = service.score(&maya, &" ".repeat(2001));
    assert_eq!(
        (large.status, large.header("content-type")),
        (413, Some("application/problem+json"))
    );
}

#[test]
fn a_sealed_answer_opens_with_the_right_and_not_without() {
    let world = World::new();
    let service = world.serve(&[]);
    let plain = service.score(&world.token("user:maya"), ONE).json();
    let answer = service.score(&world.token("sp:sp-score-201"), &sealed(ONE));
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.json();
    assert_eq!(
        (body["sealed"].as_bool(), body["output"].as_str()),
        (Some(true), Some("loan_scores_delta"))
    );
    let csv = body["csv"].as_str().unwrap();
    assert!(!csv.contains('€') && !csv.contains("0.703953"), "{csv}");
    let columns = csv.lines().next().unwrap();
    assert!(
        columns.contains("y_pred_proba") && !columns.split(',').any(|name| name == "y_pred"),
        "who may not read the table gets nothing of it in plain: {columns}"
    );
    assert_eq!(service.metric("zt_service_rows_sealed_total"), Some(1));
    let (status, _) = service.stop();
    assert!(status.success());

    let rows = Batch::from_csv(csv.as_bytes()).unwrap();
    let (ines, maya) = (world.token("user:ines"), world.token("user:maya"));
    let executor = tokio::runtime::Runtime::new().unwrap();
    executor.block_on(async {
        let zt = Runtime::open(world.path()).await.unwrap();
        let ines = zt.authenticate(&ines).await.unwrap();
        let opened = ines
            .opener("loan_scores_delta", &rows)
            .await
            .unwrap()
            .unseal(&rows)
            .unwrap();
        let likely = opened.require("y_pred_proba").unwrap().numbers().unwrap()[0];
        assert_eq!(likely, plain["rows"][0]["y_pred_proba"].as_f64());
        let maya = zt.authenticate(&maya).await.unwrap();
        assert!(
            maya.opener("loan_scores_delta", &rows)
                .await
                .unwrap_err()
                .is_denied()
        );
        zt.close(Duration::from_secs(5)).await.unwrap();
    });
}

#[test]
fn where_policy_demands_it_an_answer_is_sealed_unasked() {
    let world = World::new();
    let demand = "[[Access_Policies]]\nid = \"AP-80\"\nprincipal = \"*\"\naction = \"table.read\"\nresource = \"table:gold.loan_scores\"\neffect = \"restrict\"\nobligations = { encrypt = \"ER-01\" }\n\n# ---- Secret_References";
    world.publish(
        &world
            .tables()
            .replacen("# ---- Secret_References", demand, 1),
    );
    let service = world.serve(&[]);
    let body = service.score(&world.token("user:maya"), ONE).json();
    assert_eq!(body["sealed"], true, "{body}");
    assert!(body.get("rows").is_none() && !body["csv"].as_str().unwrap().contains("0.703953"));
}

#[test]
fn a_caller_has_so_many_requests_at_a_time_and_others_have_theirs() {
    let world = World::new();
    let service = world.serve(&["--per-caller", "1"]);
    let (maya, job) = (world.token("user:maya"), world.token("sp:sp-score-201"));
    let head = format!(
        "POST {SCORE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {maya}\r\nContent-Length: {}\r\n\r\n",
        ONE.len()
    );
    let first = begin(service.callers, &head);
    service.ready_when(|_| service.metric("zt_service_requests_under_way") == Some(1));
    let second = begin(service.callers, &head);
    let refused = finish(second, ONE);
    // Which of the two took the place first is the scheduler's affair; that one of them did is not.
    let done = finish(first, ONE);
    let mut statuses = [refused.status, done.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    let refused = [refused, done]
        .into_iter()
        .find(|answer| answer.status == 429)
        .unwrap();
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(service.score(&job, &sealed(ONE)).status, 200);
    assert_eq!(
        service.score(&maya, ONE).status,
        200,
        "the place is given back"
    );
}

#[test]
fn a_request_that_takes_too_long_gives_its_place_back() {
    let world = World::new();
    let service = world.serve(&["--timeout-s", "1", "--most-in-flight", "1"]);
    let maya = world.token("user:maya");
    let head = format!(
        "POST {SCORE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {maya}\r\nContent-Length: 9\r\n\r\n"
    );
    let late = finish(begin(service.callers, &head), "");
    assert_eq!((late.status, late.header("retry-after")), (503, Some("1")));
    assert_eq!(late.json()["detail"], "the answer took too long");
    assert_eq!(service.score(&maya, ONE).status, 200);
}

#[test]
fn on_sigterm_who_is_under_way_is_answered_and_the_log_is_whole() {
    let world = World::new();
    let mut service = world.serve(&[]);
    let maya = world.token("user:maya");
    assert_eq!(service.score(&maya, ONE).status, 200);
    let head = format!(
        "POST {SCORE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {maya}\r\nContent-Length: {}\r\n\r\n",
        ONE.len()
    );
    let under_way = begin(service.callers, &head);
    service.ready_when(|_| service.metric("zt_service_requests_under_way") == Some(1));
    service.signal(Signal::TERM);
    let told = service.ready_when(|answer| answer.status == 503);
    assert_eq!(told.json()["draining"], true);
    assert_eq!(service.get("/healthz").status, 200, "alive until the end");
    assert_eq!(finish(under_way, ONE).status, 200);
    let (status, said) = service.wait();
    assert!(status.success(), "{said}");
    assert!(said.ends_with("draining\nstopped"), "{said}");
    let scores = world.log();
    assert!(scores.iter().any(|entry| entry.action == "model.infer"));
}
