-- name: loop
select id, workspace_id, slug, task, metric, rules, budget, choices, autopilot, dataset_id, validation_version_id,
       created_at, thresholds, state_version, state_changed_at, baseline_id
from loop where id = $1

-- name: versions
select v.id, v.number, encode(v.sha256, 'hex') as sha256, v.n_examples, v.method, v.parent_id, v.derived_by,
       v.n_duplicates, v.n_contradictions, v.n_label_suspects, v.n_tokens, v.created_at,
       coalesce(q.report is not null, false) as checked, coalesce(q.faults, '[]') as faults
from dataset_version v left join quality_report q on q.version_id = v.id
where v.dataset_id = $1 order by v.number

-- name: runs
select id, number, parent_id, provider, status, config, effective, confounded_by, recommendation_id, reading, failure,
       cost, created_at, finished_at, provider_model, provider_fault
from run where loop_id = $1 and ($2::text[] is null or id = any($2)) order by number

-- name: checkpoints
select c.run_id, c.id, c.step, c.epoch, c.model, c.deployable, c.final, c.train_loss, c.valid_loss, c.full_valid_loss,
       c.full_valid_mean_token_accuracy
from checkpoint c join run r on r.id = c.run_id
where r.loop_id = $1 and ($2::text[] is null or c.run_id = any($2)) order by c.run_id, c.step

-- name: around
-- The runs, their parents, and every run that another one repeats: with the same settings, as far as they are known to
-- have been resolved, whatever the seed. Whether their data is the same too, the core compares.
with trained as (
    select id, parent_id,
           count(*) over (
               partition by jsonb_strip_nulls(config - 'seed' - 'dataset_version_id') || jsonb_strip_nulls(
                   jsonb_build_object(
                       'n_epochs', effective -> 'n_epochs', 'batch_size', effective -> 'batch_size',
                       'learning_rate_multiplier', effective -> 'learning_rate_multiplier'))
           ) as n_alike
    from run where loop_id = $1
)
select array_agg(id) from trained
where n_alike > 1 or id = any($2) or id in (select parent_id from trained where id = any($2))

-- name: suites
select id, role, fingerprint, n_items, dataset_version_id, clusters, is_binary as binary, regrade_sd, created_at
from eval_suite where loop_id = $1 order by id

-- name: evaluations
-- Graded again by the same instrument, an evaluation counts only where that made it more exact.
select e.id, e.suite_id, e.fingerprint, e.subject, e.base_model, e.run_id, e.checkpoint_id, e.status, e.origin,
       e.combined, e.n_items, e.n_scored, e.scores, e.dimensions, e.completion_tokens_mean, e.failure, e.created_at,
       e.finished_at, e.n_gradings
from evaluation e left join evaluation s on s.id = e.regrade_of
where e.loop_id = $1 and ($2::text[] is null or e.run_id = any($2) or e.id = $3)
  and (s.id is null or e.fingerprint <> s.fingerprint or (e.n_gradings > s.n_gradings and e.n_scored >= s.n_scored))
order by e.id

-- name: deployments
select id, run_id, checkpoint_id, status from deployment where loop_id = $1 order by id

-- name: declines
select id as recommendation_id, fingerprint, decision ->> 'reason' as reason
from recommendation where loop_id = $1 and status = 'declined' order by id

-- name: open_recommendation
select id, fingerprint from recommendation where loop_id = $1 and (status = 'open' or (status = 'accepted' and carried_out_by is null))
order by id desc limit 1

-- name: missing_types
select f.evaluation_id, found ->> 'name' as name, found -> 'terms' as terms, (found ->> 'n_failed')::int as n_failed,
       (found ->> 'n_training_rows')::int as n_training_rows
from failure_groups f cross join lateral jsonb_array_elements(f.groups) as found
where f.evaluation_id in (select id from evaluation where loop_id = $1 and status = 'succeeded' order by id desc limit 20)
  and f.is_default and f.status = 'ready' and (found ->> 'n_training_rows')::int < $2
order by f.evaluation_id, (found ->> 'n_failed')::int desc, found ->> 'name'
