create table webhook_endpoint (
    id               text collate "C" primary key,
    workspace_id     text collate "C" not null references workspace,
    url              text not null,
    event_types      text[],                        -- null: every type
    description      text,
    secret           text not null,
    status           text not null default 'enabled',
    disabled_reason  text,
    version          int not null default 1,
    created_at       timestamptz not null,
    updated_at       timestamptz not null
);
create index webhook_endpoint_list on webhook_endpoint (workspace_id, id desc);

create table webhook_delivery (
    id                text collate "C" primary key,
    workspace_id      text collate "C" not null references workspace,
    endpoint_id       text collate "C" not null references webhook_endpoint on delete cascade,
    event_id          text collate "C",             -- null: a test call
    type              text not null,
    body              bytea not null,
    status            text not null default 'pending',
    attempts          int not null default 0,
    last_status_code  int,
    last_error        text,
    next_attempt_at   timestamptz,
    created_at        timestamptz not null,
    finished_at       timestamptz
);
create index webhook_delivery_list on webhook_delivery (endpoint_id, id desc);
create index webhook_delivery_open on webhook_delivery (next_attempt_at) where status = 'pending';

create view webhook_endpoint_v as
select id, workspace_id, url, event_types, description, status, disabled_reason, version, created_at, updated_at
from webhook_endpoint;

create view webhook_delivery_v as
select id, workspace_id, endpoint_id, event_id, type, status, attempts, last_status_code, last_error, next_attempt_at,
       created_at, finished_at
from webhook_delivery;
