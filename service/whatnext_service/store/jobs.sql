-- The worker that holds a job is known by (id, worker_id, attempts): once the job is given to another, it matches no row.

-- name: defer
select defer_job($1, $2, $3, $4, $5)

-- name: hold
select queueing_lock from procrastinate_jobs
where id = $1 and worker_id is not distinct from $2 and attempts = $3 and status = 'doing'
for update

-- name: finish
-- Then wakes a worker for the subject's next job, which the library would leave to the next poll.
with mine as materialized (
    select id, lock from procrastinate_jobs
    where id = $1 and worker_id is not distinct from $2 and attempts = $3 and status = 'doing'
    for update
)
select
    procrastinate_finish_job_v1(mine.id, $4, $5),
    (select pg_notify('procrastinate_any_queue_v1', json_build_object('type', 'job_inserted', 'job_id', w.id)::text)
     from procrastinate_jobs w where w.lock = mine.lock and w.status = 'todo' and w.id <> mine.id limit 1)
from mine

-- name: delete_job
delete from procrastinate_jobs where id = $1

-- name: hand_back
update procrastinate_jobs
set status = 'todo', attempts = $2, scheduled_at = $3, worker_id = null, abort_requested = false
where id = $1

-- name: find_waiting
update procrastinate_jobs set attempts = greatest(attempts, $2)
where queueing_lock = $1 and status = 'todo'
returning id

-- name: move_failures
update job_failure set job_id = $2 where job_id = $1

-- name: record_failure
insert into job_failure (job_id, attempt, reason)
select id, $2, $3 from procrastinate_jobs where id = $1 for key share
on conflict do nothing

-- name: last_reason
select reason from job_failure where job_id = $1 order by attempt desc limit 1

-- name: list_failed
select j.id as job_id, j.task_name as task, j.args, j.attempts, f.reason, f.failed_at
from procrastinate_jobs j
left join lateral (select reason, failed_at from job_failure where job_id = j.id order by attempt desc limit 1) f on true
where j.status = 'failed'
order by j.id desc
limit $1

-- name: depth
select task_name as task, status::text as status, count(*)::int as n
from procrastinate_jobs where status in ('todo', 'doing') group by 1, 2 order by 1, 2

-- name: delete_ended
delete from procrastinate_jobs j
where j.status in ('failed', 'aborted', 'cancelled')
  and not exists (select from procrastinate_events e where e.job_id = j.id and e.at > $1)
