-- Who works on what: ends by itself when its holder no longer renews it.
create table lease (
    name     text collate "C" primary key,
    holder   uuid not null,
    ends_at  timestamptz not null
);
