//! What settings of partners by HTTP have in common: a base URL, and the headers that prove who we are.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

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
/// The setting, `token` or `headers`, and what is wrong with it; never a value.
pub fn headers<'h>(
    token: &str,
    further: impl IntoIterator<Item = (&'h str, &'h str)>,
) -> Result<HeaderMap, (String, String)> {
    let mut headers = HeaderMap::new();
    for (name, value) in further {
        let parsed: HeaderName =
            name.parse().map_err(|_| ("headers".to_owned(), format!("'{name}' is not a header's name")))?;
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| (format!("headers.{name}"), "holds characters a header cannot".to_owned()))?;
        value.set_sensitive(true);
        headers.insert(parsed, value);
    }
    if !token.is_empty() {
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| ("token".to_owned(), "holds characters a header cannot".to_owned()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}
