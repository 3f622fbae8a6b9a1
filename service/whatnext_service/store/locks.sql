-- name: try_lock
select pg_try_advisory_lock(hashtextextended($1, 0))

-- name: unlock
select pg_advisory_unlock(hashtextextended($1, 0))
