-- name: without_waiting
select set_config('synchronous_commit', 'off', true)

-- name: unfinished_items
-- Graded again, only the answers that were taken over count.
select s.idx, s.messages, s.reference, s.item, s.tools, coalesce(e.attempts, 0) as attempts,
       e.answered_at is not null as answered, e.output, e.finish_reason, e.tool_calls, e.prompt_tokens,
       e.completion_tokens, e.latency_s
from eval_item s left join evaluation_item e on e.evaluation_id = $1 and e.idx = s.idx
where s.suite_id = $2 and e.done_at is null and (e.idx is not null or not $3) order by s.idx

-- name: intend_items
insert into evaluation_item (evaluation_id, idx, sent_at, attempts) select $1, idx, $3, 1 from unnest($2::int[]) as t(idx)
on conflict (evaluation_id, idx) do update set sent_at = $3, attempts = evaluation_item.attempts + 1
    where evaluation_item.done_at is null

-- name: keep_answers
-- As an insert, so that each row is found by its key whatever the planner believes.
insert into evaluation_item as e (evaluation_id, idx, answered_at, output, finish_reason, tool_calls, prompt_tokens,
                                  completion_tokens, latency_s, attempts)
select $1, idx, $2, output, finish_reason, tool_calls, prompt_tokens, completion_tokens, latency_s, repeats
from unnest($3::int[], $4::text[], $5::text[], $6::jsonb[], $7::int[], $8::int[], $9::float8[], $10::int[])
    as t(idx, output, finish_reason, tool_calls, prompt_tokens, completion_tokens, latency_s, repeats)
on conflict (evaluation_id, idx) do update set
    answered_at = excluded.answered_at, output = excluded.output, finish_reason = excluded.finish_reason,
    tool_calls = excluded.tool_calls, prompt_tokens = excluded.prompt_tokens,
    completion_tokens = excluded.completion_tokens, latency_s = excluded.latency_s,
    attempts = e.attempts + excluded.attempts
    where e.done_at is null and e.answered_at is null

-- name: finish_items
insert into evaluation_item as e (evaluation_id, idx, done_at, scores, combined, error, gradings, judgements,
                                  judge_prompt_tokens, judge_completion_tokens, embedding_tokens, attempts)
select $1, idx, $2, scores, combined, error,
       (select coalesce(array_agg(v::text::float8 order by n), '{}')
        from jsonb_array_elements(gradings) with ordinality as j(v, n)),
       judgements, judge_prompt, judge_completion, embedding, repeats
from unnest($3::int[], $4::jsonb[], $5::float8[], $6::jsonb[], $7::jsonb[], $8::jsonb[], $9::int[], $10::int[],
            $11::int[], $12::int[])
    as t(idx, scores, combined, error, gradings, judgements, judge_prompt, judge_completion, embedding, repeats)
on conflict (evaluation_id, idx) do update set
    done_at = excluded.done_at, scores = excluded.scores, combined = excluded.combined, error = excluded.error,
    gradings = excluded.gradings, judgements = excluded.judgements,
    judge_prompt_tokens = excluded.judge_prompt_tokens, judge_completion_tokens = excluded.judge_completion_tokens,
    embedding_tokens = excluded.embedding_tokens, attempts = e.attempts + excluded.attempts
    where e.done_at is null

-- name: register_items
insert into evaluation_item (evaluation_id, idx, done_at, output, scores, combined, completion_tokens, error, attempts)
select $1, idx, $2, output, jsonb_build_object('combined', combined), combined, completion_tokens, error, 0
from unnest($3::int[], $4::text[], $5::float8[], $6::int[], $7::jsonb[])
    as t(idx, output, combined, completion_tokens, error)

-- name: take_answers
-- An item without an answer keeps its reason; it is not asked for.
insert into evaluation_item (evaluation_id, idx, sent_at, answered_at, done_at, output, finish_reason, tool_calls,
                             prompt_tokens, completion_tokens, latency_s, error, attempts)
select $1, idx, sent_at, case when output is not null then $3::timestamptz end,
       case when output is null then $3::timestamptz end, output, finish_reason, tool_calls,
       prompt_tokens, completion_tokens, latency_s,
       case when output is null
            then coalesce(error, '{"code": "no_answer", "message": "no answer was stored"}') end, 0
from evaluation_item
where evaluation_id = $2 and done_at is not null and ($4::int[] is null or idx = any($4))
returning answered_at is not null as answered

-- name: spent
-- Answers that were taken over were paid for by the evaluation that asked.
select case when e.regrade_of is null then i.prompt_tokens else 0 end as prompt_tokens,
       case when e.regrade_of is null then i.completion_tokens else 0 end as completion_tokens,
       i.judge_prompt_tokens + e.canary_prompt_tokens as judge_prompt_tokens,
       i.judge_completion_tokens + e.canary_completion_tokens as judge_completion_tokens, i.embedding_tokens
from evaluation e,
     (select coalesce(sum(prompt_tokens), 0)::bigint as prompt_tokens,
             coalesce(sum(completion_tokens), 0)::bigint as completion_tokens,
             coalesce(sum(judge_prompt_tokens), 0)::bigint as judge_prompt_tokens,
             coalesce(sum(judge_completion_tokens), 0)::bigint as judge_completion_tokens,
             coalesce(sum(embedding_tokens), 0)::bigint as embedding_tokens
      from evaluation_item where evaluation_id = $1) as i
where e.id = $1

-- name: item_results
select idx, scores, combined, prompt_tokens, completion_tokens, latency_s, error, attempts, gradings from evaluation_item
where evaluation_id = $1 and done_at is not null order by idx

-- name: dimension_scores
select idx, (scores ->> $2)::float8 as score from evaluation_item
where evaluation_id = $1 and done_at is not null

-- name: lacking
select s.idx, (select error ->> 'code' from evaluation_item where evaluation_id = $2 and idx = s.idx) as candidate_error,
       (select error ->> 'code' from evaluation_item where evaluation_id = $3 and idx = s.idx) as reference_error
from unnest($1::int[]) as s(idx) order by s.idx

-- name: list_items
select s.idx as index, e.done_at is not null as done, s.messages, s.reference, s.tags, e.output, e.finish_reason,
       e.combined, coalesce(e.scores, '{}'::jsonb) as scores, e.prompt_tokens, e.completion_tokens, e.latency_s, e.error,
       coalesce(e.attempts, 0) as attempts, e.tool_calls, coalesce(e.gradings, '{}') as gradings,
       coalesce(e.judgements, '[]'::jsonb) as judgements
from eval_item s left join evaluation_item e on e.evaluation_id = $1 and e.idx = s.idx
where s.suite_id = $2 and s.idx >= $3 order by s.idx limit $4 + 1
