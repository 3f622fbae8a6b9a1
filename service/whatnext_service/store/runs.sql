-- name: insert_run
insert into run (id, workspace_id, loop_id, number, parent_id, provider, status, config, effective, changed,
                 confounded_by, validation_version_id, recommendation_id, note, created_at, started_at, finished_at,
                 updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $15)

-- name: get_run
select * from run_v where workspace_id = $1 and id = $2

-- name: run_by_number
select run_v.* from run_v join loop on loop.id = run_v.loop_id
where loop.workspace_id = $1 and loop.slug = $2 and run_v.number = $3

-- name: list_runs
-- Loop by loop and from the loop's newest run on, because an old loop's runs lie below all newer ones. Numbers follow
-- ids except for runs made within one millisecond.
select found.* from (select distinct unnest($4::text[]) collate "C" as loop_id) as chosen
cross join lateral (
    select max(id) as id
    from (select id from run where loop_id = chosen.loop_id order by number desc limit 10) as last_numbers
) as newest
cross join lateral (
    select * from run_v
    where workspace_id = $1 and loop_id = chosen.loop_id and id <= newest.id and ($2::text is null or id < $2)
      and ($5::text[] is null or status = any($5))
    order by id desc limit $3 + 1
) as found
order by found.id desc limit $3 + 1

-- name: list_all_runs
select * from run_v
where workspace_id = $1 and ($2::text is null or id < $2) and ($4::text[] is null or status = any($4))
order by id desc limit $3 + 1

-- name: annotate_run
update run set note = $3, cost = $4, effective = $5, version = version + 1, updated_at = $6
where workspace_id = $1 and id = $2

-- name: lock_work
select id, workspace_id, loop_id, number, provider, status, provider_job_id, submit_intent_at, cancel_requested,
       config, effective, validation_version_id, attempts, provider_fault, version, created_at
from run where id = $1 for update

-- name: intend
update run set status = 'submitting', submit_intent_at = $3, version = version + 1, updated_at = $3
where id = $1 and version = $2 and status in ('pending', 'submitting') returning version

-- name: progress
update run set status = $3, provider_status = $4, provider_job_id = coalesce($5, provider_job_id),
               provider_model = coalesce($6, provider_model), effective = coalesce($7, effective),
               trained_tokens = coalesce($8, trained_tokens), cost = coalesce($9, cost), failure = $10,
               started_at = coalesce(started_at, $11), finished_at = coalesce(finished_at, $12), attempts = 0,
               provider_fault = null, version = version + 1, updated_at = $13
where id = $1 and version = $2 returning version

-- name: count_fault
update run set attempts = attempts + 1, updated_at = $2 where id = $1 returning attempts

-- name: withdraw
update run set status = 'pending', submit_intent_at = null, version = version + 1
where id = $1 and version = $2 and status = 'submitting'

-- name: show_fault
update run set provider_fault = $2, version = version + 1 where id = $1 returning version

-- name: clear_fault
update run set attempts = 0, provider_fault = null, version = version + 1
where id = $1 and attempts > 0 returning version

-- name: request_cancel
update run set cancel_requested = true, version = version + 1, updated_at = $2 where id = $1 returning version

-- name: set_reading
update run set reading = $2, last_step = $3, metrics_version = metrics_version + 1,
               version = version + 1, updated_at = $4
where id = $1 returning version

-- name: with_reading
select id from run where loop_id = $1 and reading is not null order by id

-- name: children_as_long
select child.id from run child join run parent on parent.id = child.parent_id
where parent.id = $1 and child.loop_id = parent.loop_id and child.reading is not null
  and child.last_step = parent.last_step order by child.id

-- name: lock_curves
select r.id, r.loop_id, r.parent_id, r.provider, r.status, r.config, r.effective, r.changed, r.version, l.thresholds,
       t.n_examples, v.n_examples as n_validation,
       (select array_agg(step order by step) filter (where deployable) from checkpoint where run_id = r.id)
           as deployable_steps,
       exists (select from checkpoint where run_id = r.id) as has_checkpoints
from run r join loop l on l.id = r.loop_id
left join dataset_version t on t.id = r.config ->> 'dataset_version_id'
left join dataset_version v on v.id = r.validation_version_id
where r.id = any($1) order by r.id for update of r

-- name: neglected
select id from run
where status in ('pending', 'submitting', 'queued', 'running', 'paused') and provider <> 'external'
  and updated_at < $1
  and not exists (select from procrastinate_jobs j
                  where j.lock = 'move_run:' || run.id and j.status in ('todo', 'doing'))
order by updated_at limit 1000
