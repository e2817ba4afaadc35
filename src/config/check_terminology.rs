//! What one setting of `[terminology]` alone cannot show: that nothing could ever be asked, or answered in time.

use super::check::{Report, some_time};
use super::partner;
use super::terminology::Terminology;

pub(super) fn check(terminology: &Terminology, report: &mut Report<'_>) {
    let Terminology { timeout, budget, cache, breaker, .. } = terminology;
    for (key, period) in
        [("timeout", *timeout), ("breaker.pause", breaker.pause), ("cache.keep_right", cache.keep_right)]
    {
        some_time(&format!("terminology.{key}"), period, report);
    }
    if budget.time < *timeout {
        let expected = format!("at least \"{timeout}\", the timeout: a server that is too slow is found out by it");
        report.unexpected("terminology.budget.time", format!("\"{}\"", budget.time), expected);
    }
    if !terminology.is_on() {
        return;
    }
    if let Err(expected) = partner::base_url(&terminology.url) {
        report.unexpected("terminology.url", "something else", expected);
    }
    if terminology.systems.is_empty() {
        let expected = "the code systems that the server has and may be asked about, such as http://snomed.info/sct";
        report.unexpected("terminology.systems", "none", expected);
    }
    let further = terminology.headers.iter().map(|(name, value)| (name.as_str(), value.expose()));
    for (setting, sentence) in partner::headers(terminology.token.expose(), further).err().unwrap_or_default() {
        report.unexpected(&format!("terminology.{setting}"), sentence, "what an HTTP header can hold");
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Environment};
    use std::path::Path;

    fn told(settings: &str) -> Vec<String> {
        let environment = Environment::of([("TOKEN", "line\nbreak")]);
        let read = Config::from_toml_with(&format!("[terminology]\n{settings}"), Path::new("."), &environment);
        let told = |error: &crate::config::ConfigError| format!("{}: {}", error.key, error.problem);
        read.err().map(|errors| errors.iter().map(told).collect()).unwrap_or_default()
    }

    #[test]
    fn what_could_never_work_is_told() {
        assert_eq!(told("url = \"https://terminology.example.org/fhir\""), Vec::<String>::new());
        for (settings, key) in [
            ("url = \"terminology.example.org\"", "terminology.url"),
            ("url = \"http://a\"\nsystems = []", "terminology.systems"),
            ("url = \"http://a\"\ntoken = \"in clear\"", "terminology.token"),
            ("url = \"http://a\"\ntoken = \"secret:env:TOKEN\"", "terminology.token"),
            ("url = \"http://a\"\nheaders = { Authorization = \"Bearer x\" }", "terminology.headers.Authorization"),
            ("url = \"http://a\"\nheaders = { \"no name\" = \"x\" }", "terminology.headers.no name"),
            ("url = \"http://user:password@a\"", "terminology.url"),
            ("timeout = \"9s\"", "terminology.budget.time"),
            ("timeout = \"0s\"", "terminology.timeout"),
            ("budget = { at_once = 0 }", "terminology.budget.at_once"),
            ("breaker = { pause = \"0s\" }", "terminology.breaker.pause"),
        ] {
            let told = told(settings);
            assert!(told.len() == 1 && told[0].starts_with(&format!("{key}: ")), "{settings}: {told:?}");
            assert!(!told[0].contains("password") || !told[0].contains("user"), "{told:?}");
        }
    }
}
