//! What the gateway thinks of a message, before anything is stored: can it be read, is it valid, who takes it. Pure: no
//! clock, no database, no network. In two halves, for whoever asks a terminology server in between.

use std::collections::{BTreeMap, HashMap};

use signalbox_validator::json::{Document, Kind, Limits, ReadError, Value};

use super::{Known, message, policy, profiles};
use crate::config::mllp::Mllp;
use crate::config::source::{Source, UnknownProfile, Verdict};
use crate::config::terminology::{Terminology, WhenDown};
use crate::exchange::keys::SearchKey;
use crate::exchange::{Arrival, Interaction};
use crate::formats::fhir_json::patients;
use crate::outcome::Issue;
use crate::rejection::Rejection;
use crate::routing::{Routes, Selection, Target};
use crate::validation::Checked;
use crate::validation::guides::Guides;
use crate::validation::terminology::Answers;

/// What a message is judged by.
pub struct Judge {
    /// The rules of FHIR, and of the guides of each source.
    pub guides: Guides,
    /// Which exchange goes where.
    pub routes: Routes,
    /// Destinations by name.
    pub destinations: HashMap<String, Known>,
    /// The secret behind key columns.
    pub search_key: SearchKey,
    /// Deepest nesting of a body.
    pub max_depth: u32,
    /// What the sources may send.
    pub sources: BTreeMap<String, Source>,
    /// What was agreed at the doors for HL7 v2.
    pub mllp: BTreeMap<String, Mllp>,
    /// Who is asked about codes that are not loaded; `None`: nobody.
    pub terminology: Option<Terminology>,
}

/// A message that may be accepted.
pub struct Judgement {
    /// Warnings and remarks.
    pub issues: Vec<Issue>,
    /// Names of the routes that matched.
    pub routes: Vec<String>,
    /// Where it goes.
    pub targets: Vec<Target>,
    /// Keys by which it is found again and ordered.
    pub keys: Vec<[u8; 32]>,
    /// Why it is held until an operator decides; `None`: it is not. What goes nowhere is never held.
    pub held: Option<String>,
}

/// A message that has been read and checked, and waits for what a terminology server says of its codes.
pub(super) struct Opened {
    checked: Checked,
    /// What was found beside validation.
    further: Vec<Issue>,
    selection: Selection,
    keys: Vec<[u8; 32]>,
    /// An HL7 v2 message asks nobody.
    judged: Option<Judgement>,
}

impl Opened {
    /// What was checked, with the questions it leaves.
    pub(super) fn checked(&self) -> &Checked {
        &self.checked
    }
}

impl Judge {
    /// Judges a message by what is known here. Also says by which keys a refused one can be found, as far as it could be
    /// read.
    ///
    /// # Errors
    /// Beside the keys: why the message is refused.
    pub fn judge(&self, arrival: &Arrival) -> (Result<Judgement, Rejection>, Vec<[u8; 32]>) {
        let (opened, keys) = self.open(arrival);
        (opened.and_then(|opened| self.decide(arrival, opened, &Answers::default())), keys)
    }

    /// The first half of [`Judge::judge`]: all that can be said without asking anybody.
    pub(super) fn open(&self, arrival: &Arrival) -> (Result<Opened, Rejection>, Vec<[u8; 32]>) {
        if arrival.interaction == Interaction::Message {
            let (judged, keys) = message::judge(self, arrival);
            let opened = |judged| Opened {
                checked: Checked::default(),
                further: Vec::new(),
                selection: Selection::default(),
                keys: Vec::new(),
                judged: Some(judged),
            };
            return (judged.map(opened), keys);
        }
        let source = self.sources.get(&arrival.sender.source);
        let max_depth = source.and_then(|source| source.limits.max_depth).unwrap_or(self.max_depth);
        let document = match read(&arrival.body, max_depth) {
            Ok(document) => document,
            Err(rejection) => return (Err(rejection), Vec::new()),
        };
        let mut identities = patients::identities(document.root(), &arrival.sender.source);
        let (interaction, id) = (arrival.interaction, arrival.resource_id.as_deref());
        identities.extend(patients::resource_key(interaction, &arrival.sender.source, &arrival.resource_type, id));
        let keys = self.search_key.keys(&identities);
        (open_document(self, arrival, &document, keys.clone()), keys)
    }

    /// The second half: what follows, with the answers.
    pub(super) fn decide(&self, arrival: &Arrival, opened: Opened, answers: &Answers) -> Result<Judgement, Rejection> {
        let Opened { checked, further, selection, keys, judged } = opened;
        if let Some(judged) = judged {
            return Ok(judged);
        }
        let source = self.sources.get(&arrival.sender.source);
        let (mut issues, unanswered) = checked.settle(answers);
        let refused = further.iter().any(Issue::is_error);
        issues.extend(further);
        let verdict = policy::verdict(source, &issues);
        if refused || verdict == Verdict::Reject {
            return Err(Rejection::Invalid(policy::refused(issues)));
        }
        let by_policy = (verdict == Verdict::Quarantine).then(|| policy::reason(source, &issues));
        let holds = self.terminology.as_ref().is_some_and(|asked| asked.when_down == WhenDown::Hold);
        let reasons: Vec<String> = by_policy.into_iter().chain(unanswered.filter(|_| holds)).collect();
        for undecided in &selection.undecided {
            let message =
                format!("Route '{}' could not be decided and was left out: {}", undecided.route, undecided.reason);
            issues.push(Issue { severity: "warning".to_owned(), ..Issue::error("processing", message) });
        }
        if selection.matched.is_empty() {
            return Err(Rejection::NoRoute { resource_type: arrival.resource_type.clone() });
        }
        can_be_carried(self, arrival, &selection.targets)?;
        let is_held = !reasons.is_empty() && !selection.targets.is_empty();
        let held = is_held.then(|| reasons.join("; "));
        Ok(Judgement { issues, routes: selection.matched, targets: selection.targets, keys, held })
    }
}

fn open_document(
    judge: &Judge,
    arrival: &Arrival,
    document: &Document<'_>,
    keys: Vec<[u8; 32]>,
) -> Result<Opened, Rejection> {
    let root = document.root();
    agrees_with_url(judge, arrival, root)?;
    let selection = judge.routes.select(&arrival.sender.source, &arrival.resource_type, root, arrival.received_at);
    let source = judge.sources.get(&arrival.sender.source);
    let checked = check(judge, &arrival.sender.source, document, &selection);
    let unknown = source.map_or(UnknownProfile::Warn, |source| source.unknown_profile);
    let known = |url: &str| judge.guides.of(&arrival.sender.source).applies(url);
    let further = profiles::unknown(root, &arrival.resource_type, unknown, known);
    Ok(Opened { checked, further, selection, keys, judged: None })
}

/// Checks a resource by the guides of its source, against the profiles that it claims, that the source must meet and that
/// its routes ask for.
pub(super) fn check(judge: &Judge, source: &str, document: &Document<'_>, selection: &Selection) -> Checked {
    let mut by_type = selection.profiles.clone();
    for (resource_type, canonicals) in judge.sources.get(source).into_iter().flat_map(|source| &source.profiles) {
        let of_type = by_type.entry(resource_type.clone()).or_default();
        of_type.splice(..0, canonicals.iter().cloned());
    }
    let systems = judge.terminology.as_ref().map_or(&[][..], |asked| &asked.systems);
    judge.guides.of(source).check_asking(document, by_type, systems)
}

/// Reads a body as JSON.
pub(super) fn read(body: &[u8], max_depth: u32) -> Result<Document<'_>, Rejection> {
    Document::read_within(body, Limits { depth: max_depth })
        .map_err(|error| Rejection::Unreadable(vec![unreadable(&error)]))
}

fn unreadable(error: &ReadError) -> Issue {
    let message = format!("The body is not the JSON that FHIR asks for: {}.", error.kind);
    Issue::error("structure", message).at(error.position.line, error.position.column)
}

/// The type of a resource, or why it is none.
pub(super) fn resource_type(judge: &Judge, root: Value<'_>) -> Result<String, Rejection> {
    let fail = |at: Value<'_>, message: &str| {
        let place = at.position();
        Err(Rejection::Unreadable(vec![Issue::error("structure", message).at(place.line, place.column)]))
    };
    if root.kind() != Kind::Object {
        return fail(root, "The body must be one FHIR resource: a JSON object, not an array or a bare value.");
    }
    let Some(member) = root.get("resourceType") else {
        return fail(root, "The object has no 'resourceType': it is not a FHIR resource.");
    };
    match member.as_str() {
        Some(name) if judge.guides.built_in().is_resource_type(&name) => Ok(name.into_owned()),
        Some(_) => fail(member, "The 'resourceType' is not a resource type of FHIR R4."),
        None => fail(member, "The 'resourceType' must be a string."),
    }
}

fn agrees_with_url(judge: &Judge, arrival: &Arrival, root: Value<'_>) -> Result<(), Rejection> {
    let found = resource_type(judge, root)?;
    let fail = |key: &str, message: String| {
        let place = root.get(key).unwrap_or(root).position();
        let issue = Issue::error("invalid", message).at(place.line, place.column);
        Err(Rejection::Unreadable(vec![issue]))
    };
    if found != arrival.resource_type {
        return fail("resourceType", format!("The URL is for a {}, the body is a {found}.", arrival.resource_type));
    }
    if arrival.interaction == Interaction::Transaction
        && root.get("type").and_then(Value::as_str).as_deref() != Some("transaction")
    {
        let sentence = "The base takes a Bundle of type 'batch' or 'transaction'; POST another one to [base]/Bundle.";
        return fail("type", sentence.to_owned());
    }
    let Some(wanted) = arrival.resource_id.as_deref().filter(|_| arrival.interaction == Interaction::Update) else {
        return Ok(());
    };
    match root.get("id").and_then(Value::as_str) {
        Some(id) if id == wanted => Ok(()),
        Some(_) => fail("id", "The 'id' in the body is not the id in the URL.".to_owned()),
        None => fail("id", "An update needs the 'id' of the URL in the body too.".to_owned()),
    }
}

/// What is asked, with its preconditions, is carried to every destination or refused, never ignored.
pub(super) fn can_be_carried(judge: &Judge, arrival: &Arrival, targets: &[Target]) -> Result<(), Rejection> {
    let condition = match (&arrival.conditions.if_none_exist, &arrival.conditions.if_match) {
        (Some(_), _) => Some("If-None-Exist"),
        (None, Some(_)) => Some("If-Match"),
        (None, None) => None,
    };
    if let (Some(name), []) = (condition, targets) {
        return Err(Rejection::NotImplemented(format!(
            "{name} has no meaning here: this message is recorded and sent nowhere"
        )));
    }
    let unable = |target: &&Target| {
        !judge.destinations.get(&target.destination).is_some_and(|known| known.carries(arrival, &target.options))
    };
    let Some(Target { destination, .. }) = targets.iter().find(unable) else { return Ok(()) };
    Err(Rejection::NotImplemented(match condition {
        Some(name) => format!(
            "{name} cannot be carried to the destination '{destination}', and is never ignored; send the message without it"
        ),
        None if arrival.interaction == Interaction::Message => {
            format!("the destination '{destination}' takes no HL7 v2 messages")
        }
        None => {
            format!(
                "the interaction '{}' cannot be carried to the destination '{destination}'",
                arrival.interaction.as_str()
            )
        }
    }))
}
