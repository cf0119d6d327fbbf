//! How a key is written down behind another one: in a leaf, and where all of them are.
//!
//! A record is a number (twice the length that is shared with the key before, plus 1 if the key expires), the length of what is not shared,
//! eight bytes of expiry if there is one, and what is not shared. Numbers have seven bits to a byte, the lowest first. Bytes that are no
//! record are told from one, never trusted.

/// A key as it is kept: what it shares with the one before it, and what not.
pub(super) struct Record<'l> {
    pub(super) shared: usize,
    pub(super) own: &'l [u8],
    pub(super) expires_at: u64,
}

/// How many bytes two keys begin with alike.
pub(super) fn shared_len(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

impl<'l> Record<'l> {
    /// Takes the next record off `rest`; `None` at the end, and for bytes that are none.
    pub(super) fn take(rest: &mut &'l [u8]) -> Option<Self> {
        let shared = take_number(rest)?;
        let own_len = take_number(rest)?;
        let mut expires_at = 0;
        if shared & 1 != 0 {
            let (bytes, behind) = rest.split_first_chunk()?;
            expires_at = u64::from_le_bytes(*bytes);
            *rest = behind;
        }
        let (own, behind) = rest.split_at_checked(own_len)?;
        *rest = behind;
        Some(Self {
            shared: shared >> 1,
            own,
            expires_at,
        })
    }
}

/// Appends the record of a key that shares so much with the one before it, and has this besides.
pub(super) fn push_record(bytes: &mut Vec<u8>, shared: usize, own: &[u8], expires_at: u64) {
    push_number(bytes, shared << 1 | usize::from(expires_at != 0));
    push_number(bytes, own.len());
    if expires_at != 0 {
        bytes.extend_from_slice(&expires_at.to_le_bytes());
    }
    bytes.extend_from_slice(own);
}

/// Takes the next record off `rest`, turns `key` from the one before it into its own, and returns its expiry. `None` at the
/// end, and for bytes that are no record.
pub(super) fn take_record(rest: &mut &[u8], key: &mut Vec<u8>) -> Option<u64> {
    let record = Record::take(rest)?;
    if record.shared > key.len() {
        return None;
    }
    key.truncate(record.shared);
    key.extend_from_slice(record.own);
    Some(record.expires_at)
}

pub(super) fn push_number(bytes: &mut Vec<u8>, mut number: usize) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low & 0x7f);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// A number below 2^28, which is more than any that is written.
pub(super) fn take_number(rest: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in [0, 7, 14, 21] {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        number |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_lengths() {
        for number in [0, 1, 127, 128, 1 << 14, 131_073 << 1, (1 << 28) - 1] {
            let mut bytes = Vec::new();
            push_number(&mut bytes, number);
            let mut rest = &bytes[..];
            assert_eq!(take_number(&mut rest), Some(number));
            assert!(rest.is_empty() && take_number(&mut &bytes[..bytes.len() - 1]).is_none());
        }
        assert_eq!(take_number(&mut &[0xff; 9][..]), None);
    }
}
