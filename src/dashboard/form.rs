//! The fields of a form that was sent.

use std::borrow::Cow;

/// Fields by name.
pub(super) struct Fields<'b>(Vec<(Cow<'b, str>, Cow<'b, str>)>);

impl<'b> Fields<'b> {
    /// Reads `application/x-www-form-urlencoded`. A database keeps no NUL, and no form has a use for one.
    pub(super) fn read(body: &'b [u8]) -> Self {
        let kept = |value: Cow<'b, str>| if value.contains('\0') { value.replace('\0', " ").into() } else { value };
        Self(form_urlencoded::parse(body).map(|(name, value)| (name, kept(value))).collect())
    }

    /// The first value; empty when there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}
