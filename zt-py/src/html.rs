//! Small tables for notebooks: no script, no style sheet, every text escaped, and none set as a formula.

use std::fmt::Write as _;

use pyo3::prelude::*;

/// What `zt._html` makes of an object of this kind.
pub(crate) fn page(py: Python<'_>, kind: &str, told: &Bound<'_, PyAny>) -> PyResult<String> {
    let html = py.import("zt._html")?.call_method1(kind, (told,))?;
    html.extract()
}

/// MathJax 2 and 3 leave such an element alone: Jupyter would set what stands between two `$`.
const PLAIN: &str = "class=\"tex2jax_ignore mathjax_ignore\"";

/// A table of names and values under a caption.
pub(crate) fn table(caption: &str, rows: &[(&str, String)]) -> String {
    let mut html = format!("<table {PLAIN}><caption>{}</caption>", escape(caption));
    for (name, value) in rows {
        // Writing to a string cannot fail.
        let _ = write!(
            html,
            "<tr><th style=\"text-align:left\">{}</th><td style=\"text-align:left\">{}</td></tr>",
            escape(name),
            escape(value)
        );
    }
    html.push_str("</table>");
    html
}

/// Text as HTML shows it.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
