-- Training rows scored by a judge. Scores belong to the row's content and the instrument, so that a derived version, and
-- a second go at the same one, find what was paid for.
create table row_judging (
    version_id     text collate "C" primary key references dataset_version,
    workspace_id   text collate "C" not null references workspace,
    status         text not null default 'pending',
    round          int not null default 1,          -- how often it was started
    secret         bytea not null,                  -- what the judge's nonces are made from; never shown
    instrument     text not null,
    model          text not null,
    dimensions     jsonb not null,
    n_rows         int not null,
    n_done         int not null default 0,
    n_scored       int not null default 0,
    mean_score     double precision,
    threshold      double precision not null,
    canaries       jsonb,
    max_tokens     bigint,
    max_cost       numeric,
    prices         jsonb,
    judge_prompt_tokens      bigint not null default 0,
    judge_completion_tokens  bigint not null default 0,
    cost           numeric,
    ended_early    text,
    errors         jsonb not null default '[]',
    failure        text,
    cancel_requested boolean not null default false,
    version        int not null default 1,
    created_at     timestamptz not null,
    started_at     timestamptz,
    finished_at    timestamptz,
    updated_at     timestamptz not null
);
create index row_judging_open on row_judging (updated_at) where status in ('pending', 'running');

create table row_judgement (
    workspace_id   text collate "C" not null references workspace,
    instrument     text not null,
    row_hash       bytea not null,
    score          double precision,
    judgements     jsonb not null,
    error          jsonb,
    judge_prompt_tokens      int not null,
    judge_completion_tokens  int not null,
    version_id     text collate "C" not null,       -- the judging that asked, and
    round          int not null,                    -- at which of its starts
    done_at        timestamptz not null,
    primary key (workspace_id, instrument, row_hash)
);
