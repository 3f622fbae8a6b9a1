-- Tokens that were used for the vectors of texts.
alter table evaluation_item add column embedding_tokens int not null default 0;
alter table evaluation add column embedding_tokens bigint not null default 0;

create or replace view evaluation_v as
select id, workspace_id, loop_id, suite_id, fingerprint, subject, base_model, run_id, checkpoint_id, origin, provider,
       model, status, combined, dimensions, n_items, n_done, n_scored, prompt_tokens, completion_tokens,
       completion_tokens_mean, recommendation_id, failure, version, created_at, started_at, finished_at, updated_at,
       instrument, regrade_of, n_gradings, ended_early, max_tokens, max_cost, prices, cost, judge_tokens,
       stop_if_hopeless_against, errors, n_repeated, embedding_tokens
from evaluation;
