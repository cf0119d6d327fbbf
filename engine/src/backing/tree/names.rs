//! Which names can be given to a file.

/// Whether `name` is one name of a file or folder anywhere: not empty, not a step to another folder, nothing that ends a path.
pub(super) fn is_single(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.iter().any(|&byte| matches!(byte, b'/' | 0))
}

/// Whether Windows gives a file this name, and finds it again under this name alone.
#[cfg(any(not(unix), test))]
pub(super) fn is_plain_on_windows(name: &str) -> bool {
    let forbidden = |c: char| c < ' ' || "<>:\"/\\|?*".contains(c);
    if !is_single(name.as_bytes()) || name.contains(forbidden) || name.ends_with(['.', ' ']) {
        return false;
    }
    // Devices, with whatever is behind a dot or a space.
    let stem = name.split(['.', ' ']).next().unwrap_or_default();
    let stem = stem.to_ascii_uppercase();
    let numbered = |device| {
        stem.strip_prefix(device).is_some_and(|number: &str| {
            let mut digits = number.chars();
            matches!(digits.next(), Some('0'..='9' | '¹' | '²' | '³')) && digits.next().is_none()
        })
    };
    let device = matches!(
        &stem[..],
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    );
    !(device || numbered("COM") || numbered("LPT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_separators_are_no_names() {
        for name in ["", ".", "..", "a/b", "/", "a\0", "\0"] {
            assert!(!is_single(name.as_bytes()), "{name:?}");
            assert!(!is_plain_on_windows(name), "{name:?}");
        }
        for name in ["a", "...", ".a", "..a", "a b"] {
            assert!(is_single(name.as_bytes()), "{name:?}");
        }
    }

    #[test]
    fn what_windows_takes_for_something_else_is_no_name_there() {
        for name in [
            "C:",
            "C:x",
            "a\\b",
            "\\\\host",
            "a:stream",
            "con",
            "NUL.txt",
            "nul .txt",
            "com1",
            "LPT9.x",
            "COM¹",
            "aux",
            "conin$",
            "a.",
            "a ",
            "a?",
            "a*",
            "a|b",
            "<",
            "a\n",
            "\"",
            "prn.tar.gz",
        ] {
            assert!(!is_plain_on_windows(name), "{name:?}");
        }
        for name in [
            "a", "console", "com", "com10", "nully", "a.b", "ü", ".hidden", "...a", "LPT", "a b",
        ] {
            assert!(is_plain_on_windows(name), "{name:?}");
        }
    }
}
