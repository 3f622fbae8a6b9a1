-- name: upsert
with given as (
    select distinct on (name, step) name, step, value
    from unnest($2::text[], $3::bigint[], $4::double precision[]) with ordinality as t(name, step, value, n)
    order by name, step, n desc
), known as (
    select count(*) as n from metric join given using (name, step) where run_id = $1
), stored as (
    insert into metric (run_id, name, step, value)
    select $1, name, step, value from given
    on conflict (run_id, name, step) do update set value = excluded.value
        where metric.value is distinct from excluded.value
    returning 1
)
select (select count(*) from given) - known.n as n_new, (select count(*) from stored) > 0 as changed from known

-- name: columns
select name, array_agg(step order by step) as steps, array_agg(value order by step) as values
from metric where run_id = $1 and ($2::text[] is null or name = any($2)) group by name order by name

-- name: clear
delete from metric where run_id = $1

-- name: columns_ending_at
select name, array_agg(step order by step) as steps, array_agg(value order by step) as values
from metric join run on run.id = metric.run_id
where run.id = $1 and run.last_step = $3 and name = any($2) group by name order by name
