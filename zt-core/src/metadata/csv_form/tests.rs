use super::*;

fn problems(table: &str, text: &str) -> Vec<String> {
    let report = RawTable::from_csv(table, text, "t.csv").unwrap_err();
    report.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn columns_may_come_in_any_order_and_be_missing() {
    let text = "\u{feff}run_as,job_id,name\r\nsp:a,1,\"x, y\"\r\n";
    let table = RawTable::from_csv("Jobs", text, "Jobs.csv").unwrap();
    assert_eq!(
        table.rows[0].cell("name"),
        Some(&Cell::Text("x, y".to_owned()))
    );
    assert_eq!(
        table.to_csv().unwrap(),
        "job_id,name,run_as,priority,cluster\n1,\"x, y\",sp:a,,\n"
    );
}

#[test]
fn a_header_alone_is_a_table_without_rows() {
    let table = RawTable::from_csv("Principals", "id,oid", "Principals.csv").unwrap();
    assert!(table.rows.is_empty());
    assert_eq!(table.to_csv().unwrap(), "id,oid,tenant,attributes\n");
}

#[test]
fn every_problem_is_named_with_table_row_column_and_line() {
    assert_eq!(
        problems(
            "Access_Policies",
            "id,ID,when,wyh,id\nAP-1,,{job:1},,\nAP-2\n\n\nAP-3,\"\nx\",[1],,\n"
        ),
        [
            "t.csv:1: Access_Policies: `ID`: not a column of this table, in cell 2 of the header; did you mean `id`?",
            "t.csv:1: Access_Policies: `wyh`: not a column of this table, in cell 4 of the header; did you mean `why`?",
            "t.csv:1: Access_Policies: `id`: the column stands twice",
            "t.csv:2: Access_Policies AP-1 column when: `{job:1}`: not JSON: key must be a string at line 1 column 2",
            "t.csv:3: Access_Policies #2: 1 cells, the header has 5",
            "t.csv:6: Access_Policies AP-3 column when: `[1]`: expected a JSON object, such as {\"job\":201}",
        ]
    );
}

#[test]
fn a_missing_key_column_another_separator_and_no_header_are_told_once() {
    let missing = problems("Jobs", "name,run_as\nx,sp:a\ny,sp:b\n");
    assert_eq!(
        missing,
        ["t.csv:1: Jobs column job_id: missing: it belongs to the key of the table"]
    );
    let separator = problems("Jobs", "job_id;name;run_as\n");
    assert_eq!(separator.len(), 1);
    assert!(separator[0].contains("commas"), "{separator:?}");
    for text in ["", "\u{feff}", "\n\r\n"] {
        assert!(problems("Jobs", text)[0].contains("there is no header"));
    }
    assert!(problems("job", "")[0].ends_with("did you mean `Jobs`?"));
}

#[test]
fn what_stands_in_secret_references_is_not_repeated() {
    let text = "id,zt-needle-header\nx,zt-needle-cell\nzt-needle-short\n\"zt-needle-open,\n";
    let found = problems("Secret_References", text).join("\n");
    assert!(!found.contains("needle"), "{found}");
    assert_eq!(found.lines().count(), 3, "{found}");
}

#[test]
fn a_cell_or_column_that_does_not_fit_is_not_exported() {
    let cells = vec![
        ("id".to_owned(), Cell::Text("user:a".to_owned())),
        ("oid".to_owned(), Cell::Integer(1)),
        ("oid".to_owned(), Cell::Text("x".to_owned())),
        ("age".to_owned(), Cell::Integer(1)),
    ];
    let table = RawTable::new("Principals".to_owned(), vec![RawRow::new(None, cells)]);
    let report = table.to_csv().unwrap_err();
    assert_eq!(report.problems().len(), 3, "{report}");
    assert!(
        RawTable::new("Principal".to_owned(), vec![])
            .to_csv()
            .is_err()
    );
}
