-- expand
-- Who would not be served before closing is offered a place on the next open day. One offer a ticket: who declined is
-- not asked again.
create table tomorrow_offers (
  tenant_id bigint not null,
  ticket_id bigint not null,
  site_id bigint not null,
  queue_id bigint not null,
  -- Local day of the site that is offered.
  day date not null,
  -- Order among those of the queue and day, by the line they stood in. Counts where there is no appointment.
  place integer not null check (place > 0),
  status text not null default 'offered'
    check (status in ('offered', 'accepted', 'declined', 'expired', 'withdrawn', 'taken_up', 'lapsed')),
  offered_at timestamptz not null default now(),
  expires_at timestamptz not null,
  answered_at timestamptz,
  appointment_id bigint,
  -- The ticket of the day itself.
  new_ticket_id bigint,
  primary key (tenant_id, ticket_id),
  unique (tenant_id, queue_id, day, place),
  foreign key (tenant_id, ticket_id) references tickets on delete cascade,
  foreign key (tenant_id, queue_id) references queues on delete cascade,
  foreign key (tenant_id, appointment_id) references appointments on delete set null (appointment_id),
  foreign key (tenant_id, new_ticket_id) references tickets on delete set null (new_ticket_id)
);
call app.isolate('tomorrow_offers');
create index tomorrow_offers_live on tomorrow_offers (tenant_id, status) where status in ('offered', 'accepted');
create index tomorrow_offers_by_new_ticket on tomorrow_offers (tenant_id, new_ticket_id) where new_ticket_id is not null;
create index tomorrow_offers_by_appointment on tomorrow_offers (tenant_id, appointment_id) where appointment_id is not null;
