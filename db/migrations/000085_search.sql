-- expand
-- Finding people, tickets and appointments by what somebody types. The operators of trigrams and full text are not leakproof, so
-- behind a policy they never reach an index: functions of sq_owner look there, and compare the tenant themselves.
create extension if not exists pg_trgm;
create extension if not exists btree_gin;

-- Text as it is compared: without accents and Arabic signs, Arabic, Cyrillic and Greek letters as a Latin one that sounds alike,
-- digits 0 to 9, words parted by one space. pg_trgm knows no letters beyond ASCII where the server's locale is C. The program
-- does the same in server/modules/search/fold.ts, and a test compares the two.
create function app.fold(value text) returns text language sql immutable strict parallel safe as $$
  select btrim(regexp_replace(
    replace(replace(replace(translate(
      lower(regexp_replace(normalize(value, NFKD), '[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u200b-\u200f]', '', 'g')),
      'ابتثجحخدذرزسشصضطظعغفقكلمنهويءٱىیېےةھہەکگڤپچژ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹øłđıабвгдежзиклмнопрстуфхцчшщъыьэюяαβγδεζηθικλμνξοπρσςτυφχψω',
      'abttjhkddrzscsdtzegfqklmnhwyxayyyyhhhhkkfbjz01234567890123456789oldiabvgdejziklmnoprstufhccssxyxeuaabgdezitiklmnxoprsstyfhpo'),
      'ß', 'ss'), 'œ', 'oe'), 'æ', 'ae'),
    '[\u0009-\u002f\u003a-\u0060\u007b-\u00bf\u00d7\u00f7\u02bc\u060c\u061b\u061f\u066a-\u066d\u06d4\u2000-\u206f\u3000-\u303f]+', ' ', 'g'))
$$;
grant execute on function app.fold to sq_app, sq_backup;

-- The words of a text, each at most 40 letters long.
create function app.words(value text) returns tsvector language sql immutable strict parallel safe as $$
  select array_to_tsvector(array(select distinct left(w, 40) from unnest(string_to_array(app.fold(value), ' ')) w where w <> ''))
$$;
grant execute on function app.words to sq_app, sq_backup;
create function app.joined(texts text[]) returns text language sql immutable strict parallel safe
  as $$ select coalesce(string_agg(t, ' '), '') from unnest(texts) t $$;
grant execute on function app.joined to sq_app, sq_backup;

alter table customers add column search_text text not null generated always as (
  app.fold(name || ' ' || coalesce(regexp_replace(phone, '\D', '', 'g'), '') || ' ' || coalesce(email, '') || ' ' || coalesce(external_id, ''))
) stored;
create index customers_search on customers using gin (tenant_id, search_text gin_trgm_ops, app.words(search_text || ' ' || note))
  with (gin_pending_list_limit = 256);
-- Few tickets and appointments have words of their own; the others are in no index.
create index tickets_search on tickets using gin (tenant_id, app.words(note || ' ' || app.joined(labels)))
  where note <> '' or labels <> '{}';
create index appointments_search on appointments using gin (tenant_id, app.words(note)) where note <> '';
-- Numbers begin again every day, so they are looked up by day; new ones meet on its pages.
create index tickets_by_number on tickets (tenant_id, day, number collate "C");

create policy found_by_search on customers for select to sq_owner using (true);
create policy found_by_search on tickets for select to sq_owner using (true);
create policy found_by_search on appointments for select to sq_owner using (true);

-- All these words begin a word. Folded words, without quotes.
create function app.starting(of_words text[]) returns tsquery language sql immutable strict parallel safe
  as $$ select string_agg(quote_literal(left(w, 40)) || ':*', ' & ')::tsquery from unnest(of_words) w $$;

-- Has this customer been at one of these sites and queues, or nowhere yet? Null: wherever.
create function app.is_seen(of_customer bigint, of_sites bigint[], of_queues bigint[]) returns boolean language sql stable as $$
  select of_sites is null and of_queues is null
    or exists (select from tickets t where t.tenant_id = app.tenant_id() and t.customer_id = of_customer
      and (of_sites is null or t.site_id = any (of_sites)) and (of_queues is null or t.queue_id = any (of_queues)))
    or not exists (select from tickets t where t.tenant_id = app.tenant_id() and t.customer_id = of_customer) $$;
grant execute on function app.is_seen to sq_app;

-- Customers of the transaction's tenant, the likeliest first: those with these digits in their numbers, those of whose words each
-- word begins one and, where they are fewer than `most`, those of whom that is true of the words with slips of the finger undone
-- (a text of tsquery), and those whose words resemble.
create function app.search_customers(of_words text[], of_slips text, of_digits text, of_sites bigint[], of_queues bigint[], most integer)
  returns setof bigint language plpgsql stable security definer set search_path = public, pg_temp
  set pg_trgm.word_similarity_threshold = 0.4 set plan_cache_mode = force_custom_plan as $$
declare
  mine constant bigint := app.tenant_id();
  words constant tsquery := app.starting(of_words);
  -- The three longest words look in the index; the others are compared with what it finds.
  longest constant text[] := array(select w from unnest(of_words) w where length(w) > 2 order by length(w) desc, w limit 3);
  found bigint[] := '{}';
begin
  if of_digits is not null then
    found := array(
      select c.id from customers c
      where c.tenant_id = mine and c.search_text like '%' || of_digits || '%' and app.is_seen(c.id, of_sites, of_queues)
      order by c.id desc limit most);
  end if;
  if words is not null and cardinality(found) < most then
    found := found || array(
      select c.id from customers c
      where c.tenant_id = mine and app.words(c.search_text || ' ' || c.note) @@ words and app.is_seen(c.id, of_sites, of_queues)
        and c.id <> all (found)
      order by c.id desc limit most - cardinality(found));
  end if;
  if of_slips is not null and cardinality(found) < most then
    found := found || array(
      select c.id from customers c
      where c.tenant_id = mine and app.words(c.search_text || ' ' || c.note) @@ of_slips::tsquery
        and app.is_seen(c.id, of_sites, of_queues) and c.id <> all (found)
      order by c.id desc limit most - cardinality(found));
  end if;
  if cardinality(longest) > 0 and cardinality(found) < most then
    found := found || array(
      select c.id from customers c
      where c.tenant_id = mine and longest[1] <% c.search_text and coalesce(longest[2], longest[1]) <% c.search_text
        and coalesce(longest[3], longest[1]) <% c.search_text
        and app.is_seen(c.id, of_sites, of_queues) and c.id <> all (found)
      order by (select sum(word_similarity(w, c.search_text)) from unnest(of_words) w) desc, c.id desc
      limit most - cardinality(found));
  end if;
  return query select unnest(found);
end $$;
grant execute on function app.search_customers to sq_app;

-- Tickets and appointments of whose notes and labels each word begins one, the newest first.
create function app.search_notes(of_words text[], of_sites bigint[], of_queues bigint[], most integer)
  returns table (kind text, id bigint) language plpgsql stable security definer set search_path = public, pg_temp
  set plan_cache_mode = force_custom_plan as $$
declare
  mine constant bigint := app.tenant_id();
  words constant tsquery := app.starting(of_words);
begin
  return query
    (select 'ticket', t.id from tickets t
     where t.tenant_id = mine and (t.note <> '' or t.labels <> '{}')
       and app.words(t.note || ' ' || app.joined(t.labels)) @@ words
       and (of_sites is null or t.site_id = any (of_sites)) and (of_queues is null or t.queue_id = any (of_queues))
     order by t.id desc limit most)
    union all
    (select 'appointment', a.id from appointments a
     where a.tenant_id = mine and a.note <> '' and app.words(a.note) @@ words
       and (of_sites is null or a.site_id = any (of_sites)) and (of_queues is null or a.queue_id = any (of_queues))
     order by a.id desc limit most);
end $$;
grant execute on function app.search_notes to sq_app;
