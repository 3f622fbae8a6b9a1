-- name: insert_workspace
insert into workspace (id, name, created_at) values ($1, $2, $3) on conflict (name) do nothing

-- name: workspace_by_name
select id from workspace where name = $1

-- name: insert_key
insert into api_key (id, workspace_id, name, sha256, hint, scopes, created_at) values ($1, $2, $3, $4, $5, $6, $7)

-- name: key_by_secret
select id, workspace_id, scopes from api_key where sha256 = $1 and revoked_at is null

-- name: get_key
select * from api_key_v where workspace_id = $1 and id = $2

-- name: list_keys
select * from api_key_v where workspace_id = $1 and ($2::text is null or id < $2) order by id desc limit $3 + 1

-- name: revoke_key
update api_key set revoked_at = coalesce(revoked_at, $3) where workspace_id = $1 and id = $2

-- name: touch
select from workspace limit 1
