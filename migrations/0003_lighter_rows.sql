-- Less work for each message.
--
-- Destinations are registered at start and never deleted: a foreign key would only lock the one row of a destination for
-- each of its deliveries, which two writers then hand back and forth.
alter table deliveries drop constraint deliveries_destination_fkey;

-- Bodies are long and repetitive. LZ4 compresses them at a fraction of the cost, where the server was built with it.
-- Partitions made later take it over from their parent.
do $$
declare
    part regclass;
begin
    for part in select relid from pg_partition_tree('bodies') loop
        execute format('alter table %s alter column content set compression lz4', part);
    end loop;
exception when feature_not_supported then
    raise notice 'this server has no lz4; bodies keep the default compression';
end
$$;

-- Message ids come in the order of time, and are forgotten by it: a few ranges find them as well as an entry for each.
drop index message_keys_seen_at;
create index message_keys_seen_at on message_keys using brin (seen_at);
