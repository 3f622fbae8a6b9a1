-- name: get_judging
select version_id as dataset_version_id, status, model, dimensions, n_rows, n_done, n_scored, mean_score, threshold,
       canaries, max_tokens, max_cost, prices, judge_prompt_tokens, judge_completion_tokens, cost, ended_early, errors,
       pause, failure, version, created_at, started_at, finished_at, updated_at
from row_judging where workspace_id = $1 and version_id = $2

-- name: start
-- Another judge has to be tried with the canaries anew.
insert into row_judging as r (version_id, workspace_id, secret, instrument, model, dimensions, n_rows, threshold,
                              max_tokens, max_cost, prices, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
on conflict (version_id) do update set
    status = 'pending', round = r.round + 1, secret = excluded.secret, instrument = excluded.instrument,
    model = excluded.model, dimensions = excluded.dimensions, n_rows = excluded.n_rows, n_done = 0, n_scored = 0,
    mean_score = null, threshold = excluded.threshold,
    canaries = case when r.instrument = excluded.instrument then r.canaries end, max_tokens = excluded.max_tokens,
    max_cost = excluded.max_cost, prices = excluded.prices, judge_prompt_tokens = 0, judge_completion_tokens = 0,
    cost = null, ended_early = null, errors = '[]', failure = null, cancel_requested = false, version = r.version + 1,
    started_at = null, finished_at = null, updated_at = excluded.updated_at
    where r.status not in ('pending', 'running')
returning r.version

-- name: request_cancel
update row_judging set cancel_requested = true, version = version + 1, updated_at = $2
where version_id = $1 and status in ('pending', 'running') returning version

-- name: open_work
select j.version_id, j.workspace_id, j.round, j.secret, j.instrument, j.model, j.dimensions, j.n_rows, j.max_tokens,
       j.max_cost, j.prices, j.judge_prompt_tokens, j.judge_completion_tokens, j.canaries, j.cancel_requested,
       j.started_at, v.sha256, v.row_hashes
from row_judging j join dataset_version v on v.id = j.version_id
where j.version_id = $1 and j.status in ('pending', 'running')

-- name: begin
update row_judging set status = 'running', n_rows = $2, started_at = coalesce(started_at, $3), pause = null,
                       version = version + 1, updated_at = $3
where version_id = $1 and status in ('pending', 'running')

-- name: put_off
update row_judging set pause = $2, version = version + 1, updated_at = $3
where version_id = $1 and status = 'running'

-- name: keep_canaries
update row_judging set canaries = $2, judge_prompt_tokens = judge_prompt_tokens + $3,
                       judge_completion_tokens = judge_completion_tokens + $4, updated_at = $5
where version_id = $1

-- name: known_rows
select row_hash, score, error, version_id = $3 and round = $4 as asked_now
from row_judgement where workspace_id = $1 and instrument = $2

-- name: keep_judgements
-- A score once stored stays.
insert into row_judgement as r (workspace_id, instrument, row_hash, score, judgements, error, judge_prompt_tokens,
                                judge_completion_tokens, version_id, round, done_at)
select $1, $2, row_hash, score, judgements, error, prompt_tokens, completion_tokens, $3, $4, $5
from unnest($6::bytea[], $7::float8[], $8::jsonb[], $9::jsonb[], $10::int[], $11::int[])
    as t(row_hash, score, judgements, error, prompt_tokens, completion_tokens)
on conflict (workspace_id, instrument, row_hash) do update set
    score = excluded.score, judgements = excluded.judgements, error = excluded.error,
    judge_prompt_tokens = excluded.judge_prompt_tokens, judge_completion_tokens = excluded.judge_completion_tokens,
    version_id = excluded.version_id, round = excluded.round, done_at = excluded.done_at
    where r.score is null

-- name: show_progress
update row_judging set n_done = $2, n_scored = $3, judge_prompt_tokens = judge_prompt_tokens + $4,
                       judge_completion_tokens = judge_completion_tokens + $5, version = version + 1, updated_at = $6
where version_id = $1 and status = 'running' returning cancel_requested

-- name: finish
update row_judging set status = $2, n_done = $3, n_scored = $4, mean_score = $5, cost = $6, ended_early = $7, errors = $8,
                       failure = $9, pause = null, version = version + 1, finished_at = $10, updated_at = $10
where version_id = $1 and status in ('pending', 'running') returning version

-- name: spent
select 0::bigint as prompt_tokens, 0::bigint as completion_tokens, judge_prompt_tokens, judge_completion_tokens,
       0::bigint as embedding_tokens
from row_judging where version_id = $1

-- name: judge_of
select j.workspace_id, j.instrument, j.threshold, coalesce((j.canaries ->> 'resists')::boolean, true) as resists,
       v.row_hashes
from row_judging j join dataset_version v on v.id = j.version_id where j.version_id = $1

-- name: scores
select row_hash, score from row_judgement where workspace_id = $1 and instrument = $2 and score is not null

-- name: judgements
-- By the first halves of the hashes, which name rows.
select encode(substring(j.row_hash from 1 for 8), 'hex') as row_id, j.score, j.judgements, j.error
from row_judging r, unnest($3::text[]) as named(id)
join lateral (select decode(named.id, 'hex') as half) as h on true
join row_judgement j on j.row_hash between h.half and h.half || '\xffffffffffffffff'::bytea
where r.workspace_id = $1 and r.version_id = $2 and j.workspace_id = r.workspace_id and j.instrument = r.instrument

-- name: neglected
select version_id from row_judging where status in ('pending', 'running') and updated_at < $1
  and not exists (select from procrastinate_jobs j
                  where j.lock = 'judge_rows:' || row_judging.version_id and j.status in ('todo', 'doing'))
order by updated_at limit 1000
