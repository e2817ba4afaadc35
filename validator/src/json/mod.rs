//! JSON as FHIR needs it: numbers keep their digits, objects keep their key order, a repeated key is an error, and
//! every value knows its line and column.
//!
//! A [`Document`] borrows the text it was read from and holds one flat array of nodes; a [`Value`] is an index into
//! it. See [FHIR JSON](https://hl7.org/fhir/R4/json.html) and [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259).

mod document;
mod error;
mod reader;
mod scan;
mod value;

pub use document::{Document, Limits};
pub use error::{ReadError, ReadErrorKind};
pub use value::{Kind, Position, Value};
