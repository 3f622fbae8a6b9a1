-- By the database's clock, and without waiting for the disk: a lease lost in a crash of the database is found lost at the
-- next renewal, and whatever its holder commits durably afterwards makes the lease durable too.

-- name: take
with quick as materialized (select set_config('synchronous_commit', 'off', true))
insert into lease (name, holder, ends_at)
select $1, gen_random_uuid(), clock_timestamp() + make_interval(secs => $2) from quick
on conflict (name) do update set holder = excluded.holder, ends_at = excluded.ends_at
    where lease.ends_at < clock_timestamp()
returning holder

-- name: renew
with quick as materialized (select set_config('synchronous_commit', 'off', true))
update lease set ends_at = clock_timestamp() + make_interval(secs => $3) from quick
where name = $1 and holder = $2 returning true

-- name: release
with quick as materialized (select set_config('synchronous_commit', 'off', true))
delete from lease using quick where name = $1 and holder = $2

-- name: forget_ended
delete from lease where ends_at < clock_timestamp() - interval '1 hour'
