-- expand
-- The picture that stands for an organisation on its screens. Without a reference: media belong to organisations, and
-- whoever deletes one takes it out here.
alter table tenants add column logo_media_id bigint;

-- What opens the staff's page of a ticket machine, under the installation's own key: of it alone no figure can be told.
alter table kiosks add column staff_pin_mac text;
alter table kiosks add column has_staff_pin boolean not null generated always as (staff_pin_mac is not null) stored;
