//! `zt status`: how the live processes of this machine are, from the files that they write.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use anstream::println;
use clap::Args;
use serde_json::Value;
use zt_core::clock::{Clock, SystemClock, Timestamp};
use zt_core::runtime::{Config, ConfigKey};
use zt_core::text::shown;
use zt_core::{Code, Error, Result};

use crate::{Answer, paint};

/// A process writes every five seconds; one that has not for three times as long is gone or stuck.
const SILENT: Duration = Duration::from_secs(15);

/// Some thousands of slots; what is cut is no JSON, and not shown.
const LONGEST: u64 = 16 << 20;

/// How the processes that use this folder are: slots and their ages, last errors, gates, tables, audit log.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// This process alone.
    #[arg(long)]
    process: Option<u32>,
    /// Print one JSON object a process.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(crate) fn run(self, config: &Config) -> Result<Answer> {
        let Some(folder) = config.value(ConfigKey::StatusFolder) else {
            let key = ConfigKey::StatusFolder;
            let message = format!("no process writes its status: `{key}` is not set");
            return Err(Error::new(Code::Config, message).with_help(format!(
                "set `{key} = \".zt/status\"` or {}, and start it anew",
                key.env()
            )));
        };
        let folder = config.folder().join(folder);
        let mut answer = Answer::Yes;
        let found = read(&folder, self.process)?;
        if found.is_empty() {
            println!("no process has written to `{}`", folder.display());
            return Ok(Answer::No);
        }
        for status in found {
            let silent = silent_for(&status);
            if silent.is_some() || !at(&status, "ready").is_null() {
                answer = Answer::No;
            }
            if self.json {
                println!("{status}");
            } else {
                print(&status, silent);
            }
        }
        Ok(answer)
    }
}

fn read(folder: &Path, process: Option<u32>) -> Result<Vec<Value>> {
    let unreadable = |why: std::io::Error| {
        let message = format!("cannot read `{}`", folder.display());
        Error::new(Code::Config, message).with_source(why)
    };
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(why) => return Err(unreadable(why)),
    };
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let number = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .and_then(|stem| stem.parse::<u32>().ok());
        let is_asked = number.is_some_and(|number| process.is_none_or(|asked| asked == number));
        if !is_asked || path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        // One that ends just now takes its file along.
        let Ok(text) = read_file(&path) else { continue };
        if let Ok(status) = serde_json::from_slice(&text) {
            found.push(status);
        }
    }
    found.sort_by_key(|status: &Value| at(status, "process").as_u64());
    Ok(found)
}

/// A file and no pipe, and not more of it than a process writes.
fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    let mut text = Vec::new();
    fs::File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
    Ok(text)
}

/// For how long nothing was heard of it, if that is too long.
fn silent_for(status: &Value) -> Option<Duration> {
    let at: Timestamp = at(status, "at").as_str()?.parse().ok()?;
    let passed = SystemClock::new()
        .now()
        .as_millis()
        .saturating_sub(at.as_millis());
    let passed = Duration::from_millis(u64::try_from(passed).unwrap_or(0));
    (passed > SILENT).then_some(passed)
}

fn print(status: &Value, silent: Option<Duration>) {
    let (bad, good) = (paint::BAD, paint::GOOD);
    println!(
        "process {} ({})",
        number(status, "process"),
        text(status, "mode")
    );
    if let Some(silent) = silent {
        let seconds = silent.as_secs();
        println!(
            "  {bad}silent{bad:#} for {seconds} s: it is gone or stuck, and the rest is as old"
        );
    }
    match at(status, "ready").as_str() {
        None => println!("  {good}ready{good:#}"),
        Some(why) => println!("  {bad}not ready{bad:#}: {}", shown(why)),
    }
    let snapshot = at(status, "snapshot");
    let (version, confirmed) = (number(snapshot, "version"), number(snapshot, "confirmed_s"));
    println!("  tables    version {version}, confirmed {confirmed} s ago");
    for keys in list(status, "keys") {
        println!("  identity  {}", shown(keys.as_str().unwrap_or("?")));
    }
    let audit = at(status, "audit");
    let writable = match at(audit, "is_writable").as_bool() {
        Some(true) => format!("{good}writable{good:#}"),
        _ => format!("{bad}not writable{bad:#}"),
    };
    let (records, queued) = (number(audit, "records"), number(audit, "queued"));
    println!("  audit     {writable}, {records} records, {queued} waiting");
    list(audit, "sinks").for_each(print_sink);
    let memory = at(status, "memory");
    let (mapped, fallbacks) = (
        number(memory, "mapped_bytes"),
        number(memory, "heap_fallbacks"),
    );
    let protection = text(memory, "protection");
    println!(
        "  memory    {protection}, {mapped} bytes mapped, {fallbacks} values on the heap so far"
    );
    let keys = at(status, "data_keys");
    let (held, waited) = (at(keys, "held"), at(keys, "misses"));
    let (found, stale) = (at(keys, "hits"), at(keys, "stale"));
    println!("  data keys {held} held, {found} found, {waited} waited for, {stale} past their TTL");
    for (what, of) in [
        ("secret", at(status, "secrets")),
        ("key", at(keys, "public")),
    ] {
        list(of, "gates").for_each(print_gate);
        list(of, "slots").for_each(|slot| print_slot(what, slot));
    }
    list(status, "network").for_each(print_host);
}

/// The way to a vault: what is declared, what name resolution said, how the last answer came.
fn print_host(of: &Value) {
    let (bad, good, dim) = (paint::BAD, paint::GOOD, paint::DIM);
    let host = text(of, "host");
    if text(of, "store") == "local" {
        println!("  network   {host} {good}local{good:#}");
        return;
    }
    let modes = list(of, "declared").map(|row| text(row, "mode"));
    let modes = match modes.collect::<Vec<_>>().join(" ") {
        none if none.is_empty() => format!("{bad}no rule{bad:#}"),
        modes => modes,
    };
    let resolved = at(of, "resolved");
    let addresses = list(resolved, "addresses").filter_map(Value::as_str);
    let addresses = match addresses.map(shown).collect::<Vec<_>>().join(" ") {
        none if none.is_empty() => String::new(),
        addresses => format!(", {addresses}"),
    };
    let path = at(of, "path");
    let path = match at(path, "proof").as_str() {
        None => format!("{dim}no answer yet{dim:#}"),
        Some("refused") => format!("{bad}refused{bad:#}"),
        Some(proof) => format!(
            "{good}{}{good:#} {} s ago",
            shown(proof),
            number(path, "age_s")
        ),
    };
    println!("  network   {host} {modes}{addresses}: {path}");
    for part in [resolved, at(of, "path")] {
        if let Some(error) = at(part, "error").as_str() {
            println!("            {dim}{}{dim:#}", shown(error));
        }
    }
}

fn print_sink(sink: &Value) {
    let name = text(sink, "name");
    let state = match at(sink, "is_delivering").as_bool() {
        Some(true) => format!("{}delivering{:#}", paint::GOOD, paint::GOOD),
        _ => format!("{}not delivering{:#}", paint::BAD, paint::BAD),
    };
    let behind = match at(sink, "behind").as_u64().unwrap_or(0) {
        0 => ", level with the log".to_owned(),
        records => format!(", {records} records and {} s behind", at(sink, "behind_s")),
    };
    let next = at(sink, "next_attempt_s").as_u64();
    let next = next.map_or_else(String::new, |seconds| {
        format!(", next attempt in {seconds} s")
    });
    let refused = match at(sink, "refused").as_u64().unwrap_or(0) {
        0 => String::new(),
        records => format!(", {records} set aside"),
    };
    println!("  sink      {name} {state}{behind}{next}{refused}");
    if let Some(error) = at(sink, "last_error").as_str() {
        let dim = paint::DIM;
        println!("            {dim}{}{dim:#}", shown(error));
    }
}

fn print_gate(gate: &Value) {
    let (state, vault) = (text(gate, "state"), text(gate, "vault"));
    let style = if state == "open" {
        paint::GOOD
    } else {
        paint::BAD
    };
    let closed = match at(gate, "closed_for_ms").as_u64().unwrap_or(0) {
        0 => String::new(),
        ms => format!(", for another {} s", ms.div_ceil(1000)),
    };
    println!("  vault     {vault} {style}{state}{style:#}{closed}");
}

fn print_slot(what: &str, slot: &Value) {
    let (state, name) = (text(slot, "state"), text(slot, "name"));
    let style = match state.as_str() {
        "fresh" | "refresh_due" => paint::GOOD,
        "stale" | "negative" | "forbidden" | "dead" => paint::BAD,
        _ => paint::DIM,
    };
    let age = at(slot, "age_s").as_u64();
    let age = age.map_or_else(String::new, |age| format!(", {age} s old"));
    let hits = number(slot, "hits");
    println!("  {what:9} {name} {style}{state}{style:#}{age}, {hits} reads");
    if let Some(error) = at(slot, "last_error").as_str() {
        let dim = paint::DIM;
        println!("            {dim}{}{dim:#}", shown(error));
    }
}

/// A part of a status; `null` where it has none.
fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    at(value, name).as_array().into_iter().flatten()
}

/// Whoever may write there may have written anything.
fn number(value: &Value, name: &str) -> String {
    at(value, name)
        .as_u64()
        .map_or_else(|| "?".to_owned(), |number| number.to_string())
}

fn text(value: &Value, name: &str) -> String {
    shown(at(value, name).as_str().unwrap_or("?"))
}
