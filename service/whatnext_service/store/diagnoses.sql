-- name: keep_diagnosis
insert into diagnosis (id, workspace_id, loop_id, run_id, fingerprint, body, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (run_id, fingerprint) do nothing
returning id

-- name: get_diagnosis
select body from diagnosis where workspace_id = $1 and id = $2

-- name: diagnosis_of
select body from diagnosis where run_id = $1 and fingerprint = $2

-- name: list_diagnoses
select id, body from diagnosis
where workspace_id = $1 and ($2::text is null or id < $2) and ($4::text[] is null or loop_id = any($4))
  and ($5::text[] is null or run_id = any($5))
order by id desc limit $3 + 1
