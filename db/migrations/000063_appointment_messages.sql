-- expand
-- Messages about an appointment have no ticket; their leg is the appointment's sequence, which rises with every move.
alter table messages add column appointment_id bigint,
  add constraint messages_appointment_fkey foreign key (tenant_id, appointment_id) references appointments on delete cascade;
create index messages_by_appointment on messages (tenant_id, appointment_id) where appointment_id is not null;
