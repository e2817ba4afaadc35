//! An interface analyst reads a message, sends it to somebody who listens, and sees what is answered: `signalbox hl7`, with
//! the mistakes that are made.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::support::gateway_process::{self, Said, run};

const MESSAGE: &str = "MSH|^~\\&|PAS|RXX|TIE|RYY|20260102123600||ADT^A31^ADT_A05|C1|P|2.4\r\
    PID|1||9990000018^^^NHS~T1^^^RXX||Sample^Zo\\XC3AB\\^O\\F\\Hara\rZZ9|local\r";

/// `hl7 listen` on a free port.
struct Listener {
    child: Child,
    out: BufReader<ChildStdout>,
    address: String,
}

impl Listener {
    fn start(more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        command.args(["hl7", "listen", "--port", "0"]).args(more).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, out, address }
    }

    /// What it has shown, once it has stopped by itself.
    fn shown(mut self) -> String {
        let mut shown = String::new();
        self.out.read_to_string(&mut shown).unwrap();
        assert!(self.child.wait().unwrap().success());
        shown
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, String) {
    let folder = gateway_process::folder();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn a_message_is_shown_by_name_and_by_place() {
    let (_folder, path) = file("a31.hl7", MESSAGE.as_bytes());
    let said = run(&["hl7", "show", &path]);
    assert_eq!(said.code, 0, "{}", said.errors);
    for line in [
        "MSH  Message header",
        "  MSH-10      Message control ID               C1",
        "  PID-3[2]    Patient identifier list          T1^^^RXX",
        "ZZ9  (no name is known here)",
    ] {
        assert!(said.out.lines().any(|shown| shown == line), "{line}\n{}", said.out);
    }
    let at = |place: &str| run(&["hl7", "show", &path, "--path", place]);
    assert_eq!(at("PID-3[2].4").out, "RXX\n");
    assert_eq!(at("PID-5.2").out, "Zoë\n");
    assert_eq!(at("PID-5.3").out, "O|Hara\n");
    assert_eq!((at("OBX-5").code, at("OBX-5").out.as_str()), (1, ""));
    let wrong = at("PID.5");
    assert!(
        wrong.code == 2 && wrong.errors.contains("write it as PID-3, PID-3[2].4.1 or OBX[3]-5"),
        "{}",
        wrong.errors
    );
}

#[test]
fn what_is_no_message_is_said_to_be_none() {
    let told = |name: &str, content: &[u8]| {
        let (_folder, path) = file(name, content);
        let Said { code, errors, .. } = run(&["hl7", "show", &path]);
        assert_eq!(code, 2);
        errors
    };
    assert!(told("a.txt", b"PID|1").contains("a.txt: this is no HL7 v2 message: it does not begin with MSH"));
    assert!(told("empty", b"").contains("it does not begin with MSH"));
    assert!(told("cut", b"\x0BMSH|^~\\&|A").contains("there is no whole frame in it"));
    let batch = format!("BHS|^~\\&|A\r{MESSAGE}BTS|2\r");
    assert!(told("batch", batch.as_bytes()).contains("BTS-1 says 2 and the batch holds 1 messages"));
    assert!(run(&["hl7", "show", "nothing-here"]).errors.contains("nothing-here cannot be read"));
    assert_eq!(run(&["hl7"]).code, 2);
}

#[test]
fn what_is_sent_is_heard_and_its_answer_told() {
    let second = MESSAGE.replace("|C1|", "|C2|");
    let (_folder, path) = file("two.hl7", format!("{MESSAGE}{second}").as_bytes());
    let listener = Listener::start(&["--count", "2"]);
    let sent = run(&["hl7", "send", &path, "--to", &listener.address]);
    assert_eq!(sent.code, 0, "{}", sent.errors);
    let lines: Vec<&str> = sent.out.lines().collect();
    assert!(lines[0].starts_with("C1  ADT^A31  AA (") && lines[1].starts_with("C2  ADT^A31  AA ("), "{}", sent.out);
    let shown = listener.shown();
    assert_eq!(shown.matches("PID  Patient identification").count(), 2, "{shown}");
}

#[test]
fn a_refusal_is_told_with_its_error_and_its_sentence() {
    let (_folder, path) = file("a31.hl7", MESSAGE.as_bytes());
    let listener = Listener::start(&["--count", "1", "--answer", "ar", "--error", "204"]);
    let sent = run(&["hl7", "send", &path, "--to", &listener.address]);
    assert_eq!(sent.code, 1);
    assert!(sent.out.starts_with("C1  ADT^A31  AR error 204 ("), "{}", sent.out);
    assert!(sent.out.contains("The listener was told to answer so."), "{}", sent.out);
    drop(listener.shown());
}

#[test]
fn who_does_not_answer_or_is_not_there_is_told() {
    let (_folder, path) = file("a31.hl7", MESSAGE.as_bytes());
    let listener = Listener::start(&["--answer", "none"]);
    let silent = run(&["hl7", "send", &path, "--to", &listener.address, "--timeout", "300ms"]);
    assert_eq!(silent.code, 2);
    assert!(silent.errors.contains("message C1 was not acknowledged within 300ms"), "{}", silent.errors);
    drop(listener);

    let gone = run(&["hl7", "send", &path, "--to", "127.0.0.1:1"]);
    assert!(gone.code == 2 && gone.errors.contains("127.0.0.1:1: no connection"), "{}", gone.errors);
    let nowhere = run(&["hl7", "send", &path, "--to", "tie"]);
    assert!(nowhere.code == 2 && nowhere.errors.contains("expected host and port"), "{}", nowhere.errors);
    let exposed = run(&["hl7", "listen", "--port", "0", "--host", "0.0.0.0"]);
    assert!(exposed.code == 2 && exposed.errors.contains("unless --exposed"), "{}", exposed.errors);
    let unasked = MESSAGE.replace("|P|2.4", "|P|2.4|||NE|NE");
    let (_folder, path) = file("unasked.hl7", unasked.as_bytes());
    let listener = Listener::start(&["--count", "1"]);
    let sent = run(&["hl7", "send", &path, "--to", &listener.address]);
    assert!(sent.code == 0 && sent.out.contains("no acknowledgement is asked for"), "{}", sent.out);
    drop(listener.shown());
}
