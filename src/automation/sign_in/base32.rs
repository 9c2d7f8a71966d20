//! Base 32 (RFC 4648) without padding, in lower case: for what people copy by hand.

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const BITS: u32 = 5;

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= BITS {
            bits -= BITS;
            text.push(char::from(ALPHABET[(held >> bits) as usize & 31]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(held << (BITS - bits)) as usize & 31]));
    }
    text
}

/// Groups of four, so that nobody loses their place.
pub(super) fn grouped(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// As it was before it was grouped, however somebody typed it.
pub(super) fn ungrouped(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_standards_base_32() {
        for (plain, encoded) in
            [("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"), ("foobar", "mzxw6ytboi")]
        {
            assert_eq!(encode(plain.as_bytes()), encoded);
        }
        assert_eq!(grouped("mzxw6ytboi"), "mzxw-6ytb-oi");
        assert_eq!(ungrouped(" MZXW-6ytb oi"), "mzxw6ytboi");
    }
}
