//! What the gateway thinks of an HL7 v2 message before anything is stored: can it be read, is it for here, who takes it.
//! Pure, like [`super::judge`].

use std::collections::BTreeMap;

use super::judge::{Judge, Judgement, can_be_carried};
use super::policy;
use crate::config::mllp::{Content, DefaultCharset, Mllp, ProcessingId};
use crate::config::source::Verdict;
use crate::exchange::Arrival;
use crate::formats::hl7v2::charset;
use crate::formats::hl7v2::content;
use crate::formats::hl7v2::fields::Fields;
use crate::formats::hl7v2::header::Header;
use crate::formats::hl7v2::{patients, remarks};
use crate::outcome::Issue;
use crate::rejection::{MessageFault, Rejection};

/// Most characters of MSH-10 that are kept: 20 up to v2.6, 199 later.
const CONTROL_ID: usize = 199;

/// Message types that ask for an answer with content (chapter 5): taking one and saying nothing would be a lie.
const QUERIES: [&[u8]; 8] = [b"QBP", b"QCN", b"QRY", b"QSB", b"QSX", b"QVR", b"SPQ", b"VQQ"];

pub(super) fn judge(judge: &Judge, arrival: &Arrival) -> (Result<Judgement, Rejection>, Vec<[u8; 32]>) {
    let Some(fields) = Fields::read(&arrival.body) else {
        let sentence = "This is no HL7 v2 message: it does not begin with MSH and its delimiters.";
        return (Err(Rejection::Message(MessageFault::unsupported(100, "MSH", sentence))), Vec::new());
    };
    let door = arrival.endpoint.strip_prefix("mllp/").and_then(|name| judge.mllp.get(name));
    let none = BTreeMap::new();
    let authorities = door.map_or(&none, |door| &door.authorities);
    let keys = judge.search_key.keys(&patients::identities(&fields, &arrival.sender.source, authorities));
    let judged = check_header(fields.header(), door)
        .and_then(|()| check_charset(&fields, &arrival.body, door))
        .map_err(Rejection::Message)
        .and_then(|()| content_issues(judge, arrival, &fields, door))
        .and_then(|issues| route(judge, arrival, &fields, issues, keys.clone()));
    (judged, keys)
}

/// Faults and oddities of the content that the policy of the source does not refuse.
fn content_issues(
    judge: &Judge,
    arrival: &Arrival,
    fields: &Fields<'_>,
    door: Option<&Mllp>,
) -> Result<Vec<Issue>, Rejection> {
    if door.is_some_and(|door| door.content == Content::Pass) {
        return Ok(Vec::new());
    }
    let (fault, remarks) = (content::fault(fields), remarks::of(fields));
    let fault = fault.map(|fault| Rejection::Message(MessageFault::content(fault.code, fault.place, fault.sentence)));
    let mut issues = fault.as_ref().map(Rejection::issues).unwrap_or_default();
    issues.extend(remarks.iter().map(|remark| Issue {
        severity: "warning".to_owned(),
        expression: Some(remark.place.clone()),
        ..Issue::error("structure", remark.sentence)
    }));
    if policy::verdict(judge.sources.get(&arrival.sender.source), &issues) != Verdict::Reject {
        return Ok(issues);
    }
    let odd = remarks.into_iter().next();
    let odd = odd.map(|remark| MessageFault::unsupported(remark.code, remark.place, remark.sentence));
    fault.or(odd.map(Rejection::Message)).map_or(Ok(issues), Err)
}

fn route(
    judge: &Judge,
    arrival: &Arrival,
    fields: &Fields<'_>,
    issues: Vec<Issue>,
    keys: Vec<[u8; 32]>,
) -> Result<Judgement, Rejection> {
    let kind = &arrival.resource_type;
    let selection =
        judge.routes.select_message(&arrival.sender.source, kind, |path, values| fields.holds(path, values));
    if selection.matched.is_empty() {
        let name = kind.split('^').next().unwrap_or_default();
        let code = if judge.routes.takes_message(name) { 201 } else { 200 };
        let sentence = format!("No route of this gateway takes {kind} from this source.");
        return Err(Rejection::Message(MessageFault::unsupported(code, "MSH-9", sentence)));
    }
    can_be_carried(judge, arrival, &selection.targets)?;
    let source = judge.sources.get(&arrival.sender.source);
    let quarantined = policy::verdict(source, &issues) == Verdict::Quarantine && !selection.targets.is_empty();
    let held = quarantined.then(|| policy::reason(source, &issues));
    Ok(Judgement { issues, routes: selection.matched, targets: selection.targets, keys, held })
}

fn check_header(header: &Header<'_>, door: Option<&Mllp>) -> Result<(), MessageFault> {
    let control_id = header.field(10);
    if control_id.len() > CONTROL_ID {
        let sentence = format!("MSH-10 (message control id) is too long: at most {CONTROL_ID} characters are taken.");
        return Err(MessageFault::content(102, "MSH-10", sentence));
    }
    if control_id.is_empty() {
        let sentence = "MSH-10 (message control id) must be valued: without it the message cannot be acknowledged.";
        return Err(MessageFault::content(101, "MSH-10", sentence));
    }
    if header.kind().is_empty() {
        let sentence = "MSH-9 must be a message type and its trigger event, such as ADT^A31.";
        return Err(MessageFault::unsupported(200, "MSH-9", sentence));
    }
    if QUERIES.contains(&header.component(9, 1)) {
        let sentence = "Queries are not answered here.";
        return Err(MessageFault::unsupported(200, "MSH-9", sentence));
    }
    // An absent version is read as 2.4, as the rest of the NHS has it.
    let (major, minor) = header.version();
    if major != 2 || !(1..=9).contains(&minor) {
        return Err(MessageFault::unsupported(203, "MSH-12", "MSH-12: versions 2.1 to 2.9 are taken."));
    }
    let processing_id = header.component(11, 1);
    let taken = door.map_or(&[ProcessingId::P][..], |door| &door.processing_ids);
    if !processing_id.is_empty() && !taken.iter().any(|id| letter(*id) == processing_id) {
        let sentence = "MSH-11: messages with this processing id are not taken here.";
        return Err(MessageFault::unsupported(202, "MSH-11", sentence));
    }
    Ok(())
}

fn letter(id: ProcessingId) -> &'static [u8] {
    match id {
        ProcessingId::P => b"P",
        ProcessingId::T => b"T",
        ProcessingId::D => b"D",
    }
}

/// Whether every byte has a character: nothing is stored that cannot be said again, or that is not what it says it is.
fn check_charset(fields: &Fields<'_>, body: &[u8], door: Option<&Mllp>) -> Result<(), MessageFault> {
    let otherwise = match door.map(|door| door.charset).unwrap_or_default() {
        DefaultCharset::Windows1252 => Some(encoding_rs::WINDOWS_1252),
        DefaultCharset::Refuse => None,
    };
    charset::read(body, fields.header().component(18, 1), otherwise).map(|_| ()).map_err(|unreadable| {
        let mark = body.len() - fields.bytes().len();
        let place = fields.place_at(unreadable.offset().saturating_sub(mark));
        let place = place.map(|place| format!(", in {place}")).unwrap_or_default();
        let sentence = format!("{unreadable}: see byte {}{place}.", unreadable.offset() + 1);
        MessageFault::content(102, "MSH-18", sentence)
    })
}
