//! Settings that are whole numbers: in the file bare or as text, in the environment as text.

use toml::de::DeValue;

/// Which numbers a setting takes: from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    most: u64,
    /// What is wrong with any other value.
    pub(super) expected: &'static str,
}

impl Number {
    /// A year at most: longer means never, and never is written by leaving the setting out.
    pub(super) const SECONDS: Self = Self {
        most: 31_536_000,
        expected: "expected whole seconds from 1 to 31536000",
    };

    /// All that Key Vault takes for one vault: 4,000 calls in 10 seconds (Microsoft Learn, "Azure Key Vault service limits").
    pub(super) const CALLS: Self = Self {
        most: 400,
        expected: "expected a number of calls from 1 to 400",
    };

    /// A hundred years at most.
    pub(super) const DAYS: Self = Self {
        most: 36_500,
        expected: "expected a number of days from 1 to 36500",
    };

    /// The one text of a number, so that `60`, `"60"` and the environment's `60` are the same value.
    pub(super) fn read(self, text: &str) -> Option<String> {
        let is_number = text.bytes().all(|b| b.is_ascii_digit());
        let number: u64 = text.parse().ok().filter(|_| is_number)?;
        (1..=self.most)
            .contains(&number)
            .then(|| number.to_string())
    }

    /// The text of a value of the file.
    pub(super) fn of_file(self, value: &DeValue<'_>) -> Option<String> {
        if let Some(text) = value.as_str() {
            return self.read(text);
        }
        let written = value.as_integer()?;
        let number = u64::from_str_radix(written.as_str(), written.radix()).ok()?;
        self.read(&number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_within_the_limit_count() {
        let seconds = Number::SECONDS;
        assert_eq!(seconds.read("060").as_deref(), Some("60"));
        assert_eq!(seconds.read("31536000").as_deref(), Some("31536000"));
        for wrong in [
            "",
            "0",
            "-1",
            "+1",
            "1.5",
            "60s",
            " 60",
            "31536001",
            "99999999999999999999",
        ] {
            assert_eq!(seconds.read(wrong), None, "{wrong}");
        }
        assert_eq!(Number::CALLS.read("400").as_deref(), Some("400"));
        assert_eq!(Number::CALLS.read("401"), None);
    }
}
