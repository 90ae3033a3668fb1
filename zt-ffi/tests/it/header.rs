//! `include/zt.h` is what the source says.

use std::error::Error;
use std::path::Path;

/// In the order in which a reader needs them.
const CHAPTERS: [&str; 25] = [
    "status",
    "version",
    "runtime",
    "options",
    "credential",
    "session",
    "decision",
    "located",
    "batch",
    "plan",
    "secret",
    "handle",
    "upkeep",
    "seal",
    "bytes",
    "stream",
    "files",
    "arrow",
    "report",
    "audit",
    "operation",
    "outcome",
    "later",
    "log",
    "text",
];

#[test]
fn the_header_is_made_from_the_source() -> Result<(), Box<dyn Error>> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(package.join("cbindgen.toml"))?;
    let chapters = CHAPTERS.iter().chain(&["error"]);
    let sources = chapters.map(|chapter| package.join(format!("src/{chapter}.rs")));
    let builder = sources.fold(cbindgen::Builder::new(), cbindgen::Builder::with_src);
    let mut made = Vec::new();
    builder.with_config(config).generate()?.write(&mut made);
    let made = String::from_utf8(made)?;

    let file = package.join("include/zt.h");
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of this test alone, no setting of zt"
    )]
    if std::env::var("ZT_WRITE_HEADER").is_ok() {
        std::fs::write(&file, &made)?;
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = made
        .lines()
        .zip(committed.lines())
        .position(|(made, committed)| made != committed);
    assert!(
        made == committed,
        "include/zt.h differs from the source, first at line {:?}; ZT_WRITE_HEADER=1 writes it",
        differs.map(|line| line + 1)
    );
    Ok(())
}
