//! Any text: an expression or a fault inside it; an expression reads again as what it prints.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_validator::fhirpath::Expression;

fuzz_target!(|text: &str| {
    match Expression::parse(text) {
        Ok(expression) => {
            let printed = expression.to_string();
            match Expression::parse(&printed) {
                Ok(again) => assert_eq!(again.to_string(), printed),
                // What is printed has more parentheses, and those are nesting too.
                Err(fault) => assert!(fault.message.contains("too deeply"), "{fault}: {printed}"),
            }
        }
        Err(fault) => assert!(fault.offset <= text.len()),
    }
});
