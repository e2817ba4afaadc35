//! A load that begins from one moment to the next finds a gateway that has to do nothing else first.

use crate::support::gateway_process::{self, GatewayProcess};

/// Measured with `scripts/measure`; what can be tested is that the system was told (proc(5): `THP_enabled`).
#[test]
fn no_answer_waits_until_a_huge_page_is_filled_with_zeros() {
    let folder = gateway_process::folder();
    std::fs::write(folder.path().join("signalbox.toml"), "data = \"data\"\n[http]\nlisten = \"127.0.0.1:0\"\n")
        .unwrap();
    let gateway = GatewayProcess::start(folder.path());
    if cfg!(target_os = "linux") {
        let told = gateway.status();
        assert!(told.lines().any(|line| line == "THP_enabled:\t0"), "{told}");
    }
    gateway.terminate();
}
