//! `encode`, `decode`, `escape` and `unescape` ([FHIRPath 2](http://hl7.org/fhirpath/#additional-string-functions)).

use super::{Call, Function, text};
use crate::fhirpath::evaluate::Outcome;

const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const PLAIN: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("encode", |call| converted(call, encode)),
    Function::new("decode", |call| converted(call, decode)),
    Function::new("escape", |call| converted(call, escape)),
    Function::new("unescape", |call| converted(call, unescape)),
];

fn converted<'d>(call: &Call<'_, '_, 'd>, convert: fn(&str, &str) -> Option<String>) -> Outcome<'d> {
    call.takes(1, 1)?;
    let Some((own, format)) = call.text()?.zip(call.text_argument(0)?) else { return Ok(Vec::new()) };
    convert(&own, &format).map_or_else(|| Ok(Vec::new()), text)
}

fn encode(own: &str, format: &str) -> Option<String> {
    Some(match format {
        "hex" => own
            .bytes()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect(),
        "base64" => base64(own.as_bytes(), PLAIN),
        "urlbase64" => base64(own.as_bytes(), URL),
        _ => return None,
    })
}

fn decode(own: &str, format: &str) -> Option<String> {
    let bytes = match format {
        "hex" if own.is_ascii() && own.len().is_multiple_of(2) => {
            let pairs = own.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
            pairs.map(|pair| u8::from_str_radix(pair, 16).ok()).collect::<Option<Vec<_>>>()?
        }
        "base64" => unbase64(own, PLAIN)?,
        "urlbase64" => unbase64(own, URL)?,
        _ => return None,
    };
    String::from_utf8(bytes).ok()
}

fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let whole = chunk.iter().enumerate().fold(0_u32, |all, (at, byte)| all | u32::from(*byte) << (16 - 8 * at));
        for place in 0..4 {
            let letter = alphabet[(whole >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

fn unbase64(text: &str, alphabet: &[u8; 64]) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut out = Vec::new();
    for chunk in text.as_bytes().chunks(4) {
        let mut whole = 0_u32;
        for (at, letter) in chunk.iter().enumerate() {
            let digit = alphabet.iter().position(|known| known == letter)?;
            whole |= u32::try_from(digit).ok()? << (18 - 6 * at);
        }
        let bytes = whole.to_be_bytes();
        out.extend_from_slice(&bytes[1..chunk.len().max(1)]);
    }
    Some(out)
}

fn escape(own: &str, format: &str) -> Option<String> {
    Some(match format {
        "html" => own
            .chars()
            .map(|letter| match letter {
                '&' => "&amp;".to_owned(),
                '<' => "&lt;".to_owned(),
                '>' => "&gt;".to_owned(),
                '"' => "&quot;".to_owned(),
                '\'' => "&#39;".to_owned(),
                other => other.to_string(),
            })
            .collect(),
        "json" => own
            .chars()
            .map(|letter| match letter {
                '"' => "\\\"".to_owned(),
                '\\' => "\\\\".to_owned(),
                '\n' => "\\n".to_owned(),
                '\r' => "\\r".to_owned(),
                '\t' => "\\t".to_owned(),
                control if control < ' ' => format!("\\u{:04x}", u32::from(control)),
                other => other.to_string(),
            })
            .collect(),
        _ => return None,
    })
}

fn unescape(own: &str, format: &str) -> Option<String> {
    match format {
        "html" => {
            let entities =
                [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&amp;", "&")];
            Some(entities.iter().fold(own.to_owned(), |text, (entity, letter)| text.replace(entity, letter)))
        }
        "json" => {
            let quoted = format!("\"{own}\"");
            let document = crate::json::Document::read(quoted.as_bytes()).ok();
            document.and_then(|document| document.root().as_str().map(std::borrow::Cow::into_owned))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_or_escaped_comes_back(own in ".{0,40}") {
            for format in ["hex", "base64", "urlbase64"] {
                let encoded = encode(&own, format).unwrap();
                prop_assert_eq!(decode(&encoded, format), Some(own.clone()));
            }
            let escaped = escape(&own, "json").unwrap();
            prop_assert_eq!(unescape(&escaped, "json"), Some(own));
        }
    }
}
