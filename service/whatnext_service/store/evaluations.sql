-- name: insert_evaluation
insert into evaluation (id, workspace_id, loop_id, suite_id, fingerprint, subject, base_model, run_id, checkpoint_id,
                        origin, provider, model, status, n_items, recommendation_id, created_at, updated_at, instrument,
                        regrade_of, n_gradings, max_tokens, max_cost, prices, stop_if_hopeless_against, secret)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17, $18, $19, $20, $21, $22, $23, $24)

-- name: get_evaluation
select * from evaluation_v where workspace_id = $1 and id = $2

-- name: list_evaluations
select * from evaluation_v
where workspace_id = $1 and ($2::text is null or id < $2) and ($4::text[] is null or loop_id = any($4))
  and ($5::text[] is null or status = any($5)) and ($6::text[] is null or run_id = any($6))
  and ($7::text[] is null or suite_id = any($7))
order by id desc limit $3 + 1

-- name: same_subject
select * from evaluation_v
where loop_id = $1 and suite_id = $2 and subject = $3 and base_model is not distinct from $4
  and run_id is not distinct from $5 and checkpoint_id is not distinct from $6
  and status in ('pending', 'running') and origin = 'service'
  and not (select e.cancel_requested from evaluation e where e.id = evaluation_v.id)
order by id desc limit 1

-- name: lock_work
select id, workspace_id, loop_id, suite_id, fingerprint, provider, model, status, cancel_requested, version, n_items,
       regrade_of, n_gradings, max_tokens, max_cost, prices, stop_if_hopeless_against, secret,
       started_at
from evaluation where id = $1 for update

-- name: start
update evaluation set status = 'running', started_at = coalesce(started_at, $2), pause = null, version = version + 1,
                      updated_at = $2
where id = $1 and status in ('pending', 'running') returning version

-- name: hold_open
select true from evaluation where id = $1 and status in ('pending', 'running') for no key update

-- name: count_done
-- The version moves only with the count; the time of the last look always.
update evaluation e
set n_done = c.n, version = e.version + (e.n_done <> c.n)::int, updated_at = $2
from (select count(*)::int as n from evaluation_item where evaluation_id = $1 and done_at is not null) c
where e.id = $1 and e.status = 'running' returning e.version, e.cancel_requested

-- name: put_off
update evaluation set pause = $2, version = version + 1, updated_at = $3 where id = $1 and status = 'running'
returning version

-- name: count_canaries
update evaluation set canary_prompt_tokens = canary_prompt_tokens + $2,
                      canary_completion_tokens = canary_completion_tokens + $3
where id = $1

-- name: request_cancel
update evaluation set cancel_requested = true, version = version + 1, updated_at = $2
where id = $1 and status in ('pending', 'running') returning version

-- name: graded_again
-- Packed scores of the source and of its other complete gradings by the same instrument.
select e.scores from evaluation e
where (e.id = $1 or e.regrade_of = $1) and e.fingerprint = $2 and e.status = 'succeeded' and e.ended_early is null
order by e.id limit 20

-- name: finish
update evaluation set status = $2, combined = $3, n_done = $4, n_scored = $5, scores = $6, dimensions = $7,
                      prompt_tokens = $8, completion_tokens = $9, completion_tokens_mean = $10, failure = $11,
                      started_at = coalesce(started_at, $12), finished_at = $12, version = version + 1, updated_at = $12,
                      ended_early = $13, cost = $14, judge_tokens = $15, errors = $16, n_repeated = $17,
                      embedding_tokens = $18, pause = null
where id = $1 and status in ('pending', 'running') returning version

-- name: item_scores
select scores from evaluation where id = $1

-- name: neglected
select id from evaluation where status in ('pending', 'running') and origin in ('service', 'regraded') and updated_at < $1
  and not exists (select from procrastinate_jobs j
                  where j.lock = 'evaluate:' || evaluation.id and j.status in ('todo', 'doing'))
order by updated_at limit 1000

-- name: direction_of
select metric ->> 'direction' from loop where id = $1
