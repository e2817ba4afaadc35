//! [Attachments](https://hl7.org/fhir/R4/datatypes.html#Attachment): the size is that of the data.

use super::{Finding, Rule};
use crate::issue::IssueCode;
use crate::json::Value;

/// The name of the type.
pub(crate) const TYPE: &str = "Attachment";

/// The stated size against the length of what the base64 text holds.
pub(crate) fn size(attachment: Value<'_>) -> Option<Finding> {
    let stated: usize = attachment.get("size")?.as_number()?.parse().ok()?;
    let data = attachment.str_at(&["data"])?;
    let digits = data.bytes().filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')).count();
    let held = digits * 3 / 4;
    let message = || format!("The size is stated as {stated} bytes, and the data has {held}.");
    (stated != held).then(|| Finding::error(Rule::Type, IssueCode::Structure, message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn the_size_is_that_of_the_data() {
        let check = |text: &str| size(Document::read(text.as_bytes()).unwrap().root()).is_some();
        assert!(!check(r#"{"size":5,"data":"aGVsbG8="}"#));
        assert!(check(r#"{"size":6,"data":"aGVsbG8="}"#));
        assert!(!check(r#"{"size":6,"url":"http://a.example/b"}"#) && !check(r#"{"data":"aGVsbG8="}"#));
    }
}
