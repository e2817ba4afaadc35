//! What is sent: an ADT^A31 of ours.

/// About 2 kB: an invented patient with next of kin, and a patient of its own for each message.
pub(crate) fn adt(sender: usize, number: usize) -> String {
    let address = "12 Semaphore Street^Flat 3^Crossley Junction^Upper Tamping^ZZ99 3VZ^GBR^H";
    let doctor = "G9999981^Ballast^Imogen^^^Dr^^^GMP";
    let kin: String = (1..=9)
        .map(|kin| {
            format!("NK1|{kin}|Ashworth^Bronwen^Imogen^^Mrs|1|{address}|01632960123||N|20110203|||||||2|19700101\r")
        })
        .collect::<Vec<_>>()
        .concat();
    format!(
        "MSH|^~\\&|PAS|RX1|SIGNALBOX|RXX|20260701120000||ADT^A31^ADT_A05|{sender}.{number}|P|2.4|||||GBR|UNICODE|EN||iTKv1.0\r\
         EVN|A31|20260701120000|||{doctor}|20260701115900\r\
         PID|1||{sender:03}{number:07}^^^NHS^NH~M{sender:03}{number:07}^^^RX1||Ashworth^Bronwen^Imogen^^Mrs^^L||19650228|2|||{address}||01632960123^PRN^PH~07700900123^ORN^CP||EN|M||||||A||||||||NSTS01\r\
         PD1|||Crossley Surgery^^A99999|{doctor}\r{kin}PV1|1|N\r"
    )
}
