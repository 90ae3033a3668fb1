//! Tables as CSV and as canonical TOML: there and back without a change, and every mistake named with its line.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use proptest::prelude::*;
use tempfile::TempDir;
use zt_core::adapters::file::FileTables;
use zt_core::clock::Timestamp;
use zt_core::metadata::{
    Cell, MetadataSource, RawRow, RawTable, RawTables, Report, Snapshot, SnapshotHash, TableFormat,
    schema,
};
use zt_core::{Code, runtime};

use crate::world::{World, sample};

fn load(path: &Path) -> Result<RawTables, Report> {
    let executor = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    executor.block_on(FileTables::new(path).load())
}

fn compile(raw: &RawTables) -> Result<Snapshot, Report> {
    Snapshot::compile(raw, 1, Timestamp::from_millis(0))
}

fn hash(raw: &RawTables) -> SnapshotHash {
    *compile(raw).unwrap().hash()
}

fn sample_tables() -> RawTables {
    load(&sample().join("brindlewick.toml")).unwrap()
}

/// The files of a folder with their bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut files: Vec<_> = entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_sample_goes_to_csv_and_toml_and_back_without_a_change() {
    let original = sample_tables();
    let folder = TempDir::new().unwrap();
    let (csv, again) = (folder.path().join("csv"), folder.path().join("again"));
    let written = runtime::write_tables(&original, &csv, TableFormat::Csv, false).unwrap();
    assert_eq!(written.len(), 16);
    let from_csv = load(&csv).unwrap();
    assert_eq!(hash(&from_csv), hash(&original));
    assert_eq!(
        compile(&from_csv).unwrap().tables(),
        compile(&original).unwrap().tables()
    );
    runtime::write_tables(&from_csv, &again, TableFormat::Csv, false).unwrap();
    assert_eq!(files(&csv), files(&again));

    let toml = folder.path().join("new/all.toml");
    runtime::write_tables(&from_csv, &toml, TableFormat::Toml, false).unwrap();
    let from_toml = load(&toml).unwrap();
    assert_eq!(hash(&from_toml), hash(&original));
    assert_eq!(
        from_toml.to_toml().unwrap(),
        fs::read_to_string(&toml).unwrap()
    );
    let header = "tenant,domain,environment\n";
    assert!(
        fs::read_to_string(csv.join("world.csv"))
            .unwrap()
            .starts_with(header)
    );
}

/// Text that some reader of CSV, JSON, TOML or a spreadsheet would like to understand.
fn nasty() -> impl Strategy<Value = String> {
    let known = vec![
        "=1+1",
        "@x",
        "+1",
        "-1",
        "[",
        "[\"a\"]",
        "{",
        "{\"a\":1}",
        "\"",
        "\"\"",
        "a,b",
        "a;b",
        ",",
        "'",
        "1",
        "1.0",
        "007",
        "1e5",
        "true",
        "null",
        "nan",
        " a",
        "a ",
        "\u{a0}x",
        "#x",
        "\\",
        "\\n",
        "\u{e9}",
        "\u{1f600}",
        "''' \"\"\"",
    ];
    let any = "[ -~\u{e9}\u{df}\u{6f22}\u{1f600}]{0,12}";
    prop_oneof![proptest::sample::select(known).prop_map(str::to_owned), any]
        .prop_filter("no row needs blank text", |text| !text.trim().is_empty())
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

fn maybe(cell: impl Strategy<Value = Cell>) -> impl Strategy<Value = Option<Cell>> {
    proptest::option::of(cell)
}

fn small() -> impl Strategy<Value = Cell> {
    any::<u32>().prop_map(|number| Cell::Integer(i64::from(number)))
}

fn number() -> impl Strategy<Value = Cell> {
    let finite = any::<f64>().prop_filter("finite", |number| number.is_finite());
    prop_oneof![
        finite.prop_map(Cell::Float),
        any::<i32>().prop_map(|n| Cell::Integer(n.into()))
    ]
}

/// Names of columns, which have no blank at their edges.
fn texts() -> impl Strategy<Value = Cell> {
    let name = || nasty().prop_map(|name| text(name.trim()));
    let list = proptest::collection::vec(name(), 1..4);
    // Columns to seal must differ, and case does not tell them apart.
    let list = list.prop_map(|mut cells| {
        let mut seen = BTreeSet::new();
        cells.retain(|cell| seen.insert(cell.to_string().to_lowercase()));
        cells
    });
    prop_oneof![name(), list.prop_map(Cell::List)]
}

fn ports() -> impl Strategy<Value = Cell> {
    let one = (1..=u16::MAX).prop_flat_map(|port| {
        let number = i64::from(port);
        prop_oneof![
            Just(Cell::Integer(number)),
            Just(text(port.to_string())),
            Just(text(format!("{port}-65535"))),
            Just(Cell::Float(f64::from(port))),
        ]
    });
    let list = proptest::collection::vec(one.clone(), 0..4);
    prop_oneof![one, list.prop_map(Cell::List)]
}

fn row(cells: Vec<(&str, Option<Cell>)>) -> RawRow {
    let cells = cells
        .into_iter()
        .filter_map(|(name, cell)| Some((name.to_owned(), cell?)));
    RawRow::new(None, cells.collect())
}

fn policy(
    at: usize,
    id: &str,
    columns: Option<Cell>,
    why: Option<Cell>,
    job_first: bool,
) -> RawRow {
    let mut facts = vec![
        ("job".to_owned(), Cell::Integer(1)),
        ("stage".to_owned(), Cell::Integer(2)),
    ];
    if !job_first {
        facts.reverse();
    }
    let masks = columns.is_none().then(|| {
        let masks = [
            (id.trim().to_owned(), text("null")),
            ("a b".to_owned(), text("last_4")),
        ];
        Cell::Map(masks.to_vec())
    });
    row(vec![
        ("why", why),
        ("when", Some(Cell::Map(facts))),
        ("id", Some(text(format!("{id}{at}")))),
        ("principal", Some(text("*"))),
        ("action", Some(text("table.read"))),
        ("resource", Some(text("table:raw.loans"))),
        ("effect", Some(text("allow"))),
        ("columns", columns),
        ("masks", masks),
        (
            "condition",
            Some(text(format!("context.a{at} == \"b\" or has context.job"))),
        ),
        ("valid_from", Some(text("2026-10-01T08:00:00+02:00"))),
        ("mode", Some(text("shadow"))),
    ])
}

prop_compose! {
    fn rows(at: usize)(
        id in nasty(), free in maybe(nasty().prop_map(Cell::Text)), columns in maybe(texts()), sealed in texts(),
        min in maybe(small()), threshold in number(), ports in maybe(ports()), job_first in any::<bool>(),
    ) -> Vec<(&'static str, RawRow)> {
        let key = format!("{id}{at}");
        let policy = policy(at, &id, columns, free.clone(), job_first);
        let model = row(vec![
            ("name", Some(text(key.clone()))), ("kind", free.clone()), ("label", free.clone()),
        ]);
        let secret = row(vec![
            ("ttl_s", min.clone()), ("id", Some(text(key.clone()))), ("kind", Some(text("key"))),
            ("vault", Some(text("https://kv.vault.azure.net"))), ("name", Some(text("k"))),
        ]);
        let encryption = row(vec![
            ("columns", Some(sealed)), ("id", Some(text(key.clone()))), ("key", Some(text(key.clone()))),
        ]);
        let alert = row(vec![
            ("id", Some(text(key.clone()))), ("model", Some(text(key.clone()))), ("metric", Some(text("queue_depth"))),
            ("fires", Some(text("above"))), ("threshold", Some(threshold)), ("window_rows", Some(Cell::Integer(u32::MAX.into()))),
            ("min_rows", min), ("severity", Some(Cell::Integer(4))), ("action_group", free.clone()),
        ]);
        let network = row(vec![
            ("id", Some(text(key.clone()))), ("host", Some(text(format!("h{at}.example.com")))),
            ("mode", Some(text("ncc"))), ("ports", ports), ("private_link", Some(text("record"))),
        ]);
        let integration = row(vec![
            ("name", Some(text(key.clone()))), ("kind", Some(text("Managed"))), ("reaches", Some(Cell::List(vec![text(key.clone())]))),
        ]);
        let attribute = row(vec![
            ("name", Some(text(format!("a{at}")))), ("namespace", Some(text("context"))), ("provenance", Some(text("request"))),
            ("type", Some(text("enum"))), ("values", Some(Cell::List(vec![text("b"), text("c,\"d")]))), ("default", Some(text("b"))),
        ]);
        let described = |namespace: &str, name: &str, kind: &str, provenance: &str, claim: Option<&str>| row(vec![
            ("claim", claim.map(text)), ("name", Some(text(format!("{name}{at}")))), ("namespace", Some(text(namespace))),
            ("type", Some(text(kind))), ("provenance", Some(text(provenance))), ("sensitivity", Some(text("secret"))),
        ]);
        let values = |named: Vec<(&str, Cell)>| {
            let named = named.into_iter().map(|(name, cell)| (format!("{name}{at}"), cell));
            Some(Cell::Map(named.collect()))
        };
        let resource = row(vec![
            ("owner", free.clone()), ("attributes", values(vec![
                ("r", text(&key)), ("s", Cell::List(vec![text("x,\"y"), text("z")])), ("d", Cell::Float(0.125)),
            ])), ("resource", Some(text(format!("table:lab.r{at}.**")))), ("description", free),
        ]);
        let principal = row(vec![
            ("id", Some(text(format!("user:u{at}")))), ("attributes", values(vec![("n", Cell::Integer(-1)), ("b", Cell::Bool(true))])),
            ("oid", Some(text(format!("00000000-0000-4000-8000-{at:012}")))),
        ]);
        vec![
            ("Attributes", described("resource", "r", "text", "store", None)), ("Attributes", described("resource", "s", "set", "store", None)),
            ("Attributes", described("resource", "d", "decimal", "store", None)), ("Attributes", described("principal", "n", "int", "store", None)),
            ("Attributes", described("principal", "b", "bool", "store", None)),
            ("Attributes", described("principal", "t", "set", "token", Some(&key))), ("Resources", resource), ("Principals", principal),
            ("Attributes", attribute), ("Access_Policies", policy), ("ML_Models", model), ("Secret_References", secret),
            ("Encryption_Rules", encryption), ("Alert_Rules", alert), ("Network_Rules", network),
            ("Integration_Runtimes", integration),
        ]
    }
}

fn tables() -> impl Strategy<Value = RawTables> {
    (rows(1), rows(2), rows(3)).prop_map(|(one, two, three)| {
        let mut raw = RawTables::new("generated".to_owned());
        for (table, row) in one.into_iter().chain(two).chain(three) {
            raw.push(table, row);
        }
        raw
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_valid_tables_come_back_from_csv_and_toml_as_the_same(raw in tables()) {
        let original = compile(&raw).unwrap();
        let mut from_csv = RawTables::new("csv".to_owned());
        for table in &raw.tables {
            let csv = table.to_csv().unwrap();
            let crlf = format!("\u{feff}{}", csv.replace('\n', "\r\n"));
            let read = RawTable::from_csv(&table.name, &csv, "t.csv").unwrap();
            let windows = RawTable::from_csv(&table.name, &crlf, "t.csv").unwrap();
            prop_assert_eq!(&read.to_csv().unwrap(), &csv);
            prop_assert_eq!(&windows, &read);
            from_csv.tables.push(read);
        }
        prop_assert_eq!(hash(&from_csv), *original.hash());

        let toml = raw.to_toml().unwrap();
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        fs::write(file.path(), &toml).unwrap();
        let from_toml = load(file.path()).unwrap();
        prop_assert_eq!(hash(&from_toml), *original.hash());
        prop_assert_eq!(from_toml.to_toml().unwrap(), toml);
    }

    #[test]
    fn no_text_makes_the_csv_reader_panic(at in 0..schema().len(), body in "([a-z_]{0,9}[,\"\n;\\[{0-9 ]){0,60}") {
        let table = &schema()[at];
        let text = format!("{}\n{body}", table.names().join(","));
        for text in [&body, &text] {
            let read = RawTable::from_csv(table.name, text, "t.csv");
            if let Ok(read) = read && let Ok(csv) = read.to_csv() {
                let again = RawTable::from_csv(table.name, &csv, "t.csv").unwrap();
                prop_assert_eq!(again.to_csv().unwrap(), csv);
            }
        }
    }
}

/// The problems of the sample as CSV with one file changed or added.
fn mistake(file: &str, change: impl FnOnce(String) -> Vec<u8>) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let csv = folder.path().join("csv");
    runtime::write_tables(&sample_tables(), &csv, TableFormat::Csv, false).unwrap();
    let path = csv.join(file);
    let text = fs::read_to_string(&path).unwrap_or_default();
    fs::write(path, change(text)).unwrap();
    let report = load(&csv).and_then(|raw| compile(&raw)).unwrap_err();
    report.problems().iter().map(ToString::to_string).collect()
}

#[track_caller]
fn is_told(file: &str, change: impl FnOnce(String) -> String, says: &str) {
    let found = mistake(file, |text| change(text).into_bytes());
    assert!(
        found.iter().any(|problem| problem.contains(says)),
        "expected {says}\nfound    {found:#?}"
    );
    assert!(
        found.iter().all(|problem| problem.len() < 1000),
        "nobody reads more"
    );
}

#[test]
fn each_wrong_cell_of_a_csv_file_is_named_with_its_line_and_what_was_meant() {
    is_told(
        "Access_Policies.csv",
        |text| text.replacen("model.infer", "model.infre", 1),
        "Access_Policies.csv:2: Access_Policies AP-01 column action: `model.infre`: not an action; did you mean `model.infer`?",
    );
    is_told(
        "Jobs.csv",
        |text| text.replacen("201,", "2O1,", 1),
        "Jobs.csv:2: Jobs 2O1 column job_id: `2O1`: expected a whole number, not text",
    );
    is_told(
        "Jobs.csv",
        |text| text.replacen("201,", ",", 1),
        "Jobs.csv:2: Jobs #1 column job_id: missing",
    );
    is_told(
        "Alert_Rules.csv",
        |text| text.replacen("0.93", "\"0,93\"", 1),
        "column threshold: `0,93`: expected a number of ordinary size, not text",
    );
    is_told(
        "Stages.csv",
        |text| {
            let second = text.lines().nth(1).unwrap().to_owned();
            format!("{text}\r\n\n{second}\r\n")
        },
        "the key is used twice, first at Stages.csv:2",
    );
}

#[test]
fn each_wrong_form_of_a_csv_file_is_named_with_what_was_meant() {
    is_told(
        "Principals.csv",
        |text| text.replacen("id,oid", "ID,oid", 1),
        "Principals.csv:1: Principals: `ID`: not a column of this table, in cell 1 of the header; did you mean `id`?",
    );
    is_told(
        "Principals.csv",
        |text| text.replacen("id,oid", "id,id", 1),
        "Principals.csv:1: Principals: `id`: the column stands twice",
    );
    is_told(
        "Principals.csv",
        |text| text.replace(',', ";"),
        "Principals.csv:1: Principals: cells are separated by commas",
    );
    is_told("Principals.csv", |_| String::new(), "the file is empty");
    is_told(
        "Principals.csv",
        |_| "\u{feff}\r\n".to_owned(),
        "Principals.csv:1: Principals: there is no header",
    );
    is_told(
        "Access_Policies.csv",
        |text| text.rsplit_once('"').unwrap().0.to_owned(),
        "a quoted cell begins here and never ends",
    );
    is_told(
        "Acess_Policies.csv",
        |_| "id\n".to_owned(),
        "Acess_Policies.csv:1: `Acess_Policies`: not a metadata table, and CSV files are named after one; did you mean `Access_Policies`?",
    );
    is_told(
        "Access_Policies.csv",
        |text| format!("{text}AP-99,*,table.read,table:x,deny,\"id,name\",,,,,,,,,,,,,\n"),
        "Access_Policies AP-99 column columns: `id,name`: a list is written as JSON, [\"a\",\"b\"]",
    );
    is_told(
        "Principals.csv",
        |text| text + &"x".repeat(5_000_000) + ",y,,\n",
        "xxx…`: not a principal",
    );
}

#[test]
fn a_file_that_is_not_utf_8_is_named_with_the_line() {
    let found = mistake("Jobs.csv", |text| {
        let mut bytes = text.into_bytes();
        let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        bytes[line + 2] = 0xff;
        bytes
    });
    assert_eq!(found, ["Jobs.csv:2: not UTF-8: save the file as UTF-8"]);
}

#[test]
fn what_stands_in_the_csv_of_secret_references_is_not_repeated() {
    let found = mistake("Secret_References.csv", |text| {
        text.replacen("600", "zt-needle-a", 1)
            .replacen("adb-token,", "adb-token,zt-needle-b", 1)
            .into_bytes()
    });
    assert!(
        found.len() >= 2 && !found.join("\n").contains("needle"),
        "{found:#?}"
    );
}

#[test]
fn a_newline_in_a_cell_is_understood_and_refused_as_a_control_character() {
    let found = mistake("Access_Policies.csv", |text| {
        let broken = text.replacen("AP-02", "\"AP-\n02\"", 1);
        format!("{broken}AP-99,*,nothing,table:x,deny,,,,,,,,,,,,,,\n").into_bytes()
    });
    assert!(
        found[0].contains("control and format characters"),
        "{found:#?}"
    );
    assert!(
        found[1].starts_with("Access_Policies.csv:32: "),
        "lines are counted: {found:#?}"
    );
}

#[test]
fn tables_of_both_kinds_merge_and_a_row_stands_in_one_of_them() {
    let folder = TempDir::new().unwrap();
    let raw = sample_tables();
    fs::write(folder.path().join("zt.toml"), "tables = \".\"").unwrap();
    fs::write(folder.path().join("b.toml"), raw.to_toml().unwrap()).unwrap();
    let jobs = "job_id,name,run_as\n203,extra,sp:sp-train-202\n";
    fs::write(folder.path().join("Jobs.csv"), jobs).unwrap();
    fs::write(folder.path().join("Stages.CSV"), "id,job_id\n").unwrap();
    let merged = load(folder.path()).unwrap();
    let rows = |raw: &RawTables| compile(raw).unwrap().tables().jobs.len();
    assert_eq!(rows(&merged), rows(&raw) + 1);

    fs::write(folder.path().join("Jobs.csv"), jobs.replace("203", "201")).unwrap();
    let report = compile(&load(folder.path()).unwrap()).unwrap_err();
    assert!(
        report
            .to_string()
            .contains("the key is used twice, first at Jobs.csv:2"),
        "{report}"
    );
}

#[test]
fn an_empty_text_is_refused_so_that_an_empty_cell_means_none() {
    let world = World::new();
    world.edit(|tables| tables.replacen("[world]", "[world]\ndomain_ = \"\"", 1));
    world.edit(|tables| tables.replacen("why = \"raw applications", "why = \"\" # ", 1));
    world.edit(|tables| tables.replacen("columns = [", "columns = \"\" # [", 1));
    world.edit(|tables| tables.replacen("id = \"AP-01\"", "id = \"\"", 1));
    let report = compile(&load(&world.tables()).unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        report.contains("column why: ``: must not be empty; leave it out"),
        "{report}"
    );
    assert!(
        report.contains("column columns: ``: must not be empty; leave it out"),
        "{report}"
    );
    assert!(
        report
            .lines()
            .any(|line| line.ends_with("column id: ``: must not be empty")),
        "{report}"
    );
}

#[tokio::test]
async fn a_runtime_opens_a_folder_of_csv_files() {
    let world = World::new();
    let tables = runtime::read_tables(world.tables()).await.unwrap();
    fs::remove_file(world.tables()).unwrap();
    runtime::write_tables(
        &tables,
        world.path().join("tables"),
        TableFormat::Csv,
        false,
    )
    .unwrap();
    let config = world.path().join("zt.toml");
    let toml = fs::read_to_string(&config).unwrap();
    fs::write(config, toml.replace("brindlewick.toml", "tables")).unwrap();
    let zt = world.open().await;
    let maya = crate::world::sign_in(&zt, "user:maya").await;
    let denied = maya
        .check("table.read", "table:raw.loan_applications")
        .unwrap();
    assert!(!denied.is_allowed());
    let principals = world.path().join("tables/Principals.csv");
    let whole = fs::read_to_string(&principals).unwrap();
    fs::write(&principals, &whole.as_bytes()[..whole.len() / 2]).unwrap();
    assert_eq!(zt.reload().await.unwrap_err().code(), Code::InvalidMetadata);
    fs::write(&principals, whole).unwrap();
    assert_eq!(zt.reload().await.unwrap().version(), 1);
    fs::remove_dir_all(world.path().join("tables")).unwrap();
    assert_eq!(zt.reload().await.unwrap_err().code(), Code::InvalidMetadata);
    assert_eq!(
        zt.snapshot().version(),
        1,
        "a deleted folder is no empty set of tables"
    );
}

#[cfg(unix)]
#[test]
fn a_replaced_file_is_no_more_readable_than_the_old_one_and_a_link_is_something_too() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = TempDir::new().unwrap();
    let raw = sample_tables();
    let write = |to: &Path, replace| runtime::write_tables(&raw, to, TableFormat::Toml, replace);
    let file = folder.path().join("all.toml");
    write(&file, false).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    write(&file, true).unwrap();
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let link = folder.path().join("link.toml");
    symlink("nowhere.toml", &link).unwrap();
    let error = write(&link, false).unwrap_err();
    assert!(error.message().contains("exists already"), "{error}");
    assert!(link.is_symlink());
}

#[test]
fn a_file_that_cannot_be_written_leaves_all_others_as_they_were() {
    let folder = TempDir::new().unwrap();
    let raw = sample_tables();
    let write = |raw: &RawTables, replace| {
        runtime::write_tables(raw, folder.path(), TableFormat::Csv, replace)
    };
    write(&raw, false).unwrap();
    let in_the_way = folder.path().join("Stages.csv");
    fs::remove_file(&in_the_way).unwrap();
    let before = files(folder.path());
    fs::create_dir(&in_the_way).unwrap();
    let mut fewer = raw;
    fewer.tables.retain(|table| table.name == "Stages");
    let error = write(&fewer, true).unwrap_err();
    assert!(error.message().contains("Stages.csv"), "{error}");
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(files(folder.path()), before);
}

#[test]
fn many_writers_of_one_file_do_not_disturb_each_other() {
    let folder = TempDir::new().unwrap();
    let raw = sample_tables();
    let file = folder.path().join("all.toml");
    let write = || runtime::write_tables(&raw, &file, TableFormat::Toml, true).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..4).for_each(|_| drop(write())));
        }
    });
    assert_eq!(hash(&load(&file).unwrap()), hash(&raw));
    assert_eq!(files(folder.path()).len(), 1, "nothing is left beside it");
}

#[test]
fn nothing_is_replaced_by_accident_and_no_old_row_survives_a_replacement() {
    let folder = TempDir::new().unwrap();
    let csv = folder.path().join("csv");
    let write = |raw: &RawTables, to: &Path, format, replace| {
        runtime::write_tables(raw, to, format, replace)
    };
    let raw = sample_tables();
    write(&raw, &csv, TableFormat::Csv, false).unwrap();
    let before = files(&csv);
    let error = write(&raw, &csv, TableFormat::Csv, false).unwrap_err();
    assert!(
        error.message().contains("exists already") && error.help().is_some(),
        "{error}"
    );
    let mut fewer = raw.clone();
    fewer.tables.retain(|table| table.name != "Alert_Rules");
    write(&fewer, &csv, TableFormat::Csv, true).unwrap();
    assert_eq!(hash(&load(&csv).unwrap()), hash(&fewer));
    assert_eq!(
        files(&csv).len(),
        before.len(),
        "the table without rows has its header alone"
    );

    fs::write(csv.join("more.toml"), "").unwrap();
    let error = write(&raw, &csv, TableFormat::Csv, true).unwrap_err();
    assert!(error.message().contains("more.toml"), "{error}");
    let toml = folder.path().join("all.toml");
    write(&raw, &toml, TableFormat::Toml, false).unwrap();
    assert!(write(&raw, &toml, TableFormat::Toml, false).is_err());
    write(&fewer, &toml, TableFormat::Toml, true).unwrap();
    assert_eq!(hash(&load(&toml).unwrap()), hash(&fewer));
    assert!(
        write(&raw, &csv, TableFormat::Toml, true).is_err(),
        "a folder is no file"
    );
    assert!(
        write(&raw, &toml, TableFormat::Csv, true).is_err(),
        "a file is no folder"
    );
    let left = files(folder.path().join("csv").as_path());
    assert!(
        left.iter().all(|(name, _)| !name.ends_with(".new")),
        "{left:?}"
    );
}

fn zt(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zt"));
    let command = command.current_dir(world.path()).env_remove("ZT_FOLDER");
    let Output {
        status,
        stdout,
        stderr,
    } = command.args(arguments).output().unwrap();
    let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    (status.code(), said)
}

#[test]
fn export_and_import_are_two_commands_over_one_way() {
    let world = World::new();
    let (status, said) = zt(&world, &["export", "csv"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("rows in 16 files"), "{said}");
    assert_eq!(
        zt(&world, &["export", "--format", "csv", "csv"]).0,
        Some(2),
        "it exists"
    );
    assert_eq!(zt(&world, &["export", "csv", "--force"]).0, Some(0));
    assert_eq!(
        zt(&world, &["import", "csv", "--to", "back.toml"]).0,
        Some(0)
    );
    assert_eq!(zt(&world, &["export", "direct.toml"]).0, Some(0));
    let read = |name: &str| fs::read_to_string(world.path().join(name)).unwrap();
    assert_eq!(read("back.toml"), read("direct.toml"));
    assert_eq!(
        zt(&world, &["import", "back.toml", "--to", "csv2"]).0,
        Some(0)
    );
    assert_eq!(
        files(&world.path().join("csv")),
        files(&world.path().join("csv2"))
    );
    assert_eq!(
        zt(&world, &["export", "--format", "csv", "x.toml"]).0,
        Some(2)
    );
    assert_eq!(zt(&world, &["export", "--format", "toml", "x"]).0, Some(0));
}

#[test]
fn tables_with_a_problem_are_not_written_and_every_problem_is_printed() {
    let world = World::new();
    world.edit(|tables| {
        tables
            .replace("effect = \"deny\"", "effect = \"dney\"")
            .replace("ttl_s = 600", "ttl = 600")
    });
    for arguments in [
        &["export", "csv"][..],
        &["import", "brindlewick.toml", "--to", "csv"],
    ] {
        let (status, said) = zt(&world, arguments);
        assert_eq!(status, Some(1), "{said}");
        assert!(
            said.contains("did you mean `deny`?") && said.ends_with("2 problems\n"),
            "{said}"
        );
    }
    assert!(!world.path().join("csv").exists());
}

#[tokio::test]
async fn what_an_editor_leaves_beside_the_tables_is_no_table() {
    let world = World::new();
    fs::write(world.path().join(".#brindlewick.toml"), "half a li").unwrap();
    fs::write(world.path().join("._Jobs.csv"), [0xff]).unwrap();
    let tables = runtime::read_tables(world.path()).await.unwrap();
    assert!(tables.tables.iter().any(|table| table.name == "Jobs"));
}

#[tokio::test]
async fn tables_never_take_the_place_of_the_configuration() {
    let world = World::new();
    let before = fs::read(world.path().join("zt.toml")).unwrap();
    let tables = runtime::read_tables(&world.tables()).await.unwrap();
    let to = world.path().join("zt.toml");
    let error = runtime::write_tables(&tables, &to, TableFormat::Toml, true).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(fs::read(to).unwrap(), before);
}
