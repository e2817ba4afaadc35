//! Why a message is not accepted: the sender's fault or our policy, and the ONE table that says how each reason reads
//! in HTTP ([status codes](https://hl7.org/fhir/R4/http.html#Status-Codes)), in an
//! [OperationOutcome](https://hl7.org/fhir/R4/valueset-issue-type.html) and in an HL7 v2 acknowledgement.

use std::time::Duration;

use crate::outcome::Issue;

/// A message was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// No credential, or one we do not know.
    #[error("a known bearer token is needed in the Authorization header")]
    Unauthenticated,
    /// The sender is known but may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// The body or a header could not be read as FHIR.
    #[error("the message could not be read as FHIR")]
    Unreadable(Vec<Issue>),
    /// A header or parameter has a value that is not allowed.
    #[error("{0}")]
    InvalidValue(String),
    /// The URL names a resource type that FHIR R4 does not have, or a place we do not serve.
    #[error("{0}")]
    NotFound(String),
    /// The URL is served, but not for this method.
    #[error("this address answers {allow} only")]
    MethodNotAllowed {
        /// Value of the `Allow` header.
        allow: &'static str,
    },
    /// The sender wants an answer in a format we lack.
    #[error("answers are application/fhir+json; the Accept header allows none of it")]
    NotAcceptable,
    /// The same message id came before with another body.
    #[error("this X-Request-ID was used before for a different request; give every new request an id of its own")]
    DuplicateId,
    /// The body is longer than the limit, in bytes.
    #[error("the body is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The body's format is one we lack.
    #[error("the body must be application/fhir+json; charset=utf-8")]
    UnsupportedMediaType,
    /// Read, but not valid against base or profile.
    #[error("the resource is not valid")]
    Invalid(Vec<Issue>),
    /// Valid, but no route takes it.
    #[error("no route of this gateway takes a {resource_type} from this source")]
    NoRoute {
        /// The type that was sent.
        resource_type: String,
    },
    /// The sender asks for something FHIR has and this gateway does not.
    #[error("{0}")]
    NotImplemented(String),
    /// The sender is over its rate.
    #[error("too many requests; try again later")]
    TooMany {
        /// When to try again.
        retry_after: Duration,
    },
    /// We cannot commit now; nothing was accepted.
    #[error("the gateway cannot accept messages now; nothing was stored, send it again later")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// Our fault; already logged with the correlation id, opaque to the sender.
    #[error("the gateway failed; nothing was accepted. Quote the X-Correlation-ID of this answer to its operators")]
    Fault,
}

/// How a rejection reads in each protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rendering {
    /// HTTP status.
    pub status: u16,
    /// `OperationOutcome.issue.code`.
    pub issue_code: &'static str,
    /// HL7 v2 acknowledgement code (table 0008).
    pub ack: &'static str,
    /// HL7 v2 error code (table 0357).
    pub error_code: u16,
}

impl Rejection {
    /// The row of the table.
    #[must_use]
    pub fn rendering(&self) -> Rendering {
        let row = |status, issue_code, ack, error_code| Rendering { status, issue_code, ack, error_code };
        match self {
            Self::Unauthenticated => row(401, "login", "AR", 207),
            Self::Forbidden(_) => row(403, "forbidden", "AR", 207),
            Self::Unreadable(_) => row(400, "structure", "AE", 102),
            Self::InvalidValue(_) => row(400, "value", "AE", 102),
            Self::NotFound(_) => row(404, "not-found", "AR", 200),
            Self::MethodNotAllowed { .. } => row(405, "not-supported", "AR", 201),
            Self::NotAcceptable => row(406, "not-supported", "AR", 203),
            Self::DuplicateId => row(409, "duplicate", "AE", 205),
            Self::TooLarge { .. } => row(413, "too-long", "AR", 207),
            Self::UnsupportedMediaType => row(415, "not-supported", "AR", 203),
            Self::Invalid(_) => row(422, "invalid", "AE", 102),
            Self::NoRoute { .. } => row(422, "not-supported", "AE", 200),
            Self::NotImplemented(_) => row(501, "not-supported", "AR", 201),
            Self::TooMany { .. } => row(429, "throttled", "AR", 207),
            Self::Unavailable { .. } => row(503, "transient", "AR", 207),
            Self::Fault => row(500, "exception", "AR", 207),
        }
    }

    /// What is wrong, issue by issue: the faults found, or the rejection itself as one issue.
    #[must_use]
    pub fn issues(&self) -> Vec<Issue> {
        match self {
            Self::Unreadable(issues) | Self::Invalid(issues) if !issues.is_empty() => issues.clone(),
            other => vec![Issue::error(other.rendering().issue_code, other.to_string())],
        }
    }

    /// When the sender may try again, for `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany { retry_after } | Self::Unavailable { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}
