-- Evaluations that can be capped, graded again and taken over from outside; judges that are checked.

alter table eval_suite
    add column judged boolean not null default false,
    add column guardrails jsonb not null default '[]',
    add column canaries jsonb,                          -- how the judge treated attacks, once it has been tried
    add column regrade jsonb;                           -- what grading again changes, once it has been measured

alter table eval_item add column tools jsonb;

alter table evaluation
    add column instrument text,                         -- the outside scorer; null: the suite's graders
    add column regrade_of text collate "C" references evaluation,
    add column n_gradings int not null default 1,
    add column ended_early text,
    add column max_tokens bigint,
    add column max_cost numeric,
    add column prices jsonb,
    add column cost numeric,
    add column judge_tokens bigint not null default 0,
    add column stop_if_hopeless_against text collate "C" references evaluation,
    add column errors jsonb not null default '[]',
    add column n_repeated int not null default 0,
    add column secret bytea;                            -- what a judge's nonces are made from; never shown

alter table evaluation_item
    add column answered_at timestamptz,                 -- the answer is stored; it may still have to be graded
    add column tool_calls jsonb,
    add column gradings double precision[] not null default '{}',
    add column judgements jsonb not null default '[]',
    add column judge_prompt_tokens int not null default 0,
    add column judge_completion_tokens int not null default 0;

create index evaluation_regrade on evaluation (regrade_of) where regrade_of is not null;

create table judge_calibration (
    id            text collate "C" primary key,
    workspace_id  text collate "C" not null references workspace,
    suite_id      text collate "C" not null references eval_suite,
    dimension     text,
    grades        jsonb not null,
    n_grades      int not null,
    reading       jsonb not null,
    created_at    timestamptz not null
);
create index judge_calibration_list on judge_calibration (suite_id, id desc);

create or replace view eval_suite_v as
select id, workspace_id, loop_id, name, role, dataset_version_id, graders, scale, sampling, fingerprint, n_items,
       n_looks, created_at, judged, guardrails, canaries, regrade_sd, regrade
from eval_suite;

create or replace view evaluation_v as
select id, workspace_id, loop_id, suite_id, fingerprint, subject, base_model, run_id, checkpoint_id, origin, provider,
       model, status, combined, dimensions, n_items, n_done, n_scored, prompt_tokens, completion_tokens,
       completion_tokens_mean, recommendation_id, failure, version, created_at, started_at, finished_at, updated_at,
       instrument, regrade_of, n_gradings, ended_early, max_tokens, max_cost, prices, cost, judge_tokens,
       stop_if_hopeless_against, errors, n_repeated
from evaluation;
