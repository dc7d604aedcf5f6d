\set n :n + 1
\set agent :first_agent + (:n * :clients + :client_id) % :agents
select bench.call_next(:tenant, :agent);
