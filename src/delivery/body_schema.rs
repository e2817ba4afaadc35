//! A destination whose bodies must fit a JSON Schema ([2020-12](https://json-schema.org/draft/2020-12)): for partners
//! that take JSON of their own. What does not fit is refused before it is sent; what FHIR asks is the validator's.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};

use super::destination::{Acknowledgement, Delivery, DeliveryError, Destination};
use crate::exchange::{Conditions, Interaction};

/// Most places that are named in one refusal.
const PLACES: usize = 10;

/// A destination behind a schema.
pub struct BodySchema {
    inner: Arc<dyn Destination>,
    schema: Validator,
}

impl BodySchema {
    /// Puts a schema before a destination.
    #[must_use]
    pub fn before(inner: Arc<dyn Destination>, schema: Validator) -> Arc<dyn Destination> {
        Arc::new(Self { inner, schema })
    }

    /// Reads the schema in `file`.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(file: &Path) -> Result<Validator, String> {
        let shown = file.display();
        let text = std::fs::read(file).map_err(|error| format!("{shown} cannot be read: {error}"))?;
        let schema = serde_json::from_slice(&text).map_err(|error| format!("{shown} is not JSON: {error}"))?;
        jsonschema::validator_for(&schema).map_err(|error| format!("{shown} is no JSON Schema: {error}"))
    }

    /// Names places and rules, never what stands there.
    fn check(&self, body: &[u8]) -> Result<(), DeliveryError> {
        let body = serde_json::from_slice(body)
            .map_err(|_| DeliveryError::refused("the body is not JSON, and the destination has a schema"))?;
        let faults = self.schema.iter_errors(&body).take(PLACES);
        let faults: Vec<String> = faults.map(|fault| place(&fault)).collect();
        if faults.is_empty() {
            return Ok(());
        }
        Err(DeliveryError::refused(format!("the body does not fit the destination's schema at {}", faults.join(", "))))
    }
}

/// Where a fault is, and the rule; of what is missing, which property of the schema.
fn place(fault: &ValidationError<'_>) -> String {
    let pointer = fault.instance_path().as_str();
    let place = if pointer.is_empty() { "the document's root" } else { pointer };
    match fault.kind() {
        ValidationErrorKind::Required { property } => {
            format!("{place} ({} is required)", property.as_str().unwrap_or_default())
        }
        kind => format!("{place} ({})", kind.keyword()),
    }
}

#[async_trait]
impl Destination for BodySchema {
    async fn deliver(&self, delivery: &Delivery) -> Result<Acknowledgement, DeliveryError> {
        self.check(&delivery.body)?;
        self.inner.deliver(delivery).await
    }

    fn render(&self, delivery: &Delivery) -> Result<Vec<u8>, DeliveryError> {
        self.check(&delivery.body)?;
        self.inner.render(delivery)
    }

    fn carries(&self, interaction: Interaction, conditions: &Conditions, options: &serde_json::Value) -> bool {
        // An HL7 v2 message fits no JSON Schema.
        interaction != Interaction::Message && self.inner.carries(interaction, conditions, options)
    }

    async fn check(&self) -> Result<(), DeliveryError> {
        self.inner.check().await
    }
}
