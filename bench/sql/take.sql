\set queue random(:first_queue, :last_queue)
select bench.take(:tenant, :queue);
