//! How standard output may look: how wide, in which letters, with colours or without.

use std::env;
use std::io::{self, IsTerminal};

/// What is drawn where nobody says how wide it may be.
const WIDTH: usize = 80;

/// What may be drawn.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    pub width: usize,
    /// More than ASCII.
    pub is_unicode: bool,
    pub is_coloured: bool,
}

impl Looks {
    /// Plain text of the usual width: for files, pipes and terminals of which nothing is known.
    pub const PLAIN: Self = Self {
        width: WIDTH,
        is_unicode: false,
        is_coloured: false,
    };

    /// Those of standard output: anything but [`PLAIN`](Self::PLAIN) only on a terminal.
    pub fn of_output() -> Self {
        if !io::stdout().is_terminal() {
            return Self::PLAIN;
        }
        let width = terminal_size::terminal_size_of(io::stdout());
        Self::by(
            width.map_or(WIDTH, |(width, _)| usize::from(width.0)),
            |name| env::var(name).ok().filter(|value| !value.is_empty()),
        )
    }

    fn by(width: usize, variable: impl Fn(&str) -> Option<String>) -> Self {
        // The first that is set decides, as for the C library.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(&variable);
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        Self {
            // Some say that they have no columns at all.
            width: if width < 20 { WIDTH } else { width },
            is_unicode: locale.contains("utf-8") || locale.contains("utf8"),
            is_coloured: variable("NO_COLOR").is_none()
                && variable("TERM").is_some_and(|term| term != "dumb"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Looks;

    fn looks(width: usize, variables: &[(&str, &str)]) -> Looks {
        Looks::by(width, |name| {
            let mut found = variables.iter().filter(|(is, _)| *is == name);
            found.next().map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn letters_are_those_of_the_locale() {
        for (variables, is_unicode) in [
            (&[("LANG", "de_DE.UTF-8")][..], true),
            (&[("LANG", "C"), ("LC_ALL", "C.utf8")], true),
            (&[("LANG", "en_US.UTF-8"), ("LC_CTYPE", "C")], false),
            (&[], false),
        ] {
            assert_eq!(looks(80, variables).is_unicode, is_unicode, "{variables:?}");
        }
    }

    #[test]
    fn colours_can_be_refused() {
        for (variables, is_coloured) in [
            (&[("TERM", "xterm")][..], true),
            (&[("TERM", "xterm"), ("NO_COLOR", "1")], false),
            (&[("TERM", "dumb")], false),
            (&[], false),
        ] {
            assert_eq!(
                looks(80, variables).is_coloured,
                is_coloured,
                "{variables:?}"
            );
        }
    }

    #[test]
    fn a_terminal_without_columns_has_the_usual() {
        assert_eq!(looks(0, &[]).width, Looks::PLAIN.width);
        assert_eq!(looks(132, &[]).width, 132);
    }
}
