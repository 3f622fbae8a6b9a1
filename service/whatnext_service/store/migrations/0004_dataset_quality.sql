-- What deriving a version and pointing at its rows needs; empty for versions stored before, which are read again.
alter table dataset_version
    add column lines bytea not null default '',
    add column reversed_hashes bytea not null default '';

create table quality_report (
    version_id     text collate "C" primary key references dataset_version,
    workspace_id   text collate "C" not null references workspace,
    status         text not null default 'pending',
    n_rows_done    int not null default 0,
    compared_with  jsonb not null default '[]',     -- the sets it was held against
    report         jsonb,                           -- everything that is not a number for each row
    row_scores     bytea not null default '',
    row_flags      bytea not null default '',
    label_confidence bytea not null default '',
    near_duplicates  bytea not null default '',
    failure        text,
    version        int not null default 1,
    created_at     timestamptz not null,
    started_at     timestamptz,
    finished_at    timestamptz,
    updated_at     timestamptz not null
);
create index quality_report_open on quality_report (updated_at) where status in ('pending', 'running');

insert into quality_report (version_id, workspace_id, created_at, updated_at)
select id, workspace_id, created_at, created_at from dataset_version;

create view quality_report_v as
select q.version_id as dataset_version_id, q.workspace_id, q.status, v.n_examples as n_rows, q.n_rows_done,
       q.report ->> 'version' as rules_version, q.report ->> 'verdict' as verdict, q.report ->> 'headline' as headline,
       coalesce(q.report -> 'checks', '[]') as checks, coalesce(q.report -> 'pairs', '[]') as pairs,
       coalesce(q.report -> 'labels', '[]') as labels, q.report -> 'tokens' as tokens,
       q.report -> 'answer_tokens' as answer_tokens, v.n_label_suspects, q.compared_with, q.failure, q.version,
       q.created_at, q.started_at, q.finished_at, q.updated_at
from quality_report q join dataset_version v on v.id = q.version_id;
