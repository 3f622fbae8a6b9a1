-- name: insert_suite
insert into eval_suite (id, workspace_id, loop_id, name, role, dataset_version_id, graders, sampling, scale,
                        fingerprint, n_items, is_binary, clusters, prompt_hashes, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)

-- name: insert_items
insert into eval_item (suite_id, idx, messages, reference, item, tags)
select $1, idx, messages, reference, item, string_to_array(tags, E'\x1f')
from unnest($2::int[], $3::jsonb[], $4::text[], $5::jsonb[], $6::text[]) as t(idx, messages, reference, item, tags)

-- name: get_suite
select * from eval_suite_v where workspace_id = $1 and id = $2

-- name: list_suites
select * from eval_suite_v
where workspace_id = $1 and ($2::text is null or id < $2) and ($4::text[] is null or loop_id = any($4))
order by id desc limit $3 + 1

-- name: count_look
update eval_suite set n_looks = n_looks + 1 where id = $1

-- name: suites_of_loop
select id, name, role, prompt_hashes from eval_suite where loop_id = $1 order by id

-- name: items
select idx, messages, reference, item, tags from eval_item where suite_id = $1 order by idx
