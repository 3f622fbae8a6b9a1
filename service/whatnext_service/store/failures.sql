-- name: get
select evaluation_id, nullif(dataset_version_id, '') as dataset_version_id, below, status, n_scored, n_failed,
       n_training_rows, groups, failure, version
from failure_groups
where workspace_id = $1 and evaluation_id = $2 and dataset_version_id = coalesce($3, '') and below = $4

-- name: ask
insert into failure_groups (evaluation_id, dataset_version_id, below, workspace_id, is_default, created_at, updated_at)
values ($2, coalesce($3, ''), $4, $1, $5, $6, $6)
on conflict (evaluation_id, dataset_version_id, below)
do update set status = 'pending', failure = null, version = failure_groups.version + 1, updated_at = $6
where failure_groups.status = 'failed'

-- name: open_questions
select evaluation_id, nullif(dataset_version_id, '') as dataset_version_id, below, workspace_id, is_default
from failure_groups where evaluation_id = $1 and status = 'pending' order by dataset_version_id, below

-- name: answer
update failure_groups set status = 'ready', n_scored = $4, n_failed = $5, n_training_rows = $6, groups = $7,
                          version = version + 1, updated_at = $8
where evaluation_id = $1 and dataset_version_id = coalesce($2, '') and below = $3 and status = 'pending'
returning version

-- name: fail
update failure_groups set status = 'failed', failure = $2, version = version + 1, updated_at = $3
where evaluation_id = $1 and status = 'pending'

-- name: workspace_of
select workspace_id from evaluation where id = $1

-- name: neglected
select distinct evaluation_id from failure_groups where status = 'pending' and updated_at < $1 limit 1000
