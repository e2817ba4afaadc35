//! Any text: an expression or a fault inside it; an expression reads again as what it prints.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_validator::fhirpath::Expression;

fuzz_target!(|text: &str| {
    match Expression::parse(text) {
        Ok(expression) => {
            let printed = expression.to_string();
            assert_eq!(Expression::parse(&printed).map(|again| again.to_string()), Ok(printed));
        }
        Err(fault) => assert!(fault.offset <= text.len()),
    }
});
