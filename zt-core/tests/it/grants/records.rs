//! What of grants stands in the log: all that was issued, and nothing that nobody signed.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

/// The text of a grant with other claims, under its old signature.
fn made_up(grant: &Grant, changes: &[(&str, &str)]) -> String {
    let parts: Vec<&str> = grant.as_str().split('.').collect();
    let json = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let mut json = String::from_utf8(json).unwrap();
    for (from, to) in changes {
        assert!(json.contains(from), "{json}");
        json = json.replacen(from, to, 1);
    }
    format!("ztg1.{}.{}", URL_SAFE_NO_PAD.encode(json), parts[2])
}

/// The name of a session's key in its grants.
fn key_of(session: &Session) -> String {
    session.grant_key().unwrap().name()
}

#[tokio::test]
async fn a_flood_of_made_up_grants_writes_none_of_its_words_and_ends_in_later() {
    let world = world();
    let start = SystemClock::new().now();
    let clock = Arc::new(ManualClock::new(start));
    let builder = RuntimeBuilder::new(world.config()).with_clock(Arc::clone(&clock) as _);
    let zt = builder.open().await.unwrap();
    let job = job(&zt).await;
    let grant = orchestrator(&zt)
        .await
        .grant(&for_stage(Some(2)))
        .await
        .unwrap();
    let key = key_of(&orchestrator(&zt).await);
    let mut refused = Vec::new();
    for number in 0..2_000 {
        let text = made_up(
            &grant,
            &[
                ("\"job\":201", &format!("\"job\":{}", 700_000 + number)),
                (&key, &format!("zt-made-up-{number:05}")),
                ("sp:sp-score-201", &format!("sp:made-up-{number}")),
            ],
        );
        let grant = Grant::parse(&text).unwrap();
        refused.push(job.with_grant(&grant).unwrap_err());
    }
    let codes = |code| refused.iter().filter(|why| why.code() == code).count();
    assert_eq!(codes(Code::InvalidGrant), 1_000);
    assert_eq!(codes(Code::AuditUnavailable), 1_000);
    assert!(refused.last().unwrap().retry_after_s().is_some());
    // The budget is the caller's own, and of ten seconds.
    clock.advance(Duration::from_secs(10));
    job.with_grant(&grant).unwrap();
    let entries = close(zt).await;
    let told = entries
        .iter()
        .filter(|one| one.action == "grant.present" && one.outcome == "refused");
    let told: Vec<&Entry> = told.collect();
    let count: u64 = told.iter().map(|one| one.count.unwrap_or(1)).sum();
    assert_eq!(count, 1_000);
    let words: BTreeSet<(&str, &str)> = told
        .iter()
        .map(|one| (one.resource.as_str(), one.detail["reason"].as_str()))
        .collect();
    let reason = "the grant is signed by a key that is not trusted here";
    assert_eq!(words, BTreeSet::from([("identity", reason)]));
}

#[tokio::test]
async fn what_is_not_spelled_as_zt_spells_it_is_no_grant() {
    let world = world();
    let zt = world.open().await;
    let grant = orchestrator(&zt)
        .await
        .grant(&for_stage(Some(2)))
        .await
        .unwrap();
    let own = key_of(&orchestrator(&zt).await);
    let with_key = |key: &str| made_up(&grant, &[(&own, key)]);
    Grant::parse(&with_key("zt-made-up-00001")).unwrap();
    for key in [
        "",
        "short",
        "zt-made-up-000017",
        "zt-made-up-00\u{202e}",
        "zt-made-up-0000\\n",
        "zt-made-up-0000=",
    ] {
        Grant::parse(&with_key(key)).unwrap_err();
    }
    // One resource has one spelling in a grant.
    let job = job(&zt).await.claiming(201, 2);
    let read = GrantRequest::for_executors().with("table.read", "table:raw.loan_applications");
    let grant = job.grant(&read).await.unwrap();
    Grant::parse(grant.as_str()).unwrap();
    let other = made_up(&grant, &[("table:raw.loan", "table:Raw.loan")]);
    Grant::parse(&other).unwrap_err();
}

/// The rights that the record of an issue names, and how many it leaves out.
async fn recorded(tables: usize, name: &str) -> (Vec<String>, Vec<String>, u64) {
    let world = world();
    world.edit(|tables| {
        format!(
            "{tables}\n[[Access_Policies]]\nid = \"AP-90\"\nprincipal = \"role:scoring_job\"\n\
             action = \"table.read\"\nresource = \"table:wide.*\"\neffect = \"allow\"\n"
        )
    });
    let zt = world.open().await;
    let job = job(&zt).await.claiming(201, 2);
    let asked = (0..tables).fold(GrantRequest::for_executors(), |request, number| {
        request.with("table.read", &format!("table:wide.{name}_{number:02}"))
    });
    let grant = job.grant(&asked).await.unwrap();
    let rights: Vec<String> = grant.rights().iter().map(ToString::to_string).collect();
    assert_eq!(rights.len(), tables);
    let entries = close(zt).await;
    let issued = entries
        .iter()
        .find(|one| one.action == "grant.delegate" && one.kind == "effect")
        .unwrap();
    assert_eq!(issued.detail["rights"], tables.to_string());
    let mut packed: Vec<(u32, &str)> = issued
        .detail
        .iter()
        .filter_map(|(name, text)| {
            let at = name.strip_prefix("right_")?;
            Some((at.parse().unwrap(), text.as_str()))
        })
        .collect();
    packed.sort_unstable();
    let told = packed.iter().flat_map(|(_, text)| text.split(", "));
    (rights, told.map(str::to_owned).collect(), issued.omitted)
}

#[tokio::test]
async fn the_record_of_an_issue_names_every_right_that_it_has_room_for() {
    let (rights, told, omitted) = recorded(64, "loan_applications_of_the_region").await;
    assert_eq!((told, omitted), (rights, 0));
    // A text that fills a detail alone: what has no room is counted, and none is cut.
    let (rights, told, omitted) = recorded(48, &"long".repeat(45)).await;
    assert!(!told.is_empty() && told.len() < 48);
    assert_eq!(told, rights[..told.len()]);
    assert_eq!(told.len() + usize::try_from(omitted).unwrap(), 48);
}

#[tokio::test]
async fn more_columns_than_a_grant_names_are_the_callers_mistake() {
    let world = world();
    let zt = world.open().await;
    let job = job(&zt).await.claiming(201, 2);
    let read = GrantRequest::for_executors().with("table.read", "table:raw.loan_applications");
    let columns = |count: usize| (0..count).map(|number| format!("c{number}"));
    job.grant(&read.clone().of_columns(columns(64)))
        .await
        .unwrap();
    let why = job.grant(&read.of_columns(columns(65))).await.unwrap_err();
    assert_eq!(why.code(), Code::InvalidArgument);
    assert!(why.message().contains("64 columns at most"), "{why}");
}

#[tokio::test]
async fn a_right_to_more_columns_than_a_grant_names_asks_for_fewer() {
    let world = world();
    let columns: Vec<String> = (0..65).map(|number| format!("\"c{number}\"")).collect();
    world.edit(|tables| {
        let columns = columns.join(", ");
        format!(
            "{tables}\n[[Access_Policies]]\nid = \"AP-90\"\nprincipal = \"role:scoring_job\"\n\
             action = \"table.read\"\nresource = \"table:wide.all\"\neffect = \"allow\"\ncolumns = [{columns}]\n"
        )
    });
    let zt = world.open().await;
    let job = job(&zt).await.claiming(201, 2);
    let read = GrantRequest::for_executors().with("table.read", "table:wide.all");
    let why = job.grant(&read).await.unwrap_err();
    assert_eq!(why.code(), Code::InvalidArgument);
    let few = job.grant(&read.of_columns(["c0", "c64"])).await.unwrap();
    assert_eq!(few.columns().unwrap(), ["c0", "c64"]);
}
