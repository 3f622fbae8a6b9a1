-- name: insert_blob
insert into blob (workspace_id, sha256, n_bytes, created_at) values ($1, $2, $3, $4)
on conflict do nothing returning true

-- name: insert_chunk
insert into blob_chunk (workspace_id, sha256, n, bytes) values ($1, $2, $3, $4)

-- name: get_chunk
select bytes from blob_chunk where workspace_id = $1 and sha256 = $2 and n = $3
