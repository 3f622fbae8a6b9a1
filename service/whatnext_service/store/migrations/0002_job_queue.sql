-- What the job queue's own schema does not give: reasons, and enqueueing inside any transaction.

create table job_failure (
    job_id     bigint not null references procrastinate_jobs on delete cascade,
    attempt    int not null,
    reason     text not null,
    failed_at  timestamptz not null default now(),
    primary key (job_id, attempt)
);

-- Without it, taking a job that has a subject reads all waiting ones whenever the planner's statistics are old.
create index job_subject on procrastinate_jobs (lock) where status in ('todo', 'doing');

-- Puts a job for a subject into the queue unless one waits already, and returns the id of the one that will run.
-- The waiting one is brought forward when asked to run earlier (not while it backs off after a failure), and in any
-- case locked, so that no worker starts it before this transaction's other writes can be seen.
create function defer_job(queue text, task text, subject text, args jsonb, run_at timestamptz) returns bigint
language plpgsql as $$
declare
    key text := task || ':' || subject;
    waiting bigint;
begin
    loop
        begin
            return (procrastinate_defer_jobs_v1(
                array[row(queue, task, 0, key, key, args, run_at)::procrastinate_job_to_defer_v1]))[1];
        exception when unique_violation then
            update procrastinate_jobs
            set scheduled_at = case
                when attempts > 0 then scheduled_at
                when run_at is null or scheduled_at is null then null
                else least(run_at, scheduled_at)
            end
            where queueing_lock = key and status = 'todo'
            returning id into waiting;
            if found then
                return waiting;
            end if;
        end;
    end loop;
end;
$$;
