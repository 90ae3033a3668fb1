//! The few colours; `anstream` drops them where there is no terminal.

use anstyle::{AnsiColor, Style};
use zt_core::policy::DecisionKind;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// A decision in its colour.
pub(crate) fn decision(kind: DecisionKind) -> String {
    let style = match kind {
        DecisionKind::Allow => GOOD,
        DecisionKind::ExplicitDeny | DecisionKind::DefaultDeny => BAD,
    };
    format!("{style}{kind}{style:#}")
}
