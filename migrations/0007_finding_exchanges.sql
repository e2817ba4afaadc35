-- What people look for is found without reading the whole register: by the sender's correlation id (of an HL7 v2 message, its
-- control id), and what was not accepted, among millions that were.

create index exchanges_correlation_id on exchanges (correlation_id);
create index exchanges_not_accepted on exchanges (id) where outcome <> 'accepted';
