-- Ids are text in the C collation, so that they sort as they were made: by time.

create table workspace (
    id          text collate "C" primary key,
    name        text not null unique,
    event_seq   bigint not null default 0,   -- counts this workspace's events; its row lock orders their commits
    created_at  timestamptz not null
);

create table api_key (
    id            text collate "C" primary key,
    workspace_id  text collate "C" not null references workspace,
    name          text not null,
    sha256        bytea not null unique,
    hint          text not null,              -- the key's last four characters
    scopes        text[] not null,
    created_at    timestamptz not null,
    revoked_at    timestamptz
);
create index api_key_list on api_key (workspace_id, id desc);

create table idempotency_key (
    workspace_id  text collate "C" not null references workspace,
    key           text collate "C" not null,
    request       bytea not null,             -- sha256 of method, path and body
    status        int,
    headers       jsonb,
    body          bytea,
    created_at    timestamptz not null,
    primary key (workspace_id, key)
);
create index idempotency_key_age on idempotency_key (created_at);

create table event (
    workspace_id  text collate "C" not null references workspace,
    seq           bigint not null,
    id            text collate "C" not null unique,
    type          text not null,
    loop_id       text collate "C",
    subject_id    text collate "C" not null,
    version       bigint not null,
    created_at    timestamptz not null,
    primary key (workspace_id, seq)
);
create index event_loop on event (workspace_id, loop_id, seq);

create table dataset (
    id             text collate "C" primary key,
    workspace_id   text collate "C" not null references workspace,
    loop_id        text collate "C",          -- the loop it was made for, if any
    name           text not null,
    last_number    int not null default 0,
    version        int not null default 1,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    unique (workspace_id, name)
);
create index dataset_list on dataset (workspace_id, id desc);

create table blob (
    workspace_id  text collate "C" not null references workspace,
    sha256        bytea not null,
    n_bytes       bigint not null,
    created_at    timestamptz not null,
    primary key (workspace_id, sha256)
);

create table blob_chunk (
    workspace_id  text collate "C" not null,
    sha256        bytea not null,
    n             int not null,
    bytes         bytea not null,
    primary key (workspace_id, sha256, n),
    foreign key (workspace_id, sha256) references blob
);
alter table blob_chunk alter column bytes set storage external;

create table dataset_version (
    id                text collate "C" primary key,
    workspace_id      text collate "C" not null references workspace,
    dataset_id        text collate "C" not null references dataset,
    number            int not null,
    parent_id         text collate "C" references dataset_version,
    derived_by        text[] not null,
    sha256            bytea not null,
    n_bytes           bigint not null,
    n_examples        int not null,
    method            text not null,
    format            text not null,
    n_duplicates      int not null,
    n_contradictions  int not null,
    n_label_suspects  int,
    n_tokens          bigint,
    warnings          jsonb not null,          -- row warnings: counts by code, and the first in full
    row_hashes        bytea not null,
    prompt_hashes     bytea not null,
    created_at        timestamptz not null,
    unique (dataset_id, number),
    foreign key (workspace_id, sha256) references blob
);
create index dataset_version_list on dataset_version (dataset_id, id desc);

create table loop (
    id                     text collate "C" primary key,
    workspace_id           text collate "C" not null references workspace,
    slug                   text collate "C" not null,
    task                   text not null,
    metric                 jsonb not null,
    rules                  jsonb not null,
    budget                 jsonb not null,
    choices                jsonb not null,
    autopilot              text not null,
    dataset_id             text collate "C" references dataset,
    validation_version_id  text collate "C" references dataset_version,
    baseline_id            text collate "C",
    last_run_number        int not null default 0,
    version                int not null default 1,
    state_version          bigint not null default 1,   -- counts whatever may alter the advice
    state_changed_at       timestamptz not null,
    answer                 bytea,                       -- the answer to "what next?" at (answer_state, answer_rules)
    answer_state           bigint,
    answer_rules           text,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    unique (workspace_id, slug)
);
create index loop_list on loop (workspace_id, id desc);
create index loop_dataset on loop (dataset_id);

create table run (
    id                     text collate "C" primary key,
    workspace_id           text collate "C" not null references workspace,
    loop_id                text collate "C" not null references loop,
    number                 int not null,
    parent_id              text collate "C" references run,
    provider               text not null,
    status                 text not null,
    provider_status        text,
    provider_job_id        text,
    provider_model         text,                        -- the fine-tuned model's name, once there is one
    submit_intent_at       timestamptz,                 -- written before the paid call, so that a crash is reconciled
    cancel_requested       boolean not null default false,
    config                 jsonb not null,
    effective              jsonb,
    changed                text[] not null,
    confounded_by          text[] not null,
    validation_version_id  text collate "C" references dataset_version,
    recommendation_id      text collate "C",
    note                   text,
    reading                jsonb,
    last_step              bigint,
    metrics_version        int not null default 0,
    trained_tokens         bigint,
    cost                   numeric,
    failure                text,
    attempts               int not null default 0,      -- provider faults in a row
    version                int not null default 1,
    created_at             timestamptz not null,
    started_at             timestamptz,
    finished_at            timestamptz,
    updated_at             timestamptz not null,
    unique (loop_id, number)
);
create index run_list on run (workspace_id, id desc);
create index run_loop on run (loop_id, id desc);
create index run_open on run (updated_at) where status in ('pending', 'submitting', 'queued', 'running', 'paused');

create table metric (
    run_id  text collate "C" not null references run,
    name    text collate "C" not null,
    step    bigint not null,
    value   double precision not null,
    primary key (run_id, name, step)
);

create table checkpoint (
    id               text collate "C" primary key,
    workspace_id     text collate "C" not null references workspace,
    run_id           text collate "C" not null references run,
    step             bigint not null,
    epoch            int,
    model            text,
    provider_id      text,
    deployable       boolean not null,
    final            boolean not null,
    train_loss       double precision,
    valid_loss       double precision,
    full_valid_loss  double precision,
    created_at       timestamptz not null,
    unique (run_id, step)
);
create index checkpoint_list on checkpoint (run_id, id desc);

create table provider_file (
    provider   text not null,
    workspace_id text collate "C" not null references workspace,
    sha256     bytea not null,
    file_id    text not null,
    created_at timestamptz not null,
    primary key (provider, workspace_id, sha256)
);

create table eval_suite (
    id                  text collate "C" primary key,
    workspace_id        text collate "C" not null references workspace,
    loop_id             text collate "C" not null references loop,
    name                text not null,
    role                text not null,
    dataset_version_id  text collate "C" references dataset_version,
    graders             jsonb not null,
    sampling            jsonb not null,
    scale               jsonb not null,
    fingerprint         text not null,
    n_items             int not null,
    is_binary           boolean not null,
    clusters            int[],
    regrade_sd          double precision,
    prompt_hashes       bytea not null,
    n_looks             int not null default 0,
    created_at          timestamptz not null
);
create index eval_suite_list on eval_suite (workspace_id, id desc);
create index eval_suite_loop on eval_suite (loop_id, id desc);

create table eval_item (
    suite_id   text collate "C" not null references eval_suite,
    idx        int not null,
    messages   jsonb not null,
    reference  text,
    item       jsonb not null,
    tags       text[] not null,
    primary key (suite_id, idx)
);

create table evaluation (
    id                      text collate "C" primary key,
    workspace_id            text collate "C" not null references workspace,
    loop_id                 text collate "C" not null references loop,
    suite_id                text collate "C" not null references eval_suite,
    fingerprint             text not null,
    subject                 text not null,
    base_model              text,
    run_id                  text collate "C" references run,
    checkpoint_id           text collate "C" references checkpoint,
    origin                  text not null,
    provider                text,
    model                   text,                        -- the name under which the subject was served
    status                  text not null,
    combined                double precision,
    n_items                 int not null,
    n_done                  int not null default 0,
    n_scored                int not null default 0,
    scores                  bytea not null default '',
    dimensions              jsonb not null default '[]',
    prompt_tokens           bigint,
    completion_tokens       bigint,
    completion_tokens_mean  double precision,
    recommendation_id       text collate "C",
    cancel_requested        boolean not null default false,
    failure                 text,
    version                 int not null default 1,
    created_at              timestamptz not null,
    started_at              timestamptz,
    finished_at             timestamptz,
    updated_at              timestamptz not null
);
create index evaluation_list on evaluation (workspace_id, id desc);
create index evaluation_loop on evaluation (loop_id, id desc);
create index evaluation_open on evaluation (updated_at) where status in ('pending', 'running');

create table evaluation_item (
    evaluation_id      text collate "C" not null references evaluation,
    idx                int not null,
    sent_at            timestamptz,                     -- the intent, written before the paid call
    done_at            timestamptz,
    output             text,
    finish_reason      text,
    scores             jsonb not null default '{}',     -- by dimension; null where a grader could not score
    combined           double precision,
    prompt_tokens      int,
    completion_tokens  int,
    latency_s          double precision,
    error              jsonb,
    attempts           int not null default 0,
    primary key (evaluation_id, idx)
);

create table diagnosis (
    id            text collate "C" primary key,
    workspace_id  text collate "C" not null references workspace,
    loop_id       text collate "C" not null references loop,
    run_id        text collate "C" not null references run,
    fingerprint   text not null,
    body          jsonb not null,
    created_at    timestamptz not null,
    unique (run_id, fingerprint)
);
create index diagnosis_list on diagnosis (workspace_id, id desc);
create index diagnosis_loop on diagnosis (loop_id, id desc);

create table recommendation (
    id             text collate "C" primary key,
    workspace_id   text collate "C" not null references workspace,
    loop_id        text collate "C" not null references loop,
    fingerprint    text not null,
    kind           text not null,
    status         text not null,
    state_version  bigint not null,
    rules_version  text not null,
    headline       text not null,
    answer         jsonb not null,
    decision       jsonb,
    carried_out_by text collate "C",                    -- the run, evaluation or deployment that came of it
    version        int not null default 1,
    created_at     timestamptz not null,
    updated_at     timestamptz not null
);
create index recommendation_list on recommendation (workspace_id, id desc);
create index recommendation_loop on recommendation (loop_id, id desc);
create unique index recommendation_open on recommendation (loop_id) where status = 'open';

create table deployment (
    id                 text collate "C" primary key,
    workspace_id       text collate "C" not null references workspace,
    loop_id            text collate "C" not null references loop,
    run_id             text collate "C" not null references run,
    checkpoint_id      text collate "C" references checkpoint,
    provider           text not null,
    model              text not null,
    status             text not null,
    override_reason    text,
    recommendation_id  text collate "C",
    version            int not null default 1,
    created_at         timestamptz not null,
    deleted_at         timestamptz,
    updated_at         timestamptz not null
);
create index deployment_list on deployment (workspace_id, id desc);
create index deployment_loop on deployment (loop_id, id desc);

-- The resources as they are answered. Queries read these views, so that a column list is written once.

create view loop_v as
select id, workspace_id, slug, task, metric, rules, budget, choices, autopilot, dataset_id, validation_version_id,
       baseline_id as baseline_evaluation_id, last_run_number as n_runs, state_version, version, created_at, updated_at
from loop;

create view dataset_v as
select id, workspace_id, name, loop_id, last_number as n_versions, version, created_at, updated_at from dataset;

create view dataset_version_v as
select id, workspace_id, dataset_id, number, 'v' || number as name, parent_id, derived_by,
       encode(sha256, 'hex') as sha256, n_bytes, n_examples, method, format, n_duplicates, n_contradictions,
       n_label_suspects, n_tokens, warnings -> 'counts' as warning_counts, warnings -> 'first' as warnings, created_at
from dataset_version;

create view run_v as
select id, workspace_id, loop_id, number, 'R' || number as name, parent_id as parent_run_id, provider, status,
       provider_status, provider_job_id, provider_model as model, config, effective, changed, confounded_by,
       recommendation_id, note, reading, last_step, trained_tokens, cost, failure, version, created_at, started_at,
       finished_at, updated_at
from run;

create view checkpoint_v as
select id, workspace_id, run_id, step, epoch, model, deployable, final, train_loss, valid_loss, full_valid_loss,
       created_at
from checkpoint;

create view eval_suite_v as
select id, workspace_id, loop_id, name, role, dataset_version_id, graders, scale, sampling, fingerprint, n_items,
       n_looks, created_at
from eval_suite;

create view evaluation_v as
select id, workspace_id, loop_id, suite_id, fingerprint, subject, base_model, run_id, checkpoint_id, origin, provider,
       model, status, combined, dimensions, n_items, n_done, n_scored, prompt_tokens, completion_tokens,
       completion_tokens_mean, recommendation_id, failure, version, created_at, started_at, finished_at, updated_at
from evaluation;

create view recommendation_v as
select id, workspace_id, loop_id, kind, status, headline, state_version, rules_version, answer, decision,
       carried_out_by, version, created_at, updated_at
from recommendation;

create view deployment_v as
select id, workspace_id, loop_id, run_id, checkpoint_id, provider, model, status, override_reason, recommendation_id,
       version, created_at, deleted_at, updated_at
from deployment;

create view api_key_v as
select id, workspace_id, name, scopes, hint, created_at, revoked_at from api_key;
