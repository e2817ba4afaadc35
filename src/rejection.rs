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
    #[error("answers are application/fhir+json; the Accept header, or _format, asks for something else")]
    NotAcceptable,
    /// The body did not arrive in time; nothing was accepted.
    #[error("the request did not arrive whole within {} seconds; nothing was stored, send it again", limit.as_secs_f32())]
    Timeout {
        /// The time a request may take.
        limit: Duration,
    },
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
    #[error("the body must be application/fhir+json of FHIR 4.0 in UTF-8, not compressed")]
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
    /// An HL7 v2 message is at fault, or asks for what is not done here.
    #[error("{}", .0.sentence)]
    Message(MessageFault),
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
    /// We could not answer in time: the commit may or may not have happened (P5).
    #[error(
        "the gateway did not finish in time and cannot say whether the message was stored; send it again with the same \
         X-Request-ID"
    )]
    Unanswered {
        /// When to try again.
        retry_after: Duration,
    },
    /// Our fault; already logged with the correlation id, opaque to the sender.
    #[error(
        "the gateway failed; quote the X-Correlation-ID of this answer to its operators, and send the message again with \
         the same X-Request-ID"
    )]
    Fault,
}

/// What is wrong with an HL7 v2 message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFault {
    /// Error code of table 0357.
    pub error_code: u16,
    /// Whether it is not for its content: the answer is AR whatever was agreed for content faults.
    pub rejected: bool,
    /// Where, such as `MSH-10`; empty: not in one place.
    pub place: String,
    /// A sentence for people, free of patient data.
    pub sentence: String,
}

impl MessageFault {
    /// A fault of the content: the same message would fail again.
    pub fn content(error_code: u16, place: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { error_code, rejected: false, place: place.into(), sentence: sentence.into() }
    }

    /// What is not done here, whatever the content.
    pub fn unsupported(error_code: u16, place: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { error_code, rejected: true, place: place.into(), sentence: sentence.into() }
    }
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
            Self::Timeout { .. } => row(408, "timeout", "AE", 207),
            Self::DuplicateId => row(409, "duplicate", "AE", 205),
            Self::TooLarge { .. } => row(413, "too-long", "AR", 207),
            Self::UnsupportedMediaType => row(415, "not-supported", "AR", 203),
            Self::Invalid(_) => row(422, "invalid", "AE", 102),
            Self::NoRoute { .. } => row(422, "not-supported", "AR", 201),
            Self::Message(fault) => match (fault.rejected, fault.error_code) {
                (_, 205) => row(409, "duplicate", "AE", 205),
                (true, code) => row(501, "not-supported", "AR", code),
                (false, code) => row(422, "invalid", "AE", code),
            },
            Self::NotImplemented(_) => row(501, "not-supported", "AR", 201),
            // What may pass is an error: a reject tells senders never to send the message again.
            Self::TooMany { .. } => row(429, "throttled", "AE", 207),
            Self::Unavailable { .. } => row(503, "transient", "AE", 207),
            Self::Unanswered { .. } => row(503, "timeout", "AE", 207),
            Self::Fault => row(500, "exception", "AE", 207),
        }
    }

    /// What is wrong, issue by issue: the faults found, or the rejection itself as one issue.
    #[must_use]
    pub fn issues(&self) -> Vec<Issue> {
        match self {
            Self::Unreadable(issues) | Self::Invalid(issues) if !issues.is_empty() => issues.clone(),
            Self::Message(fault) => {
                let expression = (!fault.place.is_empty()).then(|| fault.place.clone());
                vec![Issue { expression, ..Issue::error(self.rendering().issue_code, fault.sentence.clone()) }]
            }
            other => vec![Issue::error(other.rendering().issue_code, other.to_string())],
        }
    }

    /// When the sender may try again, for `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany { retry_after } | Self::Unavailable { retry_after } | Self::Unanswered { retry_after } => {
                Some(*retry_after)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! One rejection of every kind, for tests of how they read.

    use super::*;

    /// All of them, in the order of the table.
    pub(crate) fn all() -> Vec<Rejection> {
        let wait = Duration::from_millis(1500);
        let place = Issue::error("structure", "the property 'id' appears twice in one object").at(2, 14);
        let cardinality =
            Issue { expression: Some("Patient.name[0]".to_owned()), ..Issue::error("required", "missing") };
        vec![
            Rejection::Unauthenticated,
            Rejection::Forbidden("this source may not send Observation".to_owned()),
            Rejection::Unreadable(vec![place]),
            Rejection::InvalidValue("the header X-Request-ID must be a UUID".to_owned()),
            Rejection::NotFound("FHIR R4 has no such resource type".to_owned()),
            Rejection::MethodNotAllowed { allow: "GET, HEAD" },
            Rejection::NotAcceptable,
            Rejection::Timeout { limit: wait },
            Rejection::DuplicateId,
            Rejection::TooLarge { limit: 1024 },
            Rejection::UnsupportedMediaType,
            Rejection::Invalid(vec![cardinality.clone(), cardinality]),
            Rejection::NoRoute { resource_type: "Patient".to_owned() },
            Rejection::Message(MessageFault::content(102, "PID-7", "the date of birth is no date")),
            Rejection::NotImplemented("batches are not served".to_owned()),
            Rejection::TooMany { retry_after: wait },
            Rejection::Unavailable { retry_after: wait },
            Rejection::Unanswered { retry_after: wait },
            Rejection::Fault,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::OperationOutcome;

    /// The name of the variant; a new one does not compile until it is named here, and fails below until it is a sample.
    fn name(rejection: &Rejection) -> &'static str {
        match rejection {
            Rejection::Unauthenticated => "Unauthenticated",
            Rejection::Forbidden(_) => "Forbidden",
            Rejection::Unreadable(_) => "Unreadable",
            Rejection::InvalidValue(_) => "InvalidValue",
            Rejection::NotFound(_) => "NotFound",
            Rejection::MethodNotAllowed { .. } => "MethodNotAllowed",
            Rejection::NotAcceptable => "NotAcceptable",
            Rejection::Timeout { .. } => "Timeout",
            Rejection::DuplicateId => "DuplicateId",
            Rejection::TooLarge { .. } => "TooLarge",
            Rejection::UnsupportedMediaType => "UnsupportedMediaType",
            Rejection::Invalid(_) => "Invalid",
            Rejection::NoRoute { .. } => "NoRoute",
            Rejection::Message(_) => "Message",
            Rejection::NotImplemented(_) => "NotImplemented",
            Rejection::TooMany { .. } => "TooMany",
            Rejection::Unavailable { .. } => "Unavailable",
            Rejection::Unanswered { .. } => "Unanswered",
            Rejection::Fault => "Fault",
        }
    }

    #[test]
    fn the_table_of_rejections() {
        let rows: Vec<String> = samples::all()
            .iter()
            .map(|rejection| {
                let Rendering { status, issue_code, ack, error_code } = rejection.rendering();
                format!("{:21}{status}  {issue_code:14}{ack}  {error_code}", name(rejection))
            })
            .collect();
        insta::assert_snapshot!(rows.join("\n"));
    }

    #[test]
    fn faults_without_details_still_say_what_is_wrong() {
        for rejection in [Rejection::Unreadable(Vec::new()), Rejection::Invalid(Vec::new())] {
            let issues = rejection.issues();
            assert_eq!(issues.len(), 1);
            assert_eq!(issues[0].code, rejection.rendering().issue_code);
            let outcome = serde_json::to_value(OperationOutcome(&issues)).unwrap();
            assert_eq!(outcome["issue"][0]["diagnostics"], rejection.to_string());
        }
    }
}
