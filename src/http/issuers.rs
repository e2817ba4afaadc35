//! Tokens of identity providers: signed JWTs ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)), asymmetric algorithms
//! only, their keys from a JWKS. A token must be for us, in force, and end soon; where the issuer says so, it is good for
//! one request only.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::jwks::{self, Jwks};
use crate::clock::Clock;
use crate::config::{Config, Fault};
use crate::exchange::Sender;
use crate::gateway::Gateway;

/// Clocks differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// Longest token that is looked at.
const LONGEST: usize = 16 * 1024;

/// Signatures that the holder of a public key cannot make. `none` and shared secrets are not among them.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// The issuers of the configuration.
pub struct Issuers(Vec<Issuer>);

struct Issuer {
    name: String,
    validation: Validation,
    keys: Jwks,
    claim: String,
    longest: Duration,
    once: bool,
    senders: HashMap<String, Sender>,
    clock: Clock,
    register: Register,
}

/// Remembers the tokens that were used.
type Register =
    Arc<dyn Fn(String, String, DateTime<Utc>) -> futures_util::future::BoxFuture<'static, bool> + Send + Sync>;

impl Issuers {
    /// The issuers of the configuration; keys are read when the first token comes.
    #[must_use]
    pub fn of(config: &Config, gateway: &Gateway, http: &reqwest::Client, clock: &Clock) -> Self {
        let gateway = gateway.clone();
        let register: Register = Arc::new(move |issuer, token, ends| {
            let gateway = gateway.clone();
            Box::pin(async move { gateway.claim_token(&issuer, &token, ends).await })
        });
        let issuers = config.issuers.iter().map(|(name, settings)| Issuer {
            name: name.clone(),
            validation: validation(&settings.issuer, &settings.audience),
            keys: Jwks::new(&settings.jwks, &config.base, http.clone()),
            claim: settings.claim.clone(),
            longest: settings.longest.0,
            once: settings.once,
            senders: senders(config, name),
            clock: clock.clone(),
            register: Arc::clone(&register),
        });
        Self(issuers.collect())
    }

    /// Issuers whose keys are to be in a file, and are not: the setting, and why. Addresses are not asked.
    #[must_use]
    pub fn without_keys(config: &Config) -> Vec<Fault> {
        let in_files = config.issuers.iter().filter(|(_, issuer)| !jwks::is_address(&issuer.jwks));
        let faults = in_files.filter_map(|(name, issuer)| {
            let why = jwks::look_into(&config.base.join(&issuer.jwks)).err()?;
            Some((format!("issuers.{name}.jwks"), why))
        });
        faults.collect()
    }

    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// The source that a token proves.
    pub(super) async fn sender(&self, token: &[u8]) -> Option<Sender> {
        let token = std::str::from_utf8(token).ok().filter(|token| token.len() <= LONGEST)?;
        let mut reasons = Vec::new();
        for issuer in &self.0 {
            match issuer.sender(token).await {
                Ok(sender) => return Some(sender),
                Err(why) => reasons.push(format!("{}: {why}", issuer.name)),
            }
        }
        // Told to the operators, not to whoever sent it.
        if !reasons.is_empty() {
            tracing::info!(reasons = reasons.join("; "), "a token does not hold");
        }
        None
    }
}

fn senders(config: &Config, issuer: &str) -> HashMap<String, Sender> {
    let of_issuer = config.sources.iter().filter_map(|(name, source)| {
        let jwt = source.jwt.as_ref().filter(|jwt| jwt.issuer == issuer)?;
        Some((jwt.subject.clone(), Sender { source: name.clone(), ods: source.ods.clone() }))
    });
    of_issuer.collect()
}

fn validation(issuer: &str, audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.algorithms = ALGORITHMS.to_vec();
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    // Times are compared with our own clock, below.
    (validation.validate_exp, validation.validate_nbf) = (false, false);
    validation
}

impl Issuer {
    async fn sender(&self, token: &str) -> Result<Sender, &'static str> {
        let header = decode_header(token).map_err(|_| "it is no JWT, or not signed")?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err("its algorithm is none that only the issuer can sign with");
        }
        if header.crit.is_some() {
            // RFC 7515 §4.1.11: what must be understood and is not.
            return Err("its header has extensions that must be understood (crit)");
        }
        let key = self.keys.find(header.kid.as_deref()).await.ok_or("its key is not known")?;
        if key.common.key_algorithm.is_some_and(|only| only.to_string() != format!("{:?}", header.alg)) {
            return Err("its key is for another algorithm");
        }
        let key = DecodingKey::from_jwk(&key).map_err(|_| "its key cannot be used")?;
        let claims =
            decode::<Value>(token, &key, &Validation { algorithms: vec![header.alg], ..self.validation.clone() })
                .map_err(|_| "its signature, issuer or audience is not right")?
                .claims;
        let ends = self.check_times(&claims)?;
        let named = claims[&self.claim].as_str().ok_or("it names no source")?;
        let sender = self.senders.get(named).ok_or("it names a source that we do not have")?;
        if self.once {
            let id = claims["jti"].as_str().filter(|id| !id.is_empty()).ok_or("it has no jti")?;
            if !(self.register)(self.name.clone(), id.to_owned(), ends).await {
                return Err("it has been used before");
            }
        }
        Ok(sender.clone())
    }

    /// When the token ends.
    fn check_times(&self, claims: &Value) -> Result<DateTime<Utc>, &'static str> {
        let now = self.clock.now();
        let time =
            |name: &str| claims[name].as_f64().and_then(|seconds| DateTime::from_timestamp_millis(millis(seconds)));
        let ends = time("exp").ok_or("it does not say when it ends")?;
        if ends + LEEWAY <= now {
            return Err("it has expired");
        }
        if ends - now > TimeDelta::from_std(self.longest).unwrap_or(TimeDelta::MAX) + LEEWAY {
            return Err("it lives longer than tokens of this issuer may");
        }
        if time("nbf").is_some_and(|begins| begins > now + LEEWAY) {
            return Err("it is not in force yet");
        }
        Ok(ends)
    }
}

/// Claims count seconds and may have a fraction; what no time can be is refused later.
#[expect(clippy::cast_possible_truncation, reason = "saturates, and no such time exists")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}
