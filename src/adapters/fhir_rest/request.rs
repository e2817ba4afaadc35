//! The request of one delivery. The resource is sent as it was received; only a conditional update loses its top-level
//! `id`, which is the source's and not the server's.

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder};
use signalbox_validator::json::{Document, Value};

use super::Server;
use super::options::Send;
use crate::delivery::destination::{Delivery, DeliveryError};

const FHIR_JSON: &str = "application/fhir+json";

pub(super) fn build(server: &Server, send: &Send, delivery: &Delivery) -> Result<RequestBuilder, DeliveryError> {
    let document = Document::read(&delivery.body).map_err(|_| DeliveryError::refused("the resource is not JSON"))?;
    let root = document.root();
    let place = format!("{}/{}", server.base, delivery.resource_type);
    let conditions = &delivery.conditions;
    let (method, url, body, own_condition) = match send {
        Send::CreateUnlessIdentified(system) => {
            (Method::POST, place, delivery.body.to_vec(), Some(query(&identifier(root, system)?)))
        }
        Send::CreateAgain => (Method::POST, place, delivery.body.to_vec(), None),
        Send::UpdateIdentified(system) => {
            let url = format!("{place}?{}", query(&identifier(root, system)?));
            (Method::PUT, url, without_id(&document), None)
        }
        Send::Transaction => (Method::POST, server.base.clone(), delivery.body.to_vec(), None),
        Send::UpdateById => {
            let id = root.get("id").and_then(Value::as_str);
            let id = id.ok_or_else(|| DeliveryError::refused(format!("{}.id is missing", delivery.resource_type)))?;
            (Method::PUT, format!("{place}/{id}"), delivery.body.to_vec(), None)
        }
    };
    let mut request = server
        .client
        .request(method, url)
        .headers(server.headers.clone())
        .header(CONTENT_TYPE, FHIR_JSON)
        .header(ACCEPT, FHIR_JSON)
        .header("x-request-id", delivery.id.uuid().to_string())
        .header("x-correlation-id", &delivery.correlation_id)
        .body(body);
    if let Some(condition) = own_condition.as_ref().or(conditions.if_none_exist.as_ref()) {
        request = request.header("if-none-exist", condition);
    }
    if let Some(version) = &conditions.if_match {
        request = request.header("if-match", version);
    }
    Ok(request)
}

/// The request as a person reads it: method and path below the base, preconditions, an empty line, the body.
pub(super) fn render(server: &Server, send: &Send, delivery: &Delivery) -> Result<Vec<u8>, DeliveryError> {
    let unmade = |_| DeliveryError::refused("the request could not be made of the resource");
    let request = build(server, send, delivery)?.build().map_err(unmade)?;
    let path = request.url().as_str().strip_prefix(&server.base).unwrap_or_else(|| request.url().path());
    let path = if path.is_empty() { "/" } else { path };
    let mut text = format!("{} {path}\n", request.method());
    for name in ["if-none-exist", "if-match"] {
        if let Some(value) = request.headers().get(name).and_then(|value| value.to_str().ok()) {
            text.extend([name, ": ", value, "\n"]);
        }
    }
    text.push('\n');
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    Ok([text.as_bytes(), body].concat())
}

/// `system|value` of the resource's identifier of this system; exactly one, or it is not known which resource is meant.
fn identifier(root: Value<'_>, system: &str) -> Result<String, DeliveryError> {
    let listed = root.get("identifier").map(|found| {
        if found.is_empty() || found.get("system").is_some() { vec![found] } else { found.items().collect() }
    });
    let of_system = |found: &Value<'_>| found.str_at(&["system"]).as_deref() == Some(system);
    let values: Vec<String> = listed
        .unwrap_or_default()
        .into_iter()
        .filter(of_system)
        .filter_map(|found| found.str_at(&["value"]).map(std::borrow::Cow::into_owned))
        .collect();
    match values.as_slice() {
        [value] => Ok(format!("{system}|{value}")),
        [] => Err(DeliveryError::refused(format!("identifier: the route needs one of system {system}"))),
        _ => Err(DeliveryError::refused(format!("identifier: there is more than one of system {system}"))),
    }
}

fn query(token: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("identifier", token).finish()
}

/// The text without its top-level `id` and one comma; nothing else is touched.
fn without_id(document: &Document<'_>) -> Vec<u8> {
    let text = document.text();
    let members: Vec<_> = document.root().children().collect();
    let Some(at) = members.iter().position(|member| member.key().as_deref() == Some("id")) else {
        return text.as_bytes().to_vec();
    };
    let begin = |at: usize| members[at].key_span().map_or(0, |span| span.start);
    let end = |at: usize| members[at].span().end;
    let (from, to) = match at {
        _ if at + 1 < members.len() => (begin(at), begin(at + 1)),
        0 => (begin(0), end(0)),
        _ => (end(at - 1), end(at)),
    };
    [&text.as_bytes()[..from], &text.as_bytes()[to..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> String {
        String::from_utf8(without_id(&Document::read(text.as_bytes()).unwrap())).unwrap()
    }

    #[test]
    fn only_the_top_level_id_is_cut() {
        assert_eq!(cut(r#"{"id":"1","a":{"id":"2"}}"#), r#"{"a":{"id":"2"}}"#);
        assert_eq!(cut(r#"{"a":1.50, "id" : "1" }"#), r#"{"a":1.50 }"#);
        assert_eq!(cut(r#"{"a":1,"id":"1","b":2}"#), r#"{"a":1,"b":2}"#);
        assert_eq!(cut(r#"{"id":"1"}"#), "{}");
        assert_eq!(cut(r#"{"a":1}"#), r#"{"a":1}"#);
    }

    #[test]
    fn an_identifier_is_found_by_its_system_and_only_when_it_is_the_only_one() {
        let of = |text: &str| identifier(Document::read(text.as_bytes()).unwrap().root(), "s");
        assert_eq!(
            of(r#"{"identifier":[{"system":"t","value":"1"},{"system":"s","value":"a b"}]}"#),
            Ok("s|a b".to_owned())
        );
        assert_eq!(of(r#"{"identifier":{"system":"s","value":"1"}}"#), Ok("s|1".to_owned()));
        assert!(of(r#"{"identifier":[]}"#).is_err());
        assert!(of(r#"{"identifier":[{"system":"s","value":"1"},{"system":"s","value":"2"}]}"#).is_err());
        assert_eq!(query("s|a b&c"), "identifier=s%7Ca+b%26c");
    }
}
