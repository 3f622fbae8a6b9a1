-- name: insert_suite
insert into eval_suite (id, workspace_id, loop_id, name, role, dataset_version_id, graders, sampling, scale,
                        fingerprint, n_items, is_binary, clusters, prompt_hashes, created_at, judged, guardrails,
                        regrade_sd)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)

-- name: insert_items
insert into eval_item (suite_id, idx, messages, reference, item, tags, tools)
select $1, idx, messages, reference, item, string_to_array(tags, E'\x1f'), tools
from unnest($2::int[], $3::jsonb[], $4::text[], $5::jsonb[], $6::text[], $7::jsonb[])
    as t(idx, messages, reference, item, tags, tools)

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
select idx, messages, reference, item, tags, tools from eval_item where suite_id = $1 order by idx

-- name: item_tags
select tags from eval_item where suite_id = $1 order by idx

-- name: clusters
select clusters from eval_suite where id = $1

-- name: items_differ
-- Places at which two suites do not ask the same.
select coalesce(a.idx, b.idx) as idx
from (select * from eval_item where suite_id = $1) a full join (select * from eval_item where suite_id = $2) b
    on a.idx = b.idx
where a.messages is distinct from b.messages or a.tools is distinct from b.tools
order by 1 limit 10

-- name: keep_canaries
update eval_suite set canaries = $2 where id = $1 and canaries is null

-- name: keep_regrade
update eval_suite set regrade_sd = $2, regrade = $3 where id = $1
    and coalesce((regrade ->> 'n_items')::int * (regrade ->> 'n_gradings')::int, 0) <= $4

-- name: insert_calibration
insert into judge_calibration (id, workspace_id, suite_id, dimension, grades, n_grades, reading, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: list_calibrations
select id, suite_id, dimension, n_grades, reading, created_at from judge_calibration
where suite_id = $1 and ($2::text is null or id < $2) order by id desc limit $3 + 1
