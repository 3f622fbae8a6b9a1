-- name: insert_blob
insert into blob (workspace_id, sha256, n_bytes, created_at) values ($1, $2, $3, $4)
on conflict do nothing returning true

-- name: insert_chunk
insert into blob_chunk (workspace_id, sha256, n, bytes) values ($1, $2, $3, $4)

-- name: get_pieces
select p.piece, substring(c.bytes from p.first + 1 for p.n_bytes) as bytes
from unnest($3::int[], $4::int[], $5::int[], $6::int[]) as p(piece, n, first, n_bytes)
join blob_chunk c on c.workspace_id = $1 and c.sha256 = $2 and c.n = p.n
order by p.piece, p.n

-- name: get_chunk
select bytes from blob_chunk where workspace_id = $1 and sha256 = $2 and n = $3
