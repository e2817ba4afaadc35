//! A demo that is killed leaves nothing running: its gateway, the gateway's Postgres and the partners end with it. A
//! partner that ends alone is a partner that is down.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::gateway_process;

/// The demo, what it says after this, and where its gateway, `pas` and `central` listen.
fn start(data: &Path) -> (Child, impl Iterator<Item = String>, [String; 3]) {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_signalbox"))
        .args(["demo", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map(Result::unwrap);
    let places = ["gateway", "pas", "central"].map(|name| {
        let line = lines.find(|line| line.trim_start().starts_with(name)).unwrap();
        let place = line.split_whitespace().nth(1).unwrap().trim_start_matches("http://");
        place.split('/').next().unwrap().to_owned()
    });
    (demo, lines, places)
}

/// The process of a partner of this demo.
fn partner(demo: &Child, kind: &str) -> Pid {
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", demo.id())).unwrap();
    let mut children = children.split_whitespace().map(|pid| pid.parse().unwrap());
    let is_partner = |pid: &i32| {
        let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        command.contains(&format!("partner\0{kind}\0"))
    };
    Pid::from_raw(children.find(is_partner).unwrap()).unwrap()
}

#[test]
fn a_partner_that_ends_is_told_and_the_rest_goes_on() {
    let folder = gateway_process::folder();
    let data = folder.path().join("demo");
    let (mut demo, mut lines, [gateway, pas, _]) = start(&data);
    kill_process(partner(&demo, "pas"), Signal::KILL).unwrap();
    assert!(lines.any(|line| line.contains("pas has ended by itself") && line.contains("pas.log")));
    let advice = lines.next().unwrap();
    assert!(advice.contains(&format!("signalbox partner pas --moody --listen {pas} --ledger")), "{advice}");
    assert!(TcpStream::connect(&gateway).is_ok());

    kill_process(Pid::from_raw(demo.id().try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
    assert!(lines.any(|line| line.starts_with("Stopped.")));
    assert!(demo.wait().unwrap().success());
    assert!(!data.join("data/postgres/postmaster.pid").exists());
}

#[test]
fn what_it_started_ends_with_it() {
    let folder = gateway_process::folder();
    let data = folder.path().join("demo");
    let (mut demo, _lines, places) = start(&data);
    let postmaster = data.join("data/postgres/postmaster.pid");
    let was_there = postmaster.exists() && places.iter().all(|place| TcpStream::connect(place).is_ok());

    demo.kill().unwrap();
    demo.wait().unwrap();
    assert!(was_there);

    let is_left = || postmaster.exists() || places.iter().any(|place| TcpStream::connect(place).is_ok());
    for _ in 0..600 {
        if !is_left() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("a minute later something of it is still there");
}
