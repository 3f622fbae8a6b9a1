"""The kinds of jobs, and what becomes of one that keeps failing."""

import asyncio

from whatnext_service.flows import evaluate, failure_groups, judge_rows, move_run, report_quality, ship, webhooks
from whatnext_service.flows.carry_out import advise
from whatnext_service.flows.context import Services
from whatnext_service.flows.sweep import sweep
from whatnext_service.worker.queue import Queue

ATTEMPTS = 5
PAID_ATTEMPTS = 20
"""For what was paid for: given up only after more than an hour of failures (waits double to five minutes), so that no
outage of ours ends it."""
SWEEP_CRON = "*/10 * * * * *"


def register_tasks(queue: Queue, services: Services) -> None:
    """Tell the queue what each kind of job does."""

    async def move(subject_id: str) -> None:
        await move_run.move_run(services, subject_id)

    async def give_up_run(reason: str, subject_id: str) -> None:
        await move_run.give_up(services, subject_id, f"The service failed to process it: {reason}")

    async def run_evaluation(subject_id: str) -> None:
        await evaluate.evaluate(services, subject_id)

    async def give_up_evaluation(reason: str, subject_id: str) -> None:
        await evaluate.give_up(services, subject_id, f"The service failed to process it: {reason}")

    large_report = asyncio.Lock()

    async def check_quality(subject_id: str) -> None:
        await report_quality.report_quality(services, subject_id, large_report)

    async def give_up_quality(reason: str, subject_id: str) -> None:
        await report_quality.give_up(services, subject_id, f"The service failed to process it: {reason}")

    async def judge_rows_of(subject_id: str) -> None:
        await judge_rows.judge_rows(services, subject_id)

    async def give_up_judging(reason: str, subject_id: str) -> None:
        await judge_rows.give_up(services, subject_id, f"The service failed to process it: {reason}")

    async def group_failures(subject_id: str) -> None:
        await failure_groups.group_failures(services, subject_id)

    async def give_up_failures(reason: str, subject_id: str) -> None:
        await failure_groups.give_up(services, subject_id, f"The service failed to process it: {reason}")

    async def refresh_advice(subject_id: str) -> None:
        await report_quality.refresh_quality(services, subject_id)
        await advise(services, subject_id)

    async def delete_model(subject_id: str) -> None:
        await ship.delete_model(services, subject_id)

    async def deliver(subject_id: str) -> None:
        await webhooks.deliver(services, subject_id)

    async def sweep_all() -> None:
        await sweep(services)

    queue.register("move_run", move, attempts=PAID_ATTEMPTS, on_exhausted=give_up_run)
    queue.register("evaluate", run_evaluation, attempts=PAID_ATTEMPTS, on_exhausted=give_up_evaluation)
    queue.register("report_quality", check_quality, attempts=ATTEMPTS, on_exhausted=give_up_quality)
    queue.register("judge_rows", judge_rows_of, attempts=PAID_ATTEMPTS, on_exhausted=give_up_judging)
    queue.register("group_failures", group_failures, attempts=ATTEMPTS, on_exhausted=give_up_failures)
    queue.register("advise", refresh_advice, attempts=ATTEMPTS)
    queue.register("deliver", deliver, attempts=ATTEMPTS)
    queue.register("delete_model", delete_model, attempts=ATTEMPTS)
    queue.register_periodic("sweep", sweep_all, cron=SWEEP_CRON)
