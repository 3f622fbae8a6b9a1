-- A loop's own thresholds of curve reading, by name; what is not named is at its default.
alter table loop add column thresholds jsonb not null default '{}';
create or replace view loop_v as
select id, workspace_id, slug, task, metric, rules, budget, choices, autopilot, dataset_id, validation_version_id,
       baseline_id as baseline_evaluation_id, last_run_number as n_runs, state_version, version, created_at, updated_at,
       thresholds
from loop;
