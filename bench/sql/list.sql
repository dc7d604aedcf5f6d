\set queue random(:first_queue, :last_queue)
select * from bench.list(:tenant, :queue);
