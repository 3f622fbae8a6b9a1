-- name: claim
insert into idempotency_key (workspace_id, key, request, created_at) values ($1, $2, $3, $4)
on conflict (workspace_id, key) do update
    set request = excluded.request, created_at = excluded.created_at, status = null, headers = null, body = null
    where idempotency_key.created_at < excluded.created_at - interval '24 hours'
returning key

-- name: stored
select request, status, headers, body from idempotency_key where workspace_id = $1 and key = $2

-- name: keep
update idempotency_key set status = $3, headers = $4, body = $5 where workspace_id = $1 and key = $2

-- name: forget_old
delete from idempotency_key where created_at < $1
