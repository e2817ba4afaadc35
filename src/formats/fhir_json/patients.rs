//! x
use signalbox_validator::json::Value;
/// x
pub fn identities(_root: Value<'_>, _source: &str) -> Vec<String> { vec![] }
/// x
pub fn resource_key(_s: &str, _t: &str, _i: &str) -> String { String::new() }
/// x
pub fn identifier_key(_s: &str, _v: &str) -> String { String::new() }
