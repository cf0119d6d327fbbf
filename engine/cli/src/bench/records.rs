//! The keys and values of a benchmark, each made from its number, so that what is read can be compared without being kept.

/// Bytes at the front of a value that tell it from the others, as far as it is long enough.
const NUMBER_BYTES: usize = 10;

/// A value that is made again and again in one place.
#[derive(Clone)]
pub struct Values {
    bytes: Vec<u8>,
}

impl Values {
    /// Values of this length.
    pub fn new(len: usize) -> Self {
        let mut random = Random::new(1);
        // No byte is zero: a plain store takes no value of zeros.
        let bytes = (0..len).map(|_| random.next().to_le_bytes()[0] | 1);
        Self {
            bytes: bytes.collect(),
        }
    }

    /// The value of this number.
    pub fn of(&mut self, number: u32) -> &[u8] {
        for (byte, part) in self.bytes.iter_mut().zip(parts(number)) {
            *byte = part;
        }
        &self.bytes
    }

    /// Whether `value` is that of this number, to the last byte.
    pub fn is(&self, number: u32, value: &[u8]) -> bool {
        let head = NUMBER_BYTES.min(self.bytes.len());
        let numbered = parts(number).into_iter().take(head);
        value.len() == self.bytes.len()
            && value.get(head..) == self.bytes.get(head..)
            && value.iter().copied().take(head).eq(numbered)
    }
}

/// The key of this number, for a kind of records; kinds do not share keys.
pub fn key(kind: u32, number: u32) -> [u8; 16] {
    let mut key = [b'-'; 16];
    for (byte, part) in key
        .iter_mut()
        .zip(kind.to_le_bytes().into_iter().chain(number.to_le_bytes()))
    {
        *byte = part;
    }
    key
}

/// All numbers below `count` in a random order, another for each seed.
pub fn shuffled(count: u32, seed: u64) -> Vec<u32> {
    let mut numbers: Vec<_> = (0..count).collect();
    let mut random = Random::new(seed);
    for end in (1..numbers.len()).rev() {
        let bound = u64::try_from(end).unwrap_or(u64::MAX).saturating_add(1);
        let other = usize::try_from(random.next() % bound).unwrap_or(0);
        numbers.swap(end, other);
    }
    numbers
}

/// Seven bits of the number in each byte, none of them zero.
fn parts(number: u32) -> [u8; NUMBER_BYTES] {
    let mut rest = number;
    [(); NUMBER_BYTES].map(|()| {
        let part = 0x80 | rest.to_le_bytes()[0];
        rest >>= 7;
        part
    })
}

/// A small generator; nothing here needs a good one.
struct Random(u64);

impl Random {
    const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::{Values, key, shuffled};

    #[test]
    fn a_value_is_that_of_its_number_alone() {
        for len in [2, 9, 10, 11, 150] {
            let mut values = Values::new(len);
            for number in [0, 1, 127, 128, 16_383] {
                let value = values.of(number).to_vec();
                assert_eq!(value.len(), len);
                assert!(value.iter().all(|&byte| byte != 0));
                assert!(values.is(number, &value));
                assert!(!values.is(number + 1, &value));
                assert!(!values.is(number, &value[1..]));
                for at in 0..len {
                    let mut value = value.clone();
                    value[at] ^= 1;
                    assert!(!values.is(number, &value), "{len} bytes, {at}");
                }
            }
        }
        assert_eq!(Values::new(1).of(0).len(), 1);
    }

    #[test]
    fn keys_and_orders() {
        assert_ne!(key(0, 7), key(1, 7));
        assert_ne!(key(0, 7), key(0, 8));
        let order = shuffled(1000, 3);
        assert_ne!(order, shuffled(1000, 4));
        assert!(!order.is_sorted());
        let mut sorted = order;
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..1000));
        assert_eq!(shuffled(1, 1), [0]);
    }
}
