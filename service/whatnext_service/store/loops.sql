-- name: insert_loop
insert into loop (id, workspace_id, slug, task, metric, rules, budget, choices, autopilot, dataset_id,
                  validation_version_id, state_changed_at, created_at, updated_at, thresholds)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $12, $13)
on conflict (workspace_id, slug) do nothing
returning id

-- name: get_loop
select * from loop_v where workspace_id = $1 and (id = $2 or slug = $2)

-- name: lock_loop
select * from loop_v where workspace_id = $1 and (id = $2 or slug = $2) for update

-- name: list_loops
select * from loop_v where workspace_id = $1 and ($2::text is null or id < $2) order by id desc limit $3 + 1

-- name: update_loop
update loop set task = $3, rules = $4, budget = $5, choices = $6, autopilot = $7, dataset_id = $8,
                validation_version_id = $9, version = version + 1, updated_at = $10, thresholds = $11
where workspace_id = $1 and id = $2

-- name: set_baseline
update loop set baseline_id = $3, version = version + 1, updated_at = $4 where workspace_id = $1 and id = $2

-- name: attach_dataset
update loop set dataset_id = $3, version = version + 1, updated_at = $4
where workspace_id = $1 and id = $2 and dataset_id is null

-- name: next_run_number
update loop set last_run_number = last_run_number + 1 where id = $1 returning last_run_number

-- name: bump_state
update loop set state_version = state_version + 1, state_changed_at = greatest(state_changed_at, $2)
where id = $1 returning state_version

-- name: loops_of_dataset
select id from loop where dataset_id = $1 order by id

-- name: lock_loops_of_dataset
select id from loop where dataset_id = $1 order by id for update

-- name: stored_answer
select answer from loop where id = $1 and answer_state = state_version and answer_rules = $2

-- name: keep_answer
update loop set answer = $4, answer_state = $2, answer_rules = $3 where id = $1 and state_version = $2

-- name: workspace_of
select workspace_id from loop where id = $1

-- name: past_deadline
select id, workspace_id from loop
where (budget ->> 'deadline')::timestamptz between state_changed_at and $1
