-- What evaluated models fail on, held against training data: computed once for each question that is asked.
create table failure_groups (
    evaluation_id      text collate "C" not null references evaluation,
    dataset_version_id text collate "C" not null default '',    -- the training data it is held against; '' for none
    below              double precision not null,
    workspace_id       text collate "C" not null references workspace,
    is_default         boolean not null,                        -- asked for without parameters: what advice rests on
    status             text not null default 'pending',
    n_scored           int not null default 0,
    n_failed           int not null default 0,
    n_training_rows    int not null default 0,
    groups             jsonb not null default '[]',
    failure            text,
    version            int not null default 1,
    created_at         timestamptz not null,
    updated_at         timestamptz not null,
    primary key (evaluation_id, dataset_version_id, below)
);
create index failure_groups_open on failure_groups (updated_at) where status = 'pending';
