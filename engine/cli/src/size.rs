//! Sizes in bytes as people write and read them: powers of 1024.

const UNITS: [(&str, u32); 4] = [("k", 10), ("m", 20), ("g", 30), ("t", 40)];

/// Reads `512`, `64K`, `1m`, `2MB` or `1GiB`. Zero, nonsense and what this machine cannot address are errors.
pub fn parse(text: &str) -> Result<usize, String> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = lower.get(digits.len()..).unwrap_or_default();
    let shift = match unit {
        "" | "b" => Some(0),
        _ => UNITS.iter().find_map(|&(letter, shift)| {
            let rest = unit.strip_prefix(letter)?;
            matches!(rest, "" | "b" | "ib").then_some(shift)
        }),
    };
    let shift = shift.ok_or_else(|| format!("`{unit}` is no unit: K, M, G and T are"))?;
    let digits = digits.trim_end();
    let count: usize = digits
        .parse()
        .map_err(|_| format!("`{digits}` is no number of bytes"))?;
    if count == 0 {
        return Err("a size of 0 moves nothing".to_owned());
    }
    1_usize
        .checked_shl(shift)
        .and_then(|unit| count.checked_mul(unit))
        .ok_or_else(|| "more than this machine can address".to_owned())
}

/// `512 bytes`, `1.50 KiB`, …
pub fn format(bytes: u64) -> String {
    let found = UNITS
        .into_iter()
        .rev()
        .find(|&(_, shift)| bytes >> shift > 0);
    match found {
        None => format!("{bytes} bytes"),
        Some((letter, shift)) => {
            // In integers, since no float holds every u64: the remainder is below 2^40, so this cannot overflow.
            let whole = bytes >> shift;
            let hundredths = ((bytes & ((1 << shift) - 1)) * 100) >> shift;
            format!("{whole}.{hundredths:02} {}iB", letter.to_ascii_uppercase())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{format, parse};

    #[test]
    fn reads_units() {
        for (text, bytes) in [
            ("1", 1),
            ("512", 512),
            ("512b", 512),
            ("64K", 65_536),
            ("64k", 65_536),
            ("64KB", 65_536),
            ("1M", 1 << 20),
            (" 1 MiB ", 1 << 20),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn refuses_nonsense() {
        for text in [
            "",
            "0",
            "0K",
            "K",
            "-1",
            "1.5M",
            "1X",
            "64 Ki B",
            "1e9",
            "99999999999T",
            "18446744073709551616",
            "1KK",
            "é",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn writes_the_largest_unit() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.00 KiB"),
            (1536, "1.50 KiB"),
            ((1 << 30) - 1, "1023.99 MiB"),
            (u64::MAX, "16777215.99 TiB"),
        ] {
            assert_eq!(format(bytes), text);
        }
    }
}
