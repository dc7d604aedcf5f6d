-- expand
-- Today's waits and services of one queue, for its figures.
create index ticket_legs_by_queue on ticket_legs (tenant_id, queue_id, ended_at);
