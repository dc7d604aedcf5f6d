-- expand
-- The window of a browser that works at an agent's desk: others of the same person only watch.
alter table agents add column desk text check (length(desk) between 1 and 64);
-- An agent's own day, and the days before it.
create index ticket_legs_by_agent on ticket_legs (tenant_id, agent_id, ended_at) where agent_id is not null;
