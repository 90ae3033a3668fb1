//! `zt export` and `zt import`: the tables of any source in any form, checked first.

use std::path::{Path, PathBuf};

use anstream::println;
use clap::{Args, ValueEnum};
use zt_core::metadata::TableFormat;
use zt_core::runtime::{self, Config};
use zt_core::text::shown;
use zt_core::{Code, Error, Result};

use crate::{Answer, paint, problems};

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// A new folder for CSV files, or a file that ends in `.toml`.
    to: PathBuf,
    /// The form; default: what the name says.
    #[arg(long)]
    format: Option<Format>,
    /// Replace what exists.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The tables: a TOML file, a CSV file, or a folder of them.
    source: PathBuf,
    /// A file that ends in `.toml`, or a new folder for CSV files.
    #[arg(long)]
    to: PathBuf,
    /// Replace what exists.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A folder with a CSV file for each table.
    Csv,
    /// One TOML file.
    Toml,
}

impl Export {
    pub(crate) async fn run(self, config: &Config) -> Result<Answer> {
        let named = is_toml(&self.to);
        let format = match (self.format, named) {
            (Some(Format::Csv), true) => {
                let message = format!("`{}` names a TOML file, not a folder", self.to.display());
                return Err(Error::new(Code::InvalidArgument, message));
            }
            (Some(Format::Toml), _) | (None, true) => TableFormat::Toml,
            (Some(Format::Csv) | None, false) => TableFormat::Csv,
        };
        transfer(&config.tables(), &self.to, format, self.force).await
    }
}

impl Import {
    pub(crate) async fn run(self) -> Result<Answer> {
        let format = match is_toml(&self.to) {
            true => TableFormat::Toml,
            false => TableFormat::Csv,
        };
        transfer(&self.source, &self.to, format, self.force).await
    }
}

fn is_toml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "toml")
}

/// Reads and checks, then writes: tables with one problem are not written.
async fn transfer(source: &Path, to: &Path, format: TableFormat, force: bool) -> Result<Answer> {
    let tables = match runtime::read_tables(source).await {
        Ok(tables) => tables,
        Err(error) => return problems::answer(error),
    };
    let files = match runtime::write_tables(&tables, to, format, force) {
        Ok(files) => files,
        Err(error) => return problems::answer(error),
    };
    let rows: usize = tables.tables.iter().map(|table| table.rows.len()).sum();
    let (good, dim) = (paint::GOOD, paint::DIM);
    println!(
        "{good}{rows} rows{good:#} in {} file{}",
        files.len(),
        if files.len() == 1 { "" } else { "s" }
    );
    for file in files {
        println!("    {dim}{}{dim:#}", shown(&file.display().to_string()));
    }
    Ok(Answer::Yes)
}
