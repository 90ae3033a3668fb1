use super::*;
use crate::adapters::memory::MemoryReference;

fn model() -> MlModel {
    MlModel {
        name: "m".to_owned(),
        kind: None,
        notebook: None,
        label: None,
        prediction: None,
        score: None,
        reference: Some("r.csv".to_owned()),
        sha256: None,
    }
}

fn references() -> (Arc<MemoryReference>, References) {
    let batch = Batch::from_csv("a,b\n1,x\n2,y\n".as_bytes()).unwrap();
    let source = Arc::new(MemoryReference::new().with("m", batch));
    let port: Arc<dyn ReferenceSource> = Arc::<MemoryReference>::clone(&source);
    (source, References::new(port))
}

#[tokio::test]
async fn a_version_of_the_tables_reads_it_once() {
    let (source, references) = references();
    for version in [1, 1, 2, 2] {
        let found = references.of(&model(), &["a"], version).await.unwrap();
        assert!(found.of("a").is_some());
    }
    assert_eq!(source.loads(), 2);
    // A reader that is late does not push out what is newer.
    let _old = references.of(&model(), &["a"], 1).await.unwrap();
    let _new = references.of(&model(), &["a"], 2).await.unwrap();
    assert_eq!(source.loads(), 3);
}

#[tokio::test]
async fn nothing_is_read_for_rules_that_compare_nothing() {
    let (source, references) = references();
    assert!(references.of(&model(), &[], 1).await.is_ok());
    assert_eq!(source.loads(), 0);
}

#[tokio::test]
async fn a_column_that_cannot_be_compared_is_named_without_its_cells() {
    let (_, references) = references();
    let error = references.of(&model(), &["c"], 1).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidMetadata);
    assert!(
        error.message().contains("no column is called `c`"),
        "{error}"
    );
    let error = references.of(&model(), &["b"], 1).await.unwrap_err();
    let expected = "the reference data `r.csv` are malformed: row 1 of column `b` is not a number";
    assert_eq!(error.message(), expected);
}
