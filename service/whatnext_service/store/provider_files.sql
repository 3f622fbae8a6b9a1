-- name: known_file
select file_id from provider_file where provider = $1 and workspace_id = $2 and sha256 = $3

-- name: remember_file
insert into provider_file (provider, workspace_id, sha256, file_id, created_at) values ($1, $2, $3, $4, $5)
on conflict (provider, workspace_id, sha256) do update
    set file_id = excluded.file_id, created_at = excluded.created_at

-- name: forget_file
delete from provider_file where provider = $1 and workspace_id = $2 and sha256 = $3 and created_at <= $4
