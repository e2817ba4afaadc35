-- What is in quarantine is listed and counted whatever its destination, among millions that are not.

create index deliveries_quarantined on deliveries (exchange) where state = 'quarantined';
