-- expand
-- Strangers take a number only this near to the site, where it is set: people who are not there would hold places.
alter table sites add column presence_radius_metres integer check (presence_radius_metres between 50 and 50000);
