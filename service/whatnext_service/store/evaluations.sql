-- name: insert_evaluation
insert into evaluation (id, workspace_id, loop_id, suite_id, fingerprint, subject, base_model, run_id, checkpoint_id,
                        origin, provider, model, status, n_items, recommendation_id, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)

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
order by id desc limit 1

-- name: lock_work
select id, workspace_id, loop_id, suite_id, provider, model, status, cancel_requested, version, n_items
from evaluation where id = $1 for update

-- name: start
update evaluation set status = 'running', started_at = coalesce(started_at, $2), version = version + 1, updated_at = $2
where id = $1 and status in ('pending', 'running') returning version

-- name: unfinished_items
select s.idx, s.messages, s.reference, s.item, s.tags, coalesce(e.attempts, 0) as attempts
from eval_item s left join evaluation_item e on e.evaluation_id = $1 and e.idx = s.idx
where s.suite_id = $2 and e.done_at is null order by s.idx

-- name: intend_item
insert into evaluation_item (evaluation_id, idx, sent_at, attempts) values ($1, $2, $3, 1)
on conflict (evaluation_id, idx) do update set sent_at = $3, attempts = evaluation_item.attempts + 1
    where evaluation_item.done_at is null

-- name: finish_item
insert into evaluation_item (evaluation_id, idx, sent_at, done_at, output, finish_reason, scores, combined,
                             prompt_tokens, completion_tokens, latency_s, error, attempts)
values ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1)
on conflict (evaluation_id, idx) do update set
    done_at = excluded.done_at, output = excluded.output, finish_reason = excluded.finish_reason,
    scores = excluded.scores, combined = excluded.combined, prompt_tokens = excluded.prompt_tokens,
    completion_tokens = excluded.completion_tokens, latency_s = excluded.latency_s, error = excluded.error
    where evaluation_item.done_at is null
returning idx

-- name: count_done
update evaluation set n_done = (select count(*) from evaluation_item where evaluation_id = $1 and done_at is not null),
                      version = version + 1, updated_at = $2
where id = $1 and status = 'running' returning version

-- name: item_results
select idx, output, scores, combined, prompt_tokens, completion_tokens, error from evaluation_item
where evaluation_id = $1 and done_at is not null order by idx

-- name: finish
update evaluation set status = $2, combined = $3, n_done = $4, n_scored = $5, scores = $6, dimensions = $7,
                      prompt_tokens = $8, completion_tokens = $9, completion_tokens_mean = $10, failure = $11,
                      started_at = coalesce(started_at, $12), finished_at = $12, version = version + 1, updated_at = $12
where id = $1 and status in ('pending', 'running') returning version

-- name: list_items
select s.idx as index, e.done_at is not null as done, s.messages, s.reference, s.tags, e.output, e.finish_reason,
       e.combined, coalesce(e.scores, '{}'::jsonb) as scores, e.prompt_tokens, e.completion_tokens, e.latency_s, e.error
from eval_item s left join evaluation_item e on e.evaluation_id = $1 and e.idx = s.idx
where s.suite_id = $2 and s.idx >= $3 order by s.idx limit $4 + 1

-- name: item_scores
select scores from evaluation where id = $1

-- name: neglected
select id from evaluation where status in ('pending', 'running') and origin = 'service' and updated_at < $1
  and not exists (select from procrastinate_jobs j
                  where j.lock = 'evaluate:' || evaluation.id and j.status in ('todo', 'doing'))
order by updated_at limit 1000
