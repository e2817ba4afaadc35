//! What settings of partners by HTTP have in common: a base URL, and the headers that prove who we are.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::error::Fault;

/// A base URL, without a slash at its end.
///
/// # Errors
/// What is expected, in words.
pub fn base_url(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or("a URL such as \"https://host/fhir\"")?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The headers of every request: a bearer token, unless it is empty, and further ones.
///
/// # Errors
/// Each setting, `token` or one of `headers`, that is wrong, and how; never a value.
pub fn headers<'h>(
    token: &str,
    further: impl IntoIterator<Item = (&'h str, &'h str)>,
) -> Result<HeaderMap, Vec<Fault>> {
    let (mut headers, mut faults) = (HeaderMap::new(), Vec::new());
    let mut insert = |setting: String, name: HeaderName, value: &str| match HeaderValue::try_from(value) {
        Ok(mut value) => {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Err(_) => faults.push((setting, "holds characters a header cannot".to_owned())),
    };
    let mut unnamed = Vec::new();
    for (name, value) in further {
        let setting = format!("headers.{name}");
        match name.parse() {
            Ok(parsed) => insert(setting, parsed, value),
            Err(_) => unnamed.push((setting, format!("'{name}' is not a header's name"))),
        }
    }
    if !token.is_empty() {
        insert("token".to_owned(), AUTHORIZATION, &format!("Bearer {token}"));
    }
    faults.extend(unnamed);
    if faults.is_empty() { Ok(headers) } else { Err(faults) }
}
