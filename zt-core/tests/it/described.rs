//! What the tables say of principals and resources, and how they declare attributes: each mistake is named, and nothing that
//! may be a secret is repeated.

use zt_core::Code;
use zt_core::runtime;

use crate::world::World;

/// What no message and no `Debug` may repeat.
const MARK: &str = "zt-mark-of-a-value";

const DECLARED: &str = r#"
    [[Attributes]]
    namespace = "principal"
    name = "clearance"
    type = "int"
    provenance = "store"
    [[Attributes]]
    namespace = "resource"
    name = "classification"
    type = "enum"
    values = ["public", "pii"]
    provenance = "store"
    [[Attributes]]
    namespace = "resource"
    name = "regions"
    type = "set"
    provenance = "store"
    [[Attributes]]
    namespace = "resource"
    name = "share"
    type = "decimal"
    provenance = "store"
    [[Attributes]]
    namespace = "resource"
    name = "label"
    type = "text"
    provenance = "store"
    [[Attributes]]
    namespace = "resource"
    name = "buyer"
    type = "ip"
    provenance = "store"
    sensitivity = "secret"
    [[Attributes]]
    namespace = "principal"
    name = "department"
    type = "text"
    provenance = "token"
"#;

/// The problems of the sample tables with these rows; `None` when there are none.
async fn problems(rows: &str) -> Option<String> {
    let world = World::new();
    world.edit(|tables| format!("{tables}\n{DECLARED}\n{rows}\n"));
    let error = runtime::tables(&world.config()).await.err()?;
    assert_eq!(error.code(), Code::InvalidMetadata);
    let found = error.report().unwrap().problems();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    Some(found.join("\n"))
}

fn resource(attributes: &str) -> String {
    format!("[[Resources]]\nresource = \"table:lab.**\"\nattributes = {attributes}")
}

#[tokio::test]
async fn values_are_taken_in_the_forms_that_their_type_has() {
    for attributes in [
        r#"{ classification = "pii", regions = ["eu", "ch"], share = 0.25, label = "x", buyer = "10.0.0.1" }"#,
        r#"{ regions = "eu, ch", share = 1, label = "7" }"#,
        r#"{ share = "0.000000000000000001", regions = [] }"#,
    ] {
        assert_eq!(problems(&resource(attributes)).await, None, "{attributes}");
    }
}

#[tokio::test]
async fn values_that_are_none_of_the_attribute_are_refused_with_what_is_expected() {
    for (attributes, says) in [
        (
            r#"{ clasification = "pii" }"#,
            "`clasification`: no row of Attributes declares `resource.clasification`; did you mean `classification`?",
        ),
        (
            r#"{ classification = "secret" }"#,
            "`secret`: `resource.classification` must be one of public, pii",
        ),
        (
            r"{ classification = true }",
            "`resource.classification` must be one of public, pii",
        ),
        (
            r"{ regions = [1] }",
            "`resource.regions` must be text, separated by commas, a value of type set",
        ),
        (r#"{ regions = { a = "b" } }"#, "a value of type set"),
        (r#"{ regions = [" "] }"#, "a value of type set"),
        (
            r#"{ share = "a lot" }"#,
            "`resource.share` must be a decimal number",
        ),
        (
            r"{ share = 1e40 }",
            "`resource.share` must be a decimal number",
        ),
        (r"{ label = 7 }", "a value of type text"),
        (r#"{ label = "" }"#, "a value of type text"),
        (r#"{ label = "a\u200Bb" }"#, "a value of type text"),
        (r#"{ label = "cafe\u0301" }"#, "a value of type text"),
        (
            r#"{ kind = "table" }"#,
            "`kind`: `resource.kind` is not of provenance store: tables cannot say it",
        ),
        (
            r"{ clearance = 3 }",
            "no row of Attributes declares `resource.clearance`",
        ),
        (
            r#""pii""#,
            "expected named values such as { clearance = 3 }, not text",
        ),
    ] {
        let found = problems(&resource(attributes)).await.unwrap();
        assert!(found.contains(says), "expected {says}\nfound    {found}");
        assert!(
            found.contains("Resources table:lab.** column attributes"),
            "{found}"
        );
        assert_eq!(found.lines().count(), 1, "{found}");
    }
}

#[tokio::test]
async fn a_wrong_value_of_a_secret_attribute_is_not_repeated() {
    let found = problems(&resource(&format!("{{ buyer = \"{MARK}\" }}"))).await;
    let found = found.unwrap();
    assert!(found.contains("`resource.buyer` must be an address") && !found.contains(MARK));
}

#[tokio::test]
async fn values_of_the_tables_do_not_show_in_debug() {
    let world = World::new();
    world.edit(|tables| {
        let row = resource(&format!("{{ label = \"{MARK}\" }}"));
        format!("{tables}\n{DECLARED}\n{row}\n")
    });
    let tables = runtime::tables(&world.config()).await.unwrap();
    let debug = format!("{:?}", tables.current());
    assert!(debug.contains("label") && !debug.contains(MARK));
}

#[tokio::test]
async fn two_rows_about_one_resource_are_refused_however_it_is_spelt() {
    let both = |first: &str, second: &str| {
        format!("[[Resources]]\nresource = \"{first}\"\n[[Resources]]\nresource = \"{second}\"")
    };
    let found = problems(&both("table:Lab.**", "table:lab.**"))
        .await
        .unwrap();
    assert!(found.contains("`table:Lab.**` is the same"), "{found}");
    let found = problems(&both("table:lab.x", "table:lab.x")).await.unwrap();
    assert!(found.contains("the key is used twice"), "{found}");
    assert_eq!(found.lines().count(), 1, "{found}");
    assert_eq!(problems(&both("table:lab", "table:lab.**")).await, None);
    // Names of a vault are as they are written.
    assert_eq!(problems(&both("secret:A/**", "secret:a/**")).await, None);
}

#[tokio::test]
async fn a_row_of_resources_names_one_resource_or_a_subtree_and_one_that_exists() {
    for (name, says) in [
        ("table:*.x", "expected one resource or a subtree"),
        ("**", "expected one resource or a subtree"),
        ("tabel:x", "Resources tabel:x column resource"),
        (
            "secret:bureau-api-kye",
            "no row of Secret_References has it; did you mean `bureau-api-key`?",
        ),
    ] {
        let found = problems(&format!("[[Resources]]\nresource = \"{name}\""))
            .await
            .unwrap();
        assert!(found.contains(says), "expected {says}\nfound    {found}");
    }
}

#[tokio::test]
async fn attributes_of_a_group_are_refused_because_they_would_count_for_nobody() {
    let world = World::new();
    world.edit(|tables| {
        let row = "id = \"group:grp-data-science\"\n";
        assert!(tables.contains(row));
        let tables = tables.replacen(row, &format!("{row}attributes = {{ clearance = 3 }}\n"), 1);
        format!("{tables}\n{DECLARED}\n")
    });
    let error = runtime::tables(&world.config()).await.unwrap_err();
    let found = error.report().unwrap().problems()[0].to_string();
    assert!(
        found.contains("Principals group:grp-data-science column attributes"),
        "{found}"
    );
    assert!(found.contains("count for none of its members"), "{found}");
}

fn attribute(namespace: &str, name: &str, more: &str) -> String {
    format!(
        "[[Attributes]]\nnamespace = \"{namespace}\"\nname = \"{name}\"\ntype = \"text\"\n{more}"
    )
}

#[tokio::test]
async fn no_right_hangs_on_a_claim_that_somebody_can_choose() {
    let token = "provenance = \"token\"";
    for name in [
        "name",
        "email",
        "upn",
        "preferred_username",
        "unique_name",
        "UPN",
        "xms_cc",
    ] {
        let found = problems(&attribute("principal", name, token))
            .await
            .unwrap();
        assert!(
            found.contains("column name") && found.contains("its owner can choose"),
            "{found}"
        );
        let claim = format!("{token}\nclaim = \"{name}\"");
        let found = problems(&attribute("context", "x", &claim)).await.unwrap();
        assert!(
            found.contains("column claim") && found.contains("its owner can choose"),
            "{found}"
        );
    }
    assert_eq!(
        problems(&attribute("resource", "name", "provenance = \"store\"")).await,
        None
    );
}

#[tokio::test]
async fn a_claim_belongs_to_a_token_and_a_token_to_its_caller() {
    for (namespace, name, more, says) in [
        (
            "principal",
            "x",
            "provenance = \"store\"\nclaim = \"x\"",
            "only an attribute of provenance token is read from a claim",
        ),
        (
            "resource",
            "x",
            "provenance = \"token\"",
            "the namespace must be principal or context",
        ),
        (
            "action",
            "x",
            "provenance = \"token\"",
            "the namespace must be principal or context",
        ),
        (
            "principal",
            "mfa",
            "provenance = \"token\"",
            "this attribute is built in",
        ),
        (
            "principal",
            "acrs",
            "provenance = \"request\"",
            "this attribute is built in",
        ),
        (
            "principal",
            "client_id",
            "provenance = \"store\"",
            "this attribute is built in",
        ),
        (
            "principal",
            "tenant",
            "provenance = \"store\"",
            "this attribute is built in",
        ),
    ] {
        let found = problems(&attribute(namespace, name, more)).await.unwrap();
        assert!(found.contains(says), "expected {says}\nfound    {found}");
    }
}
