//! Value sets over a small code system: what is in, what is out and what is not known.

use super::*;

const SYSTEM: &str = r#"{"url":"s","property":[{"code":"colour"}],"concept":[
  {"code":"a","display":"Alpha","property":[{"code":"colour","valueCode":"red"}],
   "concept":[{"code":"b","concept":[{"code":"c","property":[{"code":"colour","valueString":"blue"}]}]}]},
  {"code":"d","property":[{"code":"inactive","valueBoolean":true},{"code":"subsumedBy","valueCode":"b"}]}]}"#;
const FOLDED: &str = r#"{"url":"folded","caseSensitive":false,"concept":[{"code":"Xy"}]}"#;
const SUPPLEMENT: &str = r#"{"url":"more","content":"supplement","supplements":"s","concept":[{"code":"a"}]}"#;
const IMPORT: &str = r#"{"compose":{"include":[{"system":"t","concept":[{"code":"x"}]},{"system":"s","concept":[{"code":"a"},{"code":"d"}]}]}}"#;

/// Terminology with the value set `v` made so.
fn with(definition: &str) -> Terminology {
    let mut terminology = Terminology::default();
    for (url, text) in [("s", SYSTEM), ("folded", FOLDED), ("more", SUPPLEMENT)] {
        terminology.add_code_system(url, Document::read(text.as_bytes()).unwrap().root());
    }
    for (url, text) in [("v", definition), ("import", IMPORT)] {
        terminology.add_value_set(url, Document::read(text.as_bytes()).unwrap().root());
    }
    terminology
}

fn expand(compose: &str) -> ValueSet {
    with(&format!(r#"{{"compose":{compose}}}"#)).value_set_named("v").unwrap().clone()
}

fn held(value_set: &ValueSet) -> String {
    ["a", "b", "c", "d"].into_iter().filter(|code| value_set.contains("s", code) == Membership::In).collect()
}

#[test]
fn filters_select_by_hierarchy_and_by_property() {
    for (property, op, value, expected) in [
        ("concept", "is-a", "b", "bcd"),
        ("concept", "descendent-of", "a", "bcd"),
        ("concept", "is-not-a", "b", "a"),
        ("concept", "generalizes", "c", "abc"),
        ("concept", "is-a", "z", ""),
        ("concept", "=", "b", "b"),
        ("code", "in", "a, c", "ac"),
        ("code", "not-in", "a,c", "bd"),
        ("code", "regex", "[a-b]", "ab"),
        ("display", "=", "Alpha", "a"),
        ("parent", "=", "b", "cd"),
        ("child", "=", "c", "b"),
        ("colour", "=", "red", "a"),
        ("colour", "exists", "false", "bd"),
        ("inactive", "=", "true", "d"),
    ] {
        let filter = format!(r#"[{{"property":"{property}","op":"{op}","value":"{value}"}}]"#);
        let value_set = expand(&format!(r#"{{"include":[{{"system":"s","filter":{filter}}}]}}"#));
        assert_eq!(held(&value_set), expected, "{property} {op} {value}");
        assert_eq!(value_set.contains("s", "?"), Membership::Out, "{property} {op} {value}");
    }
    for filter in [r#"{"property":"size","op":"=","value":"1"}"#, r#"{"property":"code","op":"regex","value":"("}"#] {
        let value_set = expand(&format!(r#"{{"include":[{{"system":"s","filter":[{filter}]}}]}}"#));
        assert_eq!(value_set.contains("s", "a"), Membership::Unknown, "{filter}");
    }
}

#[test]
fn sets_are_united_intersected_and_taken_away() {
    for (compose, expected) in [
        (r#"{"include":[{"system":"s"}]}"#, "abcd"),
        (r#"{"include":[{"system":"s"}],"exclude":[{"system":"s","concept":[{"code":"d"}]}]}"#, "abc"),
        (r#"{"include":[{"system":"s"}],"exclude":[{"valueSet":["import"]}]}"#, "bc"),
        (r#"{"include":[{"system":"s","valueSet":["import"]}]}"#, "ad"),
        (r#"{"inactive":false,"include":[{"system":"s","valueSet":["import|1.0"]}]}"#, "a"),
        (r#"{"include":[{"valueSet":["import","s?vs"]}]}"#, "ad"),
    ] {
        assert_eq!(held(&expand(compose)), expected, "{compose}");
    }
}

#[test]
fn what_is_not_carried_is_unknown_and_the_rest_is_out() {
    let mixed = expand(r#"{"include":[{"system":"s"},{"system":"elsewhere"}]}"#);
    let of = |system, code| mixed.contains(system, code);
    assert_eq!((of("s", "a"), of("s", "z")), (Membership::In, Membership::Out));
    assert_eq!((of("elsewhere", "a"), of("third", "a")), (Membership::Unknown, Membership::Out));
    assert_eq!((mixed.contains_code("a"), mixed.contains_code("z")), (Membership::In, Membership::Unknown));
    // A supplement is no system, and a version that nobody has is not the one we have.
    for part in [r#"{"system":"more"}"#, r#"{"system":"s","version":"7"}"#] {
        let set = expand(&format!(r#"{{"include":[{part}]}}"#));
        assert_eq!(set.contains_code("a"), Membership::Unknown, "{part}");
    }
    // Codes that may have been taken away.
    let less = expand(r#"{"include":[{"system":"s"}],"exclude":[{"valueSet":["nowhere"]}]}"#);
    assert_eq!(less.contains("s", "a"), Membership::Unknown);
}

#[test]
fn imports_are_followed_and_a_missing_one_leaves_the_set_open() {
    let imported = expand(r#"{"include":[{"valueSet":["import|1.0"]}]}"#);
    assert_eq!((imported.contains("t", "x"), imported.contains("t", "y")), (Membership::In, Membership::Out));
    let missing = expand(r#"{"include":[{"valueSet":["nowhere"]},{"system":"s"}]}"#);
    assert_eq!((missing.contains("s", "a"), missing.contains("q", "a")), (Membership::In, Membership::Unknown));
    // A set that imports itself is not followed for ever.
    assert_eq!(expand(r#"{"include":[{"valueSet":["v"]}]}"#).contains("s", "a"), Membership::Unknown);
}

#[test]
fn letters_are_told_apart_unless_the_system_does_not() {
    let both = expand(r#"{"include":[{"system":"folded"},{"system":"s"}]}"#);
    let of = |system, code| both.contains(system, code);
    assert_eq!((of("folded", "xY"), of("folded", "z")), (Membership::In, Membership::Out));
    assert_eq!((of("s", "a"), of("s", "A")), (Membership::In, Membership::Out));
}

#[test]
fn an_expansion_stands_in_for_what_cannot_be_composed() {
    let compose = r#""compose":{"include":[{"system":"elsewhere","filter":[{"property":"p","op":"=","value":"1"}]}]}"#;
    let contains = r#""contains":[{"system":"elsewhere","abstract":true,"code":"top","contains":[{"system":"elsewhere","code":"x"}]}]"#;
    for (total, outside) in [("", Membership::Out), (r#""total":9,"#, Membership::Unknown)] {
        let terminology = with(&format!(r#"{{{compose},"expansion":{{{total}{contains}}}}}"#));
        let of = |code| terminology.value_set_named("v").unwrap().contains("elsewhere", code);
        assert_eq!((of("x"), of("top"), of("y")), (Membership::In, outside, outside), "{total}");
    }
}
