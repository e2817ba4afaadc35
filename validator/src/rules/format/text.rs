//! [string](https://hl7.org/fhir/R4/datatypes.html#string), code, id, base64Binary and xhtml.

use super::Verdict;

/// The most characters a string may have.
const LONGEST: usize = 1024 * 1024;
const EMPTY: &str = "it is empty; leave the property out instead";

pub(super) fn string(text: &str) -> Verdict {
    if text.is_empty() {
        return Err(EMPTY);
    }
    if text.len() > LONGEST && text.chars().count() > LONGEST {
        return Err("it is longer than 1048576 characters");
    }
    // Without a way out on the way: eight or more bytes at once.
    let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    if text.bytes().fold(false, |found, byte| found | is_control(byte)) {
        return Err("it holds a control character");
    }
    Ok(())
}

pub(super) fn code(text: &str) -> Verdict {
    if text.is_empty() {
        return Err(EMPTY);
    }
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let mut after_space = true;
    for character in text.chars() {
        let space = character.is_whitespace();
        if space && (after_space || character != ' ') {
            return Err("a code has no white space but single spaces between words");
        }
        after_space = space;
    }
    if after_space { Err("a code does not end in a space") } else { Ok(()) }
}

pub(super) fn id(text: &str) -> Verdict {
    let characters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    if characters && (1..=64).contains(&text.len()) {
        Ok(())
    } else {
        Err("expected 1 to 64 letters, digits, '-' and '.'")
    }
}

pub(super) fn base64_binary(text: &str) -> Verdict {
    let shape = "expected base64 in groups of four characters";
    let (mut length, mut padding) = (0_usize, 0_usize);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        match byte {
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => {}
            _ => return Err(shape),
        }
        length += 1;
    }
    if length == 0 {
        return Err(EMPTY);
    }
    if length.is_multiple_of(4) && padding <= 2 { Ok(()) } else { Err(shape) }
}

/// The outside only: what may stand inside is the business of invariants on `Narrative.div`.
pub(super) fn xhtml(text: &str) -> Verdict {
    let inside = text.trim();
    let opened = inside
        .strip_prefix("<div")
        .is_some_and(|rest| rest.starts_with(|next: char| next.is_whitespace() || next == '>' || next == '/'));
    if !opened {
        return Err("expected a single <div> element");
    }
    if inside.ends_with("</div>") || inside.ends_with("/>") { Ok(()) } else { Err("the <div> is not closed") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_says_something() {
        assert_eq!([" a\tb\r\n", " "].map(string), [Ok(()); 2]);
        for bad in ["", "a\u{0}", "a\u{1f}"] {
            assert!(string(bad).is_err(), "{bad:?}");
        }
        assert!(string(&"a".repeat(LONGEST)).is_ok() && string(&"£".repeat(LONGEST)).is_ok());
        assert!(string(&"a".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn a_code_has_single_spaces_inside_only() {
        assert_eq!(["a", "a b", "entered-in-error", "<="].map(code), [Ok(()); 4]);
        for bad in ["", " a", "a ", "a  b", "a\tb", "a\u{a0}b"] {
            assert!(code(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_id_has_up_to_sixty_four_safe_characters() {
        assert!(id("a-Z.9").is_ok() && id(&"a".repeat(64)).is_ok());
        for bad in ["", "a_b", "a b", "é", &"a".repeat(65)] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn base64_comes_in_fours() {
        for good in ["QUJD", "QUI=", "QQ==", "QU JD\nQUJD"] {
            assert_eq!(base64_binary(good), Ok(()), "{good}");
        }
        for bad in ["", "QUJ", "Q===", "QQ==QUJD", "QU-_", "===="] {
            assert!(base64_binary(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn narrative_is_one_div() {
        assert!(xhtml("<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>").is_ok() && xhtml("<div/>").is_ok());
        for bad in ["", "text", "<p>a</p>", "<divide></divide>", "<div>a"] {
            assert!(xhtml(bad).is_err(), "{bad}");
        }
    }
}
