//! Charts as SVG from the server: no script draws, and the figures stand beside them in words.

use maud::{Markup, html};

/// Height of a chart in its own units.
const HEIGHT: u64 = 24;
/// Width of a bar, and from one to the next.
const WIDTH: u64 = 3;
const STEP: u64 = 4;

/// What came above the line, what went below it.
pub(super) fn flow(bars: &[(u64, u64)], label: &str) -> Markup {
    let most = bars.iter().map(|(came, went)| *came.max(went)).max().unwrap_or(0).max(1);
    let length = |count: u64| if count == 0 { 0 } else { (count * HEIGHT).div_ceil(most).min(HEIGHT) };
    let width = STEP * u64::try_from(bars.len()).unwrap_or(0);
    html! {
        svg.flow viewBox=(format!("0 0 {width} {}", HEIGHT * 2 + 1)) role="img" aria-label=(label)
            preserveAspectRatio="none" {
            rect.line x="0" y=(HEIGHT) width=(width) height="1" {}
            @for (at, (came, went)) in (0_u64..).zip(bars) {
                rect.came x=(at * STEP) y=(HEIGHT - length(*came)) width=(WIDTH) height=(length(*came)) {}
                rect.went x=(at * STEP) y=(HEIGHT + 1) width=(WIDTH) height=(length(*went)) {}
            }
        }
    }
}

/// A share of a whole.
pub(super) fn share(part: i64, whole: i64, class: &str) -> Markup {
    let width = if whole > 0 { part.saturating_mul(200) / whole } else { 0 };
    html! {
        svg.share viewBox="0 0 200 8" aria-hidden="true" preserveAspectRatio="none" {
            rect.whole x="0" y="0" width="200" height="8" {}
            rect.(class) x="0" y="0" width=(width) height="8" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_count_and_none_is_lost() {
        let drawn = flow(&[(0, 0), (1, 100), (100, 50)], "x").into_string();
        assert!(drawn.contains("<rect class=\"came\" x=\"4\" y=\"23\" width=\"3\" height=\"1\">"), "{drawn}");
        assert!(drawn.contains("<rect class=\"went\" x=\"8\" y=\"25\" width=\"3\" height=\"12\">"), "{drawn}");
        assert!(flow(&[], "x").into_string().contains("aria-label=\"x\""));
    }
}
