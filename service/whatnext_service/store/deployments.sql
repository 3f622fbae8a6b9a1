-- name: insert_deployment
insert into deployment (id, workspace_id, loop_id, run_id, checkpoint_id, provider, model, status, override_reason,
                        recommendation_id, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)

-- name: get_deployment
select * from deployment_v where workspace_id = $1 and id = $2

-- name: list_deployments
select * from deployment_v
where workspace_id = $1 and ($2::text is null or id < $2) and ($4::text[] is null or loop_id = any($4))
  and ($5::text[] is null or status = any($5))
order by id desc limit $3 + 1

-- name: shipped_of
select checkpoint_id from deployment where workspace_id = $1 and run_id = $2 and status = 'live'

-- name: delete_deployment
update deployment set status = 'deleted', deleted_at = coalesce(deleted_at, $3), version = version + 1, updated_at = $3
where workspace_id = $1 and id = $2 and status <> 'deleted'

-- name: leftovers
select run.loop_id, run.id as run_id, 'R' || run.number as run_name, run.provider, run.provider_model as model
from run
where run.workspace_id = $1 and ($2::text is null or run.loop_id = $2) and run.provider_model is not null
  and run.provider <> 'external'
  and exists (select from deployment d where d.loop_id = run.loop_id and d.status = 'live')
  and not exists (select from deployment d where d.run_id = run.id and d.status = 'live')
order by run.id limit 1000

-- name: forget_model
update run set provider_model = null, version = version + 1, updated_at = $2 where id = $1

-- name: expire_checkpoints
update checkpoint set deployable = false where run_id = $1
