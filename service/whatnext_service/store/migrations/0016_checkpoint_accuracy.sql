-- How much of the validation set a checkpoint gets right: beside its loss, what the estimate of a checkpoint rests on.
alter table checkpoint add column full_valid_mean_token_accuracy double precision;

create or replace view checkpoint_v as
select id, workspace_id, run_id, step, epoch, model, deployable, final, train_loss, valid_loss, full_valid_loss,
       created_at, full_valid_mean_token_accuracy
from checkpoint;
