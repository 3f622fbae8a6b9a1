-- name: insert_recommendation
insert into recommendation (id, workspace_id, loop_id, fingerprint, kind, status, state_version, rules_version,
                            headline, answer, created_at, updated_at)
values ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $9, $10, $10)
on conflict do nothing

-- name: supersede
update recommendation set status = 'superseded', version = version + 1, updated_at = $3
where loop_id = $1 and status = 'open' and id <> $2

-- name: get_recommendation
select * from recommendation_v where workspace_id = $1 and id = $2

-- name: list_recommendations
select * from recommendation_v
where workspace_id = $1 and ($2::text is null or id < $2) and ($4::text[] is null or loop_id = any($4))
  and ($5::text[] is null or status = any($5))
order by id desc limit $3 + 1

-- name: decide
update recommendation set status = $2, decision = $3, version = version + 1, updated_at = $4 where id = $1

-- name: carried_out
update recommendation set carried_out_by = coalesce(carried_out_by, $3), version = version + 1, updated_at = $4,
                          status = case status when 'open' then 'accepted' else status end
where workspace_id = $1 and id = $2 and status <> 'declined'

-- name: advice_behind
select id, workspace_id, loop_id, kind, status, headline, state_version, rules_version, answer, decision,
       carried_out_by, version, created_at, updated_at
from recommendation where workspace_id = $1 and carried_out_by = $2 order by id limit 1

-- name: set_outcome
update recommendation set outcome = $2 where id = $1

-- name: outcomes
select outcome from recommendation where workspace_id = $1 and outcome is not null order by id
