//! The one script and the one style sheet, compiled in.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// A signal, off and on.
pub(super) const LOGO: &str = r#"<svg class="logo" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true"><path d="M11 23V2h2v21zM3 3h8v6H3z" fill="currentColor"/><circle cx="18" cy="17" r="4" class="lamp"/></svg>"#;

const ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M11 23V2h2v21zM3 3h8v6H3z" fill="#005eb8"/><circle cx="18" cy="17" r="4" fill="#00824f"/></svg>"##;

pub(super) async fn style() -> Response {
    served("text/css; charset=utf-8", include_str!("assets/signalbox.css"))
}

pub(super) async fn script() -> Response {
    served("text/javascript; charset=utf-8", include_str!("assets/signalbox.js"))
}

pub(super) async fn icon() -> Response {
    served("image/svg+xml", ICON)
}

fn served(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}
