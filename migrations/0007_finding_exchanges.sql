-- What people look for is found without reading the whole register: by the sender's correlation id (of an HL7 v2 message, its
-- control id), and what was not accepted, among millions that were.
--
-- Most correlation ids are our own, made where a sender has none, and carry their time: they are looked for from there, and an
-- entry for each would cost every message. They are UUIDs of version 8, which the fifteenth character says.

create index exchanges_correlation_id on exchanges (correlation_id) where substr(correlation_id, 15, 1) <> '8';
create index exchanges_not_accepted on exchanges (id) where outcome <> 'accepted';
