//! How far a run of bytes goes, eight bytes at a time: the inside of a string
//! ([RFC 8259 §7](https://www.rfc-editor.org/rfc/rfc8259#section-7)) and white space between tokens (§2).

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const SPACES: u64 = ONES * 0x20;

/// Bytes before the first quote, backslash or control character; `None` when there is none of them.
pub(super) fn string_run(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let found = zero_bytes(word ^ (ONES * 0x22)) | zero_bytes(word ^ (ONES * 0x5C)) | below_space(word);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = bytes[at..].iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < b' ');
    rest.map(|run| at + run)
}

/// Bytes of white space at the start.
pub(super) fn space_run(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match bytes.get(at) {
            Some(b' ') => {
                // Indentation is long.
                while bytes[at..].first_chunk::<8>().is_some_and(|chunk| u64::from_le_bytes(*chunk) == SPACES) {
                    at += 8;
                }
                at += usize::from(bytes.get(at) == Some(&b' '));
            }
            Some(b'\n' | b'\r' | b'\t') => at += 1,
            _ => return at,
        }
    }
}

/// The high bit of the first byte that is zero, and of some after it.
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The high bit of the first byte below 0x20, and of some after it.
fn below_space(word: u64) -> u64 {
    word.wrapping_sub(SPACES) & !word & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_at_the_first_byte_that_ends_it() {
        for end in [b'"', b'\\', 0, 0x1F, b'\n'] {
            for length in 0..40 {
                let mut bytes = "x£ !#[]~\u{7f}".repeat(8).into_bytes()[..length].to_vec();
                assert_eq!(string_run(&bytes), None);
                bytes.push(end);
                bytes.extend(b"tail \"\\\0 tail");
                assert_eq!(string_run(&bytes), Some(length), "{end} after {length}");
            }
        }
    }

    #[test]
    fn white_space_of_any_length_is_skipped() {
        for length in 0..40 {
            let text = format!("{}\n\t\r{}x  ", " ".repeat(length), " ".repeat(length / 2));
            assert_eq!(space_run(text.as_bytes()), text.find('x').unwrap());
        }
        assert_eq!(space_run(b"   "), 3);
        assert_eq!(space_run(b""), 0);
    }
}
