//! What is sent: an invented patient of about 4 kB, each with a hospital number of its own.

/// Names, addresses, contacts and identifiers.
pub(crate) fn of(number: u64, seed: u64) -> String {
    let identifier = format!(
        r#"{{"use":"usual","system":"https://demo.signalbox.example/Id/hospital-number","value":"RX{number:09}"}}"#
    );
    let name = r#"{"use":"official","family":"Ashworth","given":["Bronwen","Imogen"],"prefix":["Mrs"],"period":{"start":"2001-04-05"}}"#;
    let address = r#"{"use":"home","type":"both","text":"12 Semaphore Street, Crossley Junction","line":["12 Semaphore Street","Flat 3"],"city":"Crossley Junction","district":"Upper Tamping","postalCode":"ZZ99 3VZ","country":"GBR","period":{"start":"2011-02-03"}}"#;
    let phone = r#"{"system":"phone","value":"01632 960123","use":"home","rank":1,"period":{"start":"2011-02-03"}}"#;
    let contact = format!(
        r#"{{"relationship":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/v2-0131","code":"N","display":"Next-of-Kin"}}]}}],"name":{name},"telecom":[{phone}],"address":{address},"gender":"female"}}"#
    );
    let many = |one: &str, count: usize| vec![one; count].join(",");
    format!(
        r#"{{"resourceType":"Patient","language":"en-GB","identifier":[{identifier}],"active":true,"name":[{}],"telecom":[{}],"gender":"female","birthDate":"19{:02}-02-28","address":[{}],"contact":[{}],"multipleBirthBoolean":false}}"#,
        many(name, 3),
        many(phone, 4),
        seed % 100,
        many(address, 3),
        many(&contact, 3)
    )
}
