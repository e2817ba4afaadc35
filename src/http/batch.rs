//! The entries of a [batch](https://hl7.org/fhir/R4/http.html#transaction), each a message of its own: what its `request`
//! asks, with the id by which a repeat of the whole batch is recognised entry by entry.

use std::borrow::Cow;
use std::collections::HashMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use signalbox_validator::json::{Document, Position, Value};
use uuid::Uuid;

use super::conditions;
use super::place::Place;
use crate::exchange::{Arrival, Interaction};
use crate::outcome::Issue;
use crate::rejection::Rejection;

/// One entry.
pub(super) struct Entry {
    /// The message, or why it is none.
    pub(super) arrival: Result<Arrival, Rejection>,
    /// Its resource type, when the address names one.
    pub(super) resource_type: Option<String>,
    /// Where its resource begins in the body.
    pub(super) begins: Position,
}

/// How many entries a Bundle has, whatever its type.
pub(super) fn length(document: &Document<'_>) -> usize {
    document.root().get("entry").map_or(0, Value::len)
}

/// The entries of a batch, in order; `None` when the document is no batch. `whole` is the request that brought it.
pub(super) fn entries(document: &Document<'_>, whole: &Arrival, known: impl Fn(&str) -> bool) -> Option<Vec<Entry>> {
    let root = document.root();
    let says = |key: &str, word: &str| root.get(key).and_then(Value::as_str).as_deref() == Some(word);
    if !says("resourceType", "Bundle") || !says("type", "batch") {
        return None;
    }
    let listed = || root.get("entry").into_iter().flat_map(Value::items).enumerate();
    let names: HashMap<_, _> = listed().filter_map(|(number, entry)| Some((temporary(entry)?, number))).collect();
    let read = |(number, entry): (usize, Value<'_>)| {
        let mut read = read(document, number, entry, whole, &known);
        if let Some(other) = entry.get("resource").and_then(|resource| other_named(resource, &names, number)) {
            let sentence = format!(
                "the entry refers to entry {other} by its fullUrl: entries of a batch go each on its own way; send those \
                 that refer to each other as a transaction"
            );
            let refused = Rejection::Invalid(vec![Issue::error("business-rule", sentence)]);
            read.arrival = read.arrival.and(Err(refused));
        }
        read
    };
    Some(listed().map(read).collect())
}

/// The name that an entry has within its Bundle only; addresses of servers mean the same everywhere.
fn temporary(entry: Value<'_>) -> Option<Cow<'_, str>> {
    entry.get("fullUrl")?.as_str().filter(|name| name.starts_with("urn:"))
}

/// The number of another entry that this value refers to.
fn other_named(value: Value<'_>, names: &HashMap<Cow<'_, str>, usize>, own: usize) -> Option<usize> {
    if names.len() < 2 && names.values().all(|number| *number == own) {
        return None;
    }
    let refers =
        |child: Value<'_>| child.is_member("reference").then(|| names.get(&*child.as_str()?).copied()).flatten();
    value.children().find_map(|child| match refers(child) {
        Some(number) if number != own => Some(number),
        _ => other_named(child, names, own),
    })
}

fn read(
    document: &Document<'_>,
    number: usize,
    entry: Value<'_>,
    whole: &Arrival,
    known: &impl Fn(&str) -> bool,
) -> Entry {
    let begins = document.position(entry.get("resource").unwrap_or(entry).span().start);
    let url = entry.str_at(&["request", "url"]).unwrap_or_default();
    // Some write the slash before it.
    let address = format!("/fhir/{}", url.strip_prefix('/').unwrap_or(&url)).parse();
    let place = address.as_ref().ok().map(|uri| Place::of(uri, known));
    let resource_type = place.as_ref().and_then(Place::known_type).map(str::to_owned);
    let query = url.contains('?');
    let arrival = match place {
        Some(place) => asked(entry, &place, query).and_then(|asked| arrival(number, entry, whole, asked)),
        None => Err(invalid("request.url of the entry is not an address relative to the base")),
    };
    Entry { arrival, resource_type, begins }
}

/// Interaction, resource type, logical id.
type Asked = (Interaction, String, Option<String>);

fn asked(entry: Value<'_>, place: &Place, query: bool) -> Result<Asked, Rejection> {
    let method = entry.str_at(&["request", "method"]).unwrap_or_default();
    match &*method {
        "POST" if place.written_id().is_empty() && !query => Ok((Interaction::Create, place.resource_type()?, None)),
        "POST" => Err(Rejection::NotImplemented("a POST in a batch goes to the address of a type only".to_owned())),
        "PUT" if query => {
            Err(Rejection::NotImplemented("updates by search (conditional updates) are not served".to_owned()))
        }
        "PUT" => Ok((Interaction::Update, place.resource_type()?, Some(place.logical_id()?))),
        "GET" | "HEAD" | "DELETE" | "PATCH" => {
            Err(Rejection::NotImplemented(format!("{method} is not served in a batch; entries are POST or PUT")))
        }
        _ => Err(invalid("request.method of the entry must be POST or PUT")),
    }
}

fn arrival(number: usize, entry: Value<'_>, whole: &Arrival, asked: Asked) -> Result<Arrival, Rejection> {
    let (interaction, resource_type, resource_id) = asked;
    let resource = entry.get("resource").ok_or_else(|| invalid("the entry has no resource"))?;
    let request = |key| entry.str_at(&["request", key]);
    for key in ["ifNoneMatch", "ifModifiedSince"] {
        if request(key).is_some() {
            return Err(Rejection::NotImplemented(format!("request.{key} is not carried to destinations")));
        }
    }
    let (if_none_exist, if_match) = (request("ifNoneExist"), request("ifMatch"));
    let conditions = conditions::check(if_none_exist.as_deref(), if_match.as_deref(), Some(interaction))?;
    let mut ids = whole.ids.clone();
    ids.request = ids.request.map(|batch| entry_id(batch, number));
    Ok(Arrival {
        interaction,
        resource_type,
        resource_id,
        conditions,
        ids,
        reply: false,
        body: Bytes::copy_from_slice(resource.raw().as_bytes()),
        ..whole.clone()
    })
}

/// The message id of one entry: the same whenever the same batch is sent again.
fn entry_id(batch: Uuid, number: usize) -> Uuid {
    let hash = Sha256::new_with_prefix(batch.as_bytes()).chain_update((number as u64).to_be_bytes()).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn invalid(sentence: &str) -> Rejection {
    Rejection::InvalidValue(sentence.to_owned())
}
