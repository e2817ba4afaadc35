//! The configuration of the demo's gateway: three sources, three destinations, four routes.

use crate::chance::Chance;
use crate::config::token;

/// The text of a `signalbox.toml`, and the sources' tokens: practice, admissions, laboratory.
pub(super) fn configuration(pas: &str, central: &str, chance: &Chance) -> (String, [String; 3]) {
    let tokens = [(); 3].map(|()| token::new_token(chance));
    let [practice, admissions, laboratory] = tokens.each_ref().map(|(_, hash)| hash);
    let text = format!(
        r#"# Written by `signalbox demo`, anew at every start: edit a copy.
data = "data"

[http]
listen = "127.0.0.1:0"

# Impatient, so that there is something to see: 5s, 15m and 24h are the defaults.
[delivery.retry]
first = "200ms"
max = "2s"
give_up_after = "30s"

[sources.practice]
ods = "A99001"
token_sha256 = ["{practice}"]

[sources.admissions]
ods = "RX1"
token_sha256 = ["{admissions}"]

[sources.laboratory]
ods = "RX1"
token_sha256 = ["{laboratory}"]

[destinations.pas]
type = "mllp"
concurrency = 4
timeout = "5s"
[destinations.pas.settings]
address = "{pas}"
sending_application = "SIGNALBOX"
sending_facility = "RX1"
receiving_application = "PAS"
receiving_facility = "RX1"
connections = 4
[destinations.pas.settings.authorities]
"https://demo.signalbox.example/Id/hospital-number" = "RX1"

[destinations.central]
type = "fhir-rest"
concurrency = 4
timeout = "5s"
settings = {{ base_url = "{central}" }}

[destinations.archive]
type = "file"
on_reject = "skip"
settings = {{ folder = "archive", name = "{{received}}-{{type}}-{{delivery}}.json" }}

[[routes]]
name = "patients"
types = ["Patient"]
to = [
  "pas",
  "archive",
  {{ destination = "central", send = "update", identifier = "https://fhir.nhs.uk/Id/nhs-number" }},
]

[[routes]]
name = "admissions"
types = ["Encounter"]
when = "Encounter.subject.exists()"
to = ["pas"]

[[routes]]
name = "results-centrally"
types = ["Observation"]
to = [{{ destination = "central", send = "create", identifier = "https://demo.signalbox.example/Id/result" }}]

[[routes]]
name = "high-results-on-file"
types = ["Observation"]
when = "Observation.value.value > 5.5"
to = ["archive"]
"#
    );
    (text, tokens.map(|(secret, _)| secret.expose().to_owned()))
}
