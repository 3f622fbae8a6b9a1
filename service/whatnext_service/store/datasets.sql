-- name: insert_dataset
insert into dataset (id, workspace_id, loop_id, name, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)
on conflict (workspace_id, name) do nothing
returning id

-- name: get_dataset
select * from dataset_v where workspace_id = $1 and id = $2

-- name: list_datasets
select * from dataset_v
where workspace_id = $1 and ($2::text is null or id < $2) and ($4::text[] is null or loop_id = any($4))
order by id desc limit $3 + 1

-- name: next_version_number
update dataset set last_number = last_number + 1, version = version + 1, updated_at = $2
where id = $1 returning last_number

-- name: dataset_by_name
select * from dataset_v where workspace_id = $1 and name = $2

-- name: lock_dataset
select id from dataset where id = $1 for update

-- name: insert_version
insert into dataset_version (id, workspace_id, dataset_id, number, parent_id, derived_by, sha256, n_bytes, n_examples,
                             method, format, n_duplicates, n_contradictions, n_tokens, warnings, row_hashes,
                             prompt_hashes, reversed_hashes, lines, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)

-- name: get_version
select * from dataset_version_v where workspace_id = $1 and id = $2

-- name: version_by_content
select * from dataset_version_v where dataset_id = $1 and sha256 = encode($2::bytea, 'hex') order by number limit 1

-- name: list_versions
select * from dataset_version_v
where workspace_id = $1 and dataset_id = $4 and ($2::text is null or id < $2)
order by id desc limit $3 + 1

-- name: prompt_hashes
select prompt_hashes from dataset_version where workspace_id = $1 and id = $2
