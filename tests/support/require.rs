//! What must be present: a suite that needs something absent says so and is skipped, unless `SIGNALBOX_REQUIRE` names it.

/// Says that a test is skipped because something is not here; fails when it had to be.
pub(crate) fn skip(needs: &str, why: &str) {
    let required = std::env::vars().find(|(name, _)| name == "SIGNALBOX_REQUIRE").map(|(_, value)| value);
    let required = required.unwrap_or_default();
    assert!(!required.split(',').any(|name| name == needs), "'{needs}' is required and not here: {why}");
    println!("SKIPPED (needs {needs}): {why}");
}
