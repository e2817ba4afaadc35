-- Quarantine: by the policy of its source a message that is not valid is stored and held until an operator releases or
-- refuses it. How it ended at the door is told in `exchanges`; its deliveries are held in a state of their own, with the
-- reason in `note`, and keep their place among those that share their keys.
--
-- Only the words, here: Postgres lets nobody use a new one in the transaction that adds it.

alter type exchange_outcome add value 'quarantined' after 'accepted';
alter type delivery_state add value 'quarantined' after 'parked';
