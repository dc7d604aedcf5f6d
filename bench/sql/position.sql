\set ticket random(:first_ticket, :last_ticket)
select * from bench.place(:tenant, :ticket);
