-- expand
-- A setting of the extension may be given to a function once its library is loaded, which a fresh session has not.
select similarity('', '');
-- What an index finds is found first, and only then put in order and held against places: asked for the newest, the planner walked
-- all customers backwards and folded the words of each. Costs as measured, so that it knows.
alter function app.fold(text) cost 500;
alter function app.words(text) cost 2000;
alter function app.is_seen(bigint, bigint[], bigint[]) cost 1000;

create or replace function app.search_customers(of_words text[], of_slips text, of_digits text, of_sites bigint[], of_queues bigint[], most integer)
  returns setof bigint language plpgsql stable security definer set search_path = public, pg_temp
  set pg_trgm.word_similarity_threshold = 0.4 set plan_cache_mode = force_custom_plan as $$
declare
  mine constant bigint := app.tenant_id();
  everywhere constant boolean := of_sites is null and of_queues is null;
  words constant tsquery := app.starting(of_words);
  -- The three longest words look in the index; the others are compared with what it finds.
  longest constant text[] := array(select w from unnest(of_words) w where length(w) > 2 order by length(w) desc, w limit 3);
  found bigint[] := '{}';
begin
  if of_digits is not null then
    found := array(
      with hit as materialized (select c.id from customers c where c.tenant_id = mine and c.search_text like '%' || of_digits || '%')
      select h.id from hit h where everywhere or app.is_seen(h.id, of_sites, of_queues) order by h.id desc limit most);
  end if;
  if words is not null and cardinality(found) < most then
    found := found || array(
      with hit as materialized (
        select c.id from customers c where c.tenant_id = mine and app.words(c.search_text || ' ' || c.note) @@ words)
      select h.id from hit h where h.id <> all (found) and (everywhere or app.is_seen(h.id, of_sites, of_queues))
      order by h.id desc limit most - cardinality(found));
  end if;
  if of_slips is not null and cardinality(found) < most then
    found := found || array(
      with hit as materialized (
        select c.id from customers c where c.tenant_id = mine and app.words(c.search_text || ' ' || c.note) @@ of_slips::tsquery)
      select h.id from hit h where h.id <> all (found) and (everywhere or app.is_seen(h.id, of_sites, of_queues))
      order by h.id desc limit most - cardinality(found));
  end if;
  if cardinality(longest) > 0 and cardinality(found) < most then
    found := found || array(
      with hit as materialized (
        select c.id, c.search_text from customers c
        where c.tenant_id = mine and longest[1] <% c.search_text and coalesce(longest[2], longest[1]) <% c.search_text
          and coalesce(longest[3], longest[1]) <% c.search_text)
      select h.id from hit h where h.id <> all (found) and (everywhere or app.is_seen(h.id, of_sites, of_queues))
      order by (select sum(word_similarity(w, h.search_text)) from unnest(of_words) w) desc, h.id desc
      limit most - cardinality(found));
  end if;
  return query select unnest(found);
end $$;

create or replace function app.search_notes(of_words text[], of_sites bigint[], of_queues bigint[], most integer)
  returns table (kind text, id bigint) language plpgsql stable security definer set search_path = public, pg_temp
  set plan_cache_mode = force_custom_plan as $$
declare
  mine constant bigint := app.tenant_id();
  words constant tsquery := app.starting(of_words);
begin
  return query
    with ticket as materialized (
      select t.id from tickets t
      where t.tenant_id = mine and (t.note <> '' or t.labels <> '{}') and app.words(t.note || ' ' || app.joined(t.labels)) @@ words
        and (of_sites is null or t.site_id = any (of_sites)) and (of_queues is null or t.queue_id = any (of_queues))),
    appointment as materialized (
      select a.id from appointments a
      where a.tenant_id = mine and a.note <> '' and app.words(a.note) @@ words
        and (of_sites is null or a.site_id = any (of_sites)) and (of_queues is null or a.queue_id = any (of_queues)))
    (select 'ticket', t.id from ticket t order by t.id desc limit most)
    union all
    (select 'appointment', a.id from appointment a order by a.id desc limit most);
end $$;
