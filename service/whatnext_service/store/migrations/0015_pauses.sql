-- What an evaluation or a judging waits for, and what trying a judge cost.
alter table evaluation
    add column pause jsonb,                                       -- null unless it waits for a platform
    add column canary_prompt_tokens bigint not null default 0,
    add column canary_completion_tokens bigint not null default 0;
alter table row_judging add column pause jsonb;

create or replace view evaluation_v as
select id, workspace_id, loop_id, suite_id, fingerprint, subject, base_model, run_id, checkpoint_id, origin, provider,
       model, status, combined, dimensions, n_items, n_done, n_scored, prompt_tokens, completion_tokens,
       completion_tokens_mean, recommendation_id, failure, version, created_at, started_at, finished_at, updated_at,
       instrument, regrade_of, n_gradings, ended_early, max_tokens, max_cost, prices, cost, judge_tokens,
       stop_if_hopeless_against, errors, n_repeated, embedding_tokens, pause
from evaluation;
