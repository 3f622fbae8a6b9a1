-- What stands between a run and its provider, for as long as it does.
alter table run add column provider_fault jsonb;

create or replace view run_v as
select id, workspace_id, loop_id, number, 'R' || number as name, parent_id as parent_run_id, provider, status,
       provider_status, provider_job_id, provider_model as model, config, effective, changed, confounded_by,
       recommendation_id, note, reading, last_step, trained_tokens, cost, failure, version, created_at, started_at,
       finished_at, updated_at, provider_fault
from run;
