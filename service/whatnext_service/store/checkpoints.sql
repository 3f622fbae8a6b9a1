-- name: upsert_checkpoint
insert into checkpoint (id, workspace_id, run_id, step, epoch, model, provider_id, deployable, final, train_loss,
                        valid_loss, full_valid_loss, full_valid_mean_token_accuracy, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict (run_id, step) do update set
    epoch = coalesce(excluded.epoch, checkpoint.epoch), model = coalesce(excluded.model, checkpoint.model),
    provider_id = coalesce(excluded.provider_id, checkpoint.provider_id), deployable = excluded.deployable,
    final = excluded.final, train_loss = coalesce(excluded.train_loss, checkpoint.train_loss),
    valid_loss = coalesce(excluded.valid_loss, checkpoint.valid_loss),
    full_valid_loss = coalesce(excluded.full_valid_loss, checkpoint.full_valid_loss),
    full_valid_mean_token_accuracy = coalesce(
        excluded.full_valid_mean_token_accuracy, checkpoint.full_valid_mean_token_accuracy)
returning id

-- name: expire
update checkpoint set deployable = false where run_id = $1 and not (step = any($2::bigint[])) and deployable

-- name: get_checkpoint
select * from checkpoint_v where workspace_id = $1 and id = $2

-- name: list_checkpoints
select * from checkpoint_v where run_id = $1 and ($2::text is null or id < $2) order by id desc limit $3 + 1
