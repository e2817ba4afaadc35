//! The JSON reader against another reader: what `serde_json` writes reads back the same, and nothing that is not JSON
//! is taken for it or brings the reader down. See [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259).

use proptest::prelude::*;
use serde_json::Value as Json;
use signalbox_validator::json::{Document, Kind, Limits, ReadErrorKind, Value};

/// Any JSON value, keys and strings of any characters.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::hash_map(any::<String>(), inner, 0..30)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

fn same(ours: Value<'_>, theirs: &Json) -> bool {
    match (ours.kind(), theirs) {
        (Kind::Null, Json::Null) => true,
        (Kind::Bool, Json::Bool(value)) => ours.as_bool() == Some(*value),
        (Kind::Number, Json::Number(number)) => ours.as_number() == Some(&number.to_string()),
        (Kind::String, Json::String(text)) => ours.as_str().as_deref() == Some(text),
        (Kind::Array, Json::Array(items)) => {
            ours.len() == items.len() && ours.items().zip(items).all(|(ours, theirs)| same(ours, theirs))
        }
        (Kind::Object, Json::Object(members)) => {
            let found = |(key, theirs): (&String, &Json)| ours.get(key).is_some_and(|ours| same(ours, theirs));
            ours.len() == members.len() && members.iter().all(found)
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_value_reads_back_as_it_was_written(json in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }.unwrap();
        let document = Document::read(text.as_bytes()).unwrap();
        prop_assert!(same(document.root(), &json), "{text}");
    }

    #[test]
    fn a_text_cut_anywhere_is_an_error(json in any_json(), cut in any::<prop::sample::Index>()) {
        // An array around it: a number cut short is still a number.
        let text = serde_json::to_string(&[json]).unwrap();
        let end = cut.index(text.len());
        let error = Document::read(&text.as_bytes()[..end]).unwrap_err();
        prop_assert!(error.offset <= end);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let ours = Document::read(&bytes).is_ok();
        // serde_json keeps the last of two equal keys and reads no byte order mark; nothing else may differ.
        let theirs = serde_json::from_slice::<Json>(&bytes).is_ok();
        prop_assert!(!ours || theirs || bytes.starts_with(b"\xEF\xBB\xBF"));
    }

    #[test]
    fn almost_json_is_judged_as_by_another_reader(text in r#"[\[\]{}",:0-9eE.+\-a-f\\u \ntrls]{0,24}"#) {
        let ours = Document::read(text.as_bytes());
        let theirs = serde_json::from_str::<Json>(&text);
        let only_ours = matches!(&ours, Err(error) if matches!(error.kind, ReadErrorKind::DuplicateKey(_)));
        // A number too large for a double is a number to us: its digits are kept.
        let only_theirs = theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
        prop_assert!(ours.is_ok() == theirs.is_ok() || only_ours || only_theirs, "{text:?} {ours:?} {theirs:?}");
    }

    #[test]
    fn every_value_knows_where_it_stands(json in any_json()) {
        let text = serde_json::to_string_pretty(&json).unwrap();
        let document = Document::read(text.as_bytes()).unwrap();
        let mut pending = vec![document.root()];
        while let Some(value) = pending.pop() {
            let start = value.key_span().unwrap_or_else(|| value.span()).start;
            let before = &text[..start];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let position = value.position();
            prop_assert_eq!((position.line as usize, position.column as usize), (line, column));
            pending.extend(value.children());
        }
    }
}

#[track_caller]
fn error(text: &str) -> (ReadErrorKind, u32, u32) {
    match Document::read(text.as_bytes()) {
        Err(error) => (error.kind, error.position.line, error.position.column),
        Ok(document) => panic!("{text} should be refused, was read as {document:?}"),
    }
}

#[test]
fn errors_say_what_and_where() {
    assert_eq!(error(""), (ReadErrorKind::Empty, 1, 1));
    assert_eq!(error("{\n \"a\": 1,\n \"a\": 2}"), (ReadErrorKind::DuplicateKey("a".into()), 3, 2));
    assert_eq!(error("[1,\n 01]"), (ReadErrorKind::BadNumber, 2, 2));
    assert_eq!(error("[1] x"), (ReadErrorKind::TrailingText, 1, 5));
    assert_eq!(error("[\"£\u{1}\"]").1, 1);
    assert_eq!(error("{\"a\" 1}"), (ReadErrorKind::Expected("':' after the property name"), 1, 6));
    assert_eq!(error("[1,]"), (ReadErrorKind::Expected("a value"), 1, 4));
    assert_eq!(Document::read(b"[\"\xFF\"]").unwrap_err().kind, ReadErrorKind::InvalidUtf8);
}

#[test]
fn a_key_written_twice_is_found_however_it_is_written() {
    for count in [2, 40] {
        let members: Vec<String> = (0..count).map(|number| format!("\"k{number}\":0")).collect();
        assert!(Document::read(format!("{{{}}}", members.join(",")).as_bytes()).is_ok());
        let text = format!("{{{},\"\\u006b1\":1}}", members.join(","));
        assert_eq!(error(&text).0, ReadErrorKind::DuplicateKey("k1".into()), "{text}");
    }
}

#[test]
fn nesting_stops_at_the_limit_and_never_overflows() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Document::read(nested(128).as_bytes()).is_ok());
    assert_eq!(error(&nested(129)).0, ReadErrorKind::TooDeep(128));
    assert_eq!(error(&"[".repeat(1_000_000)).0, ReadErrorKind::TooDeep(128));
    // A caller may ask for less, and for no more than the stack of a walk allows.
    let read = |depth| Document::read_within(nested(1000).as_bytes(), Limits { depth }).map(|_| ()).unwrap_err().kind;
    assert_eq!(read(3), ReadErrorKind::TooDeep(3));
    assert_eq!(read(u32::MAX), ReadErrorKind::TooDeep(Limits::DEEPEST));
}

#[test]
fn numbers_keep_their_digits() {
    let document = Document::read(b"[1.50, -0, 1E+2, 123456789012345678901234567890]").unwrap();
    let digits: Vec<_> = document.root().items().filter_map(Value::as_number).collect();
    assert_eq!(digits, ["1.50", "-0", "1E+2", "123456789012345678901234567890"]);
}

#[test]
fn debug_output_holds_no_content() {
    let document = Document::read(br#"{"family":"Rivers"}"#).unwrap();
    let shown = format!("{document:?} {:?}", document.root().children().next());
    assert!(!shown.contains("Rivers") && !shown.contains("family"), "{shown}");
}
