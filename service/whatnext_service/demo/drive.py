"""Ask "what next?", carry it out, and show what happens, until the answer is to ship or to stop."""

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from whatnext import Client
from whatnext.models import Evaluation, Run
from whatnext_service.demo.outcome import Outcome
from whatnext_service.demo.prepare import Goal
from whatnext_service.demo.show import INDENT, show_answer, show_evaluation, show_run

LAST = ("ship", "stop", "do_not_fine_tune", "review")
BUSY = ("pending", "submitting", "queued", "running", "paused")
GIVE_UP_S = 600.0


def drive(client: Client, console: Console, goal: Goal) -> Outcome:
    """The whole of a client: send the request that the answer names, and ask again."""
    deadline = time.monotonic() + GIVE_UP_S
    said = ""
    n_steps = 0
    while time.monotonic() < deadline:
        answer = client.loops.next(goal.slug)
        kind, request = answer.action.kind, answer.action.request
        if kind == "wait":
            _watch(client, console, goal.slug)
            continue
        if answer.headline != said:
            n_steps += 1
            show_answer(console, n_steps, answer)
            said = answer.headline
        if request is not None:
            client.execute(request)
        if kind in LAST:
            return Outcome(goal=goal, kind=kind, headline=answer.headline, n_steps=n_steps)
        if request is None:
            time.sleep(0.2)
    raise TimeoutError(f"the loop did not end within {GIVE_UP_S:.0f} s")


def _watch(client: Client, console: Console, slug: str) -> None:
    """Show what is under way until it has ended."""
    runs = [run for run in client.runs.list(loop_id=[slug], limit=5) if run.status in BUSY]
    evaluations = [each for each in client.evaluations.list(loop_id=[slug], limit=5) if each.status in BUSY]
    if not runs and not evaluations:
        time.sleep(0.1)
        return
    with Progress(
        TextColumn(INDENT + "{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[figures]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        ended = [_watch_run(client, progress, run) for run in runs]
        scored = [_watch_evaluation(client, progress, evaluation) for evaluation in evaluations]
    for run in ended:
        show_run(console, run)
    for evaluation in scored:
        show_evaluation(console, evaluation)


def _watch_run(client: Client, progress: Progress, run: Run) -> Run:
    bar = progress.add_task(f"{run.name} trains", total=None, figures=run.status)
    while run.status in BUSY:
        n_steps = run.effective.n_steps if run.effective else None
        progress.update(bar, total=n_steps, completed=run.last_step or 0, figures=_figures(run))
        time.sleep(0.15)
        run = client.runs.get(run.id)
    return run


def _figures(run: Run) -> str:
    if run.reading is None or run.reading.last_train_loss is None:
        return str(run.provider_status or run.status)
    valid = run.reading.last_valid_loss
    shown = f"step {run.last_step}  training loss {run.reading.last_train_loss:.3f}"
    return f"{shown}  validation loss {valid:.3f}" if valid is not None else shown


def _watch_evaluation(client: Client, progress: Progress, evaluation: Evaluation) -> Evaluation:
    bar = progress.add_task("evaluates", total=evaluation.n_items, figures="")
    while evaluation.status in BUSY:
        done = f"{evaluation.n_done}/{evaluation.n_items} items of {evaluation.model}"
        progress.update(bar, completed=evaluation.n_done, figures=done)
        time.sleep(0.15)
        evaluation = client.evaluations.get(evaluation.id)
    return evaluation
