//! The UK's edge cases of HL7 v2, one test each: how many messages a file holds, which segments, and what stands where a
//! reader will look. What they are answered with is in `hl7_from_everywhere`. Where two behaviours are right, a setting of the
//! door or the source decides: `content` and `content_fault` (08, 12), `duplicates` (50), `sequence` (60, 61), `several`
//! (72), `on_warning` (23, 31, 89). The messages are not part of this repository.

use std::path::PathBuf;

use signalbox::adapters::mllp::framing::{Deframer, Found};
use signalbox::formats::hl7v2::batch::{self, Content};
use signalbox::formats::hl7v2::fields::Fields;
use signalbox::formats::hl7v2::{charset, escape};

use crate::support::require;

/// The bytes of a case; `None`, told loudly, where the collection is not beside this repository.
fn case(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from("../shared/hl7v2/messages/synthetic-uk-edge").join(format!("{name}.hl7"));
    if !path.exists() {
        require::skip("shared", "the collection of HL7 v2 messages is not beside this repository");
        return None;
    }
    Some(std::fs::read(path).unwrap())
}

/// What stands in the frames of a stream, or all of a file without frames.
fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    if !bytes.contains(&0x0B) {
        return vec![bytes.to_vec()];
    }
    let mut deframer = Deframer::new(1 << 20);
    deframer.push(bytes).unwrap();
    let mut found = Vec::new();
    while let Some(Found::Message(message)) = deframer.found() {
        found.push(message.to_vec());
    }
    found
}

fn messages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    for frame in frames(bytes) {
        match batch::content(&frame) {
            Content::One(one) => messages.push(one.to_vec()),
            Content::Several(several) | Content::Batch { messages: several, .. } => {
                messages.extend(several.into_iter().map(<[u8]>::to_vec));
            }
            Content::Broken { .. } => {}
        }
    }
    messages
}

/// Checks the first message: its segments, and values as they are written; `None` is no such place.
fn holds(name: &str, count: usize, segments: &str, values: &[(&str, Option<&str>)]) {
    let Some(bytes) = case(name) else { return };
    let messages = messages(&bytes);
    assert_eq!(messages.len(), count, "messages");
    let Some(first) = messages.first().filter(|_| !segments.is_empty()) else { return };
    let fields = Fields::read(first).unwrap();
    let found: Vec<_> = fields.segments().map(|segment| String::from_utf8_lossy(segment.name()).into_owned()).collect();
    assert_eq!(found.join(" "), segments);
    let declared = fields.header().component(18, 1);
    for (place, expected) in values {
        let value = fields.get(&place.parse().unwrap()).map(|value| charset::read(value, declared, None).unwrap());
        assert_eq!(value.as_deref(), *expected, "{place}");
    }
    // Nothing of it is lost: every segment stands in it, and what is between them ends segments.
    let mut rest = fields.bytes();
    for segment in fields.segments() {
        let at = rest.windows(segment.bytes().len()).position(|part| part == segment.bytes()).unwrap();
        assert!(rest[..at].iter().all(u8::is_ascii_whitespace));
        rest = &rest[at + segment.bytes().len()..];
    }
    assert!(rest.iter().all(u8::is_ascii_whitespace));
}

const A31: &str = "MSH EVN PID PD1";

macro_rules! cases {
    ($($test:ident $name:literal $count:literal $segments:expr, [$($place:literal $value:expr),*])*) => {
        $(#[test]
        fn $test() {
            holds($name, $count, $segments, &[$(($place, Into::<Option<&str>>::into($value))),*]);
        })*
    };
}

cases! {
    case_00_baseline "00-a31-baseline" 1 A31, ["PID-3[1].1" "9000000009", "PID-32" "ED", "PID-32[2]" "NSTS01", "MSH-10" "C0001"]
    case_01_status_in_any_repetition "01-nsts-at-6th-repetition" 1 A31, ["PID-32[6]" "NSTS03", "PID-32[1]" "", "PID-32[4]" "ED"]
    case_06_death_in_summer_time "06-death-datetime-bst" 1 A31, ["PID-29" "20260701093000", "PID-30" "Y"]
    case_08_death_dated_and_denied "08-death-contradiction" 1 A31, ["PID-29" "20260101", "PID-30" "N"]
    case_09_death_to_the_hour "09-death-hour-precision" 1 A31, ["PID-29" "2026010109", "PID-30" ""]
    case_10_born_in_a_year "10-dob-year-only" 1 A31, ["PID-7" "1965"]
    case_11_born_at_a_time "11-dob-with-time" 1 A31, ["PID-7" "196512131515"]
    case_12_born_in_month_13 "12-dob-invalid-month-13" 1 A31, ["PID-7" "196513121515"]
    case_13a_sex_1 "13a-sex-1" 1 A31, ["PID-8" "1"]
    case_13b_sex_2 "13b-sex-2" 1 A31, ["PID-8" "2"]
    case_13c_sex_9 "13c-sex-9" 1 A31, ["PID-8" "9"]
    case_13e_sex_x "13e-sex-X" 1 A31, ["PID-8" "X"]
    case_13f_sex_m "13f-sex-M" 1 A31, ["PID-8" "M"]
    case_14a_ethnic_a "14a-ethnic-A" 1 A31, ["PID-22" "A"]
    case_14b_ethnic_z "14b-ethnic-Z" 1 A31, ["PID-22" "Z"]
    case_14c_ethnic_99 "14c-ethnic-99" 1 A31, ["PID-22" "99"]
    case_14e_ethnic_of_a_trust "14e-ethnic-local-A1" 1 A31, ["PID-22" "A1"]
    case_16_number_in_groups "16-nhs-number-spaced" 1 A31, ["PID-3.1" "900 000 0009", "PID-3.4" "NHS", "PID-3[2]" None]
    case_17_no_nhs_number "17-no-nhs-number" 1 A31, ["PID-3.4" "RCB", "PID-3[2]" None]
    case_18_number_without_authority "18-id-without-authority" 1 A31, ["PID-3" "M21300019", "PID-3.4" None]
    case_19_hidden_location "19-location-hiding" 1 "MSH EVN PID PD1 ZU8", ["ZU8-4" "2"]
    case_23_backslashes_that_escape_nothing "23-dangling-escape" 1 A31, ["PID-11.1" "C:\\DIR\\NAME AND A \\ LONE", "PID-11.3" "MALTON"]
    case_25_line_feeds_too "25-crlf" 1 A31, ["PID-3.1" "9000000009"]
    case_27_no_end_of_the_last_segment "27-no-final-cr" 1 A31, ["PD1-4.9" "GMC"]
    case_30_characters_of_utf_8 "30-utf8-declared-unicode-utf8" 1 A31, ["PID-5.1" "ŁUKASZEWICZ-石"]
    case_31_a_quote_of_windows "31-cp1252-smart-quote" 1 A31, ["PID-11.1" "29 ST JOHN’S"]
    case_32_byte_order_mark "32-bom" 1 A31, ["MSH-3" "PAS", "PID-3.1" "9000000009"]
    case_40_two_frames_at_once "40-mllp-two-frames-one-segment" 2 A31, ["MSH-10" "C0001"]
    case_41_junk_between_frames "41-mllp-junk-between-frames" 2 A31, ["MSH-10" "C0001"]
    case_43_a_frame_without_end "43-mllp-unterminated" 0 "", []
    case_45_a_frame_begun_again "45-mllp-restart-mid-frame" 1 A31, ["MSH-10" "C0045"]
    case_47_an_empty_frame "47-mllp-empty-frame" 1 "", []
    case_50_a_message_twice "50-dup-control-id-same-body" 2 A31, ["MSH-10" "C0001"]
    case_53_a_version_there_is_not "53-unsupported-version" 1 A31, ["MSH-12" "2.99"]
    case_54_an_event_there_is_not "54-unsupported-event" 1 A31, ["MSH-9.2" "A99"]
    case_55_training "55-processing-id-T-on-live" 1 A31, ["MSH-11" "T"]
    case_57_enhanced_mode "57-enhanced-al-ne" 1 A31, ["MSH-15" "AL", "MSH-16" "NE"]
    case_58_no_answer_wanted "58-enhanced-ne-ne" 1 A31, ["MSH-15" "NE", "MSH-16" "NE"]
    case_60_a_gap_in_the_sequence "60-sequence-gap" 2 "MSH EVN PID", ["MSH-13" "5"]
    case_61_sequence_zero "61-sequence-zero-resync" 1 "MSH EVN PID", ["MSH-13" "0"]
    case_71_a_batch_that_miscounts "71-batch-count-mismatch" 0 "", []
    case_72_two_messages_in_a_row "72-concatenated-no-batch" 2 A31, ["MSH-10" "C0001"]
    case_80_a_merge "80-a40-merge" 1 "MSH EVN PID PD1 MRG", ["MRG-1[1].1" "9000000017", "MRG-1[2].4" "RCB", "PID-3[2].1" "M21300019"]
    case_81_two_merges "81-a40-two-groups" 1 "MSH EVN PID PD1 MRG PID MRG", ["MRG-1.1" "M99900001", "MRG[2]-1.1" "M99900002", "PID[2]-3.4" "NHS"]
    case_82_an_admission "82-a01-admit" 1 "MSH EVN PID PD1 PV1 PV2 ZU1", ["PV1-2" "I", "PV1-4" "13", "PV1-10" "300", "PV1-14" "19", "PV1-3.2" "OBS1"]
    case_84_a_destination_in_pv1_36 "84-a03-discharge-pv136-destination" 1 "MSH EVN PID PD1 PV1", ["PV1-36" "19", "PV1-2" "I"]
    case_85_a_discharge_taken_back "85-a13-cancel-discharge" 1 "MSH EVN PID PV1", ["MSH-9.2" "A13", "PV1-19.1" "2139"]
    case_86_no_visit "86-no-pv1-in-a31" 1 A31, ["PV1-2" None]
    case_88_a_segment_of_their_own "88-z-seg-unknown" 1 "MSH EVN PID PD1 ZZZ", ["ZZZ-2.2" "data", "ZZZ-2[2].1.2" "sub"]
    case_89_segments_in_another_order "89-segment-out-of-order" 1 "MSH PID EVN PD1", ["PID-3.1" "9000000009", "EVN-2" "20260102123600"]
    case_90_a_truncated_field "90-truncated-field-2.7" 1 A31, ["MSH-2" "^~\\&#", "PID-11.2" "BURYTHO#"]
    case_92_empty_repetitions "92-empty-repetitions" 1 A31, ["PID-3[1]" "", "PID-3[2].1" "9000000009", "PID-3[3]" "", "PID-3[4].4" "RCB"]
    case_95_results_of_every_kind "95-negative-obx-values" 1 "MSH PID OBR OBX OBX OBX OBX", ["OBX-5.1" "<", "OBX-5.2" "1", "OBX[2]-5" "\"\"", "OBX[4]-5" "-0.50"]
    case_96_an_appointment "96-siu-s12-uk" 1 "MSH SCH PID PV1 RGS AIS AIP AIL", ["SCH-1" "APPT123^RCB", "SCH-9" "30"]
    case_97_a_letter "97-mdm-t02-letter" 1 "MSH EVN PID PV1 TXA OBX", ["TXA-17" "AU", "TXA-12.1" " DOC1"]
    case_uk_a02 "uk-a02" 1 "MSH EVN PID PD1 PV1", ["MSH-9.2" "A02"]
    case_uk_a08 "uk-a08" 1 "MSH EVN PID PD1 PV1 ZU1", ["MSH-9.2" "A08"]
    case_uk_a12 "uk-a12" 1 "MSH EVN PID PD1 PV1", ["MSH-9.2" "A12"]
    case_uk_a21 "uk-a21" 1 "MSH EVN PID PD1 PV1 PV2", ["MSH-9.2" "A21"]
    case_uk_a22 "uk-a22" 1 "MSH EVN PID PD1 PV1", ["MSH-9.2" "A22"]
    case_uk_a52 "uk-a52" 1 "MSH EVN PID PD1 PV1", ["MSH-9.2" "A52"]
    case_uk_qbp "uk-qbp-q21" 1 "MSH QPD RCP", ["MSH-9" "QBP^Q21^QBP_Q21", "QPD-2" "T0001"]
}

#[test]
fn case_22_escapes_are_read_as_a_person_reads_them() {
    let Some(bytes) = case("22-escape-br-and-hex") else { return };
    let fields = Fields::read(&bytes).unwrap();
    let value = fields.get(&"OBX-5".parse().unwrap()).unwrap();
    let (text, unknown) = escape::plain(std::str::from_utf8(value).unwrap(), fields.delimiters());
    assert_eq!(text, "Line1\nLine2 A bold \\Z99\\ \\C2842\\ \\M2442\\");
    assert!(unknown > 0, "what is not understood is counted");
}

#[test]
fn case_24_the_delimiters_are_the_messages_own() {
    let Some(bytes) = case("24-custom-delims") else { return };
    let fields = Fields::read(&bytes).unwrap();
    assert_eq!(fields.get(&"PID-3[1].1".parse().unwrap()), Some(&b"9000000009"[..]));
    assert_eq!(fields.segments().count(), 4);
}

#[test]
fn case_48_commit_bytes_are_frames_of_one_byte() {
    let Some(bytes) = case("48-mllp-release2-commit") else { return };
    assert_eq!(frames(&bytes), [[0x06], [0x15]]);
}
