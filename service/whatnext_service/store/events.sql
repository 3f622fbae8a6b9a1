-- name: append
with turn as (
    update workspace set event_seq = event_seq + 1 where id = $2 returning event_seq
), added as (
    insert into event (workspace_id, seq, id, type, loop_id, subject_id, version, created_at)
    select $2, event_seq, $1, $3, $4, $5, $6, $7 from turn
)
select pg_notify('whatnext', $2::text || ' ' || $5::text || ' ' || coalesce($4::text, '-'))

-- name: list_events
select id, seq, type, loop_id, subject_id, version, created_at from event
where workspace_id = $1 and seq > $2 and ($3::text[] is null or loop_id = any($3)) and ($4::text[] is null or type = any($4))
order by seq limit $5 + 1

-- name: seq_of
select seq from event where workspace_id = $1 and id = $2
