-- What a recommendation promised and what came of it, for the track record of its rule.
alter table recommendation add column outcome jsonb;
create index recommendation_outcome on recommendation (workspace_id) where outcome is not null;
create index recommendation_carried_out on recommendation (carried_out_by) where carried_out_by is not null;
