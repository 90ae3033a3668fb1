//! The page where a person types the code of a device, and says who they are. There is no password: nothing here is real.

use super::device::DeviceState;
use crate::answer::{Answer, escape};
use crate::asked::Asked;
use crate::error::Error;
use crate::state::State;

/// `GET /device` shows the form, `POST /device` settles a code.
pub(crate) fn device_page(state: &State, asked: &Asked) -> Answer {
    // A page of another site must not sign anybody in.
    let own = [
        "http://localhost:",
        "http://127.0.0.1:",
        "https://localhost:",
        "https://127.0.0.1:",
    ];
    let from = asked.header("origin").unwrap_or("http://localhost:");
    let is_own = own.iter().any(|start| from.starts_with(start));
    let note = match asked.method.as_str() {
        "POST" if !is_own => return Answer::empty(403),
        "POST" => settle(state, asked),
        "GET" => String::new(),
        _ => return Answer::empty(405),
    };
    let people: String = state
        .directory()
        .tenants
        .iter()
        .flat_map(|tenant| &tenant.users)
        .map(|user| {
            let (name, shown) = (escape(&user.name), escape(&user.display_name));
            format!("<option value=\"{name}\">{shown}</option>")
        })
        .collect();
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Azure simulator: sign in</title>\
         <style>body{{font:16px system-ui;max-width:30rem;margin:4rem auto}}label,button,p{{display:block;margin:1rem 0}}</style>\
         <h1>Sign in on a device</h1><p role=\"status\">{}</p><form method=\"post\" action=\"/device\">\
         <label>Code <input name=\"user_code\" required autofocus autocomplete=\"off\"></label>\
         <label>Person <select name=\"user\">{people}</select></label>\
         <button name=\"answer\" value=\"approve\">Sign in</button>\
         <button name=\"answer\" value=\"decline\">Decline</button></form></html>",
        escape(&note)
    );
    Answer::html(200, body).with_header(
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    )
}

fn settle(state: &State, asked: &Asked) -> String {
    let form = asked.form();
    let code = form.get("user_code").unwrap_or_default();
    let settled = match form.get("answer") {
        Some("approve") => approve(state, code, form.get("user").unwrap_or_default()),
        _ => decline(state, code),
    };
    match settled {
        Ok(()) => "Done. You can close this page and go back to the device.".to_owned(),
        Err(why) => format!("Not done: {why}."),
    }
}

/// Signs a person in on the device that shows this code.
pub(crate) fn approve(state: &State, user_code: &str, name: &str) -> Result<(), Error> {
    let directory = state.directory();
    let mut tenants = directory.tenants.iter();
    let user = tenants
        .find_map(|tenant| tenant.user(name))
        .filter(|user| user.enabled)
        .ok_or_else(|| Error::new(format!("nobody called `{name}` may sign in")))?;
    let approved = DeviceState::Approved(user.object_id.clone());
    state.devices().settle(user_code, approved)
}

/// Refuses to sign in on that device.
pub(crate) fn decline(state: &State, user_code: &str) -> Result<(), Error> {
    state.devices().settle(user_code, DeviceState::Declined)
}
