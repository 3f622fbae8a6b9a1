-- name: insert_pending
insert into quality_report (version_id, workspace_id, created_at, updated_at) values ($1, $2, $3, $3)

-- name: get_report
select * from quality_report_v where workspace_id = $1 and dataset_version_id = $2

-- name: ask_again
update quality_report set status = 'pending', failure = null, version = version + 1, updated_at = $2
where version_id = $1 and status in ('ready', 'failed') returning version

-- name: make_anew
-- A report under way is made for nothing: it ends only while it is running.
update quality_report set status = 'pending', failure = null, version = version + 1, updated_at = $2
where version_id = $1 returning version

-- name: take
update quality_report q set status = 'running', n_rows_done = 0, started_at = $2, version = q.version + 1,
                            updated_at = $2
from dataset_version v
where q.version_id = $1 and v.id = q.version_id and q.status in ('pending', 'running')
returning q.version_id, q.workspace_id, v.dataset_id, v.sha256, v.n_bytes

-- name: open_work
select q.version_id, q.workspace_id, v.dataset_id, v.sha256, v.n_bytes
from quality_report q join dataset_version v on v.id = q.version_id
where q.version_id = $1 and q.status in ('pending', 'running')

-- name: show_progress
update quality_report set n_rows_done = $2, version = version + 1, updated_at = $3
where version_id = $1 and status = 'running'

-- name: finish
update quality_report set status = 'ready', n_rows_done = $2, compared_with = $3, report = $4, row_scores = $5,
                          row_flags = $6, label_confidence = $7, near_duplicates = $8, partners = $9, places = $10,
                          faults = $11, failure = null, version = version + 1, finished_at = $12, updated_at = $12
where version_id = $1 and status = 'running' returning version

-- name: keep_suspects
update dataset_version set n_label_suspects = $2 where id = $1

-- name: fail
update quality_report set status = 'failed', failure = $2, version = version + 1, finished_at = $3, updated_at = $3
where version_id = $1 and status in ('pending', 'running') returning version

-- name: sets_apart
select role, name, version_id, sha256, n_bytes from (
    select 'validation' as role, d.name || ' v' || v.number as name, v.id as version_id, v.sha256, v.n_bytes
    from loop l join dataset_version v on v.id = l.validation_version_id join dataset d on d.id = v.dataset_id
    where l.dataset_id = $1
    union
    select s.role, s.name, v.id, v.sha256, v.n_bytes
    from eval_suite s join loop l on l.id = s.loop_id join dataset_version v on v.id = s.dataset_version_id
    where l.dataset_id = $1
) as apart
where version_id <> $2
order by version_id desc, role, name limit $3

-- name: newest_of_loop
select v.id as version_id, v.dataset_id, q.status, q.compared_with
from loop l join dataset_version v on v.dataset_id = l.dataset_id join quality_report q on q.version_id = v.id
where l.id = $1 order by v.number desc limit 1

-- name: packed_rows
select v.lines, q.row_scores, q.row_flags, q.label_confidence, q.report -> 'flag_codes' as flag_codes
from quality_report q join dataset_version v on v.id = q.version_id
where q.workspace_id = $1 and q.version_id = $2 and q.report is not null

-- name: partners
select partners from quality_report where workspace_id = $1 and version_id = $2

-- name: row_places
select n.index, substring(v.row_hashes from 16 * n.index + 1 for 16) as row_hash,
       substring(v.lines from 4 * n.index + 1 for 4) as line, substring(q.places from 16 * n.index + 1 for 16) as place
from unnest($3::int[]) as n(index), quality_report q join dataset_version v on v.id = q.version_id
where q.workspace_id = $1 and q.version_id = $2

-- name: derivation_source
select v.row_hashes, v.prompt_hashes, v.reversed_hashes, v.lines,
       case when q.report is not null then q.row_scores end as scores,
       case when q.report is not null then q.near_duplicates end as near_duplicates,
       case when q.report is not null then q.row_flags end as flags, q.report -> 'flag_codes' as flag_codes
from dataset_version v left join quality_report q on q.version_id = v.id
where v.workspace_id = $1 and v.id = $2

-- name: neglected
select version_id from quality_report where status in ('pending', 'running') and updated_at < $1
order by updated_at limit 1000

-- name: asked_items
select coalesce(item ->> 'question', item ->> 'prompt', '') as prompt, tags
from eval_item where suite_id = $1 order by idx
