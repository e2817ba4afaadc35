//! What an act came to, told on the page that follows it. The address carries a word of ours and a number, never a text.

use maud::{Markup, html};

/// The notice that a query string asks for, if it is one of ours.
pub(super) fn shown(query: Option<&str>) -> Markup {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let notice = pairs.filter(|(name, _)| name == "notice").find_map(|(_, value)| sentence(&value));
    html! { @if let Some(sentence) = notice { p.notice role="status" { (sentence) } } }
}

fn sentence(code: &str) -> Option<String> {
    let (what, count) = code.split_once('-').unwrap_or((code, "1"));
    let count: u32 = count.parse().ok()?;
    let deliveries = if count == 1 { "1 delivery".to_owned() } else { format!("{count} deliveries") };
    Some(match what {
        "retried" => format!("{deliveries} will be tried again now."),
        "skipped" => format!("{deliveries} left out; later messages of the same patients go on."),
        "paused" => "The destination is paused; what comes for it waits.".to_owned(),
        "resumed" => "The destination goes on.".to_owned(),
        "released" => "Released: it goes out, in its old place.".to_owned(),
        "refused" => "Refused: it goes to nobody; later messages of the same patients go on.".to_owned(),
        "unchanged" => "Nothing had to be done: somebody was faster.".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_words_are_told() {
        assert!(shown(Some("notice=retried-3")).into_string().contains("3 deliveries will be tried again"));
        assert!(shown(Some("a=b&notice=skipped-1")).into_string().contains("1 delivery left out"));
        for nothing in [None, Some("notice=<b>hello</b>"), Some("notice=retried-x"), Some("x=retried-1")] {
            assert_eq!(shown(nothing).into_string(), "");
        }
    }
}
