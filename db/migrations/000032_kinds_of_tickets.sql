-- expand
-- Who waits, by what may keep an agent from serving them: each kind of ticket has a head, however many of other kinds stand before it.
create index tickets_waiting_kinds on tickets (tenant_id, queue_id, (case when required_skill is null then '' else required_skill end),
    (case when language is null then '' else language end), rank, id)
  where status = 'en_attente';
-- Whether anybody in a queue needs a skill at all. Nothing to keep where nobody does.
create index tickets_waiting_skilled on tickets (tenant_id, queue_id) where status = 'en_attente' and required_skill is not null;
