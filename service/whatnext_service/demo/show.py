"""What the demo says."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from whatnext import Client
from whatnext.models import Answer, Evaluation, EvaluationComparison, HistoryRow, Run
from whatnext_service.demo.corpus import Corpus
from whatnext_service.demo.outcome import Outcome
from whatnext_service.demo.prepare import MAX_RUNS, Goal

EVIDENCE_SHOWN = 2
INDENT = " " * 20
SHORT_NAMES = {
    "learning_rate_multiplier": "LR",
    "n_epochs": "epochs",
    "base_model": "model",
    "dataset_version_id": "data",
}
SHORT = ("evaluate", "record_baseline")
"""Steps whose headline says it all."""


def show_goal(console: Console, corpus: Corpus, goal: Goal) -> None:
    """What the loop is about."""
    console.print(
        f"[bold]The goal[/]: name the standard library module a docstring is from ({corpus.n_modules} modules).\n"
        f"  training data   {goal.n_training} real docstrings, with {goal.n_duplicates} duplicates and "
        f"{goal.n_contradictions} contradictions as they come\n"
        f"  held-out suite  {goal.n_selection} others, to choose by; a sealed final test of {goal.n_final} more\n"
        f"  trainer         a sandbox that speaks OpenAI's fine-tuning API and really trains; {MAX_RUNS} runs at most\n"
        "From here on this script only asks [bold]what next?[/] and sends the request that the answer names.\n"
    )


def show_answer(console: Console, number: int, answer: Answer) -> None:
    """One step: the advice in a line, and the evidence under it."""
    kind = answer.action.kind
    console.print(f"[bold cyan]{number:2d}  {escape(kind):<15}[/] [bold]{escape(answer.headline)}[/]")
    if kind in SHORT:
        return
    for evidence in answer.evidence[:EVIDENCE_SHOWN]:
        console.print(f"{INDENT}[dim]{escape(evidence.statement)}[/]")
    if answer.change is not None:
        expects = answer.change.expects
        if expects.effect is not None:
            console.print(
                f"{INDENT}[dim]expected: {expects.effect:+.2f} points "
                f"({expects.effect_low:+.2f} to {expects.effect_high:+.2f}), {answer.confidence.level} confidence[/]"
            )
    reading = answer.method_reading
    if reading is not None and not reading.agrees and reading.departure:
        console.print(f"{INDENT}[dim]the method's own rule: {escape(reading.headline)}[/]")
        console.print(f"{INDENT}[dim]why not: {escape(reading.departure)}[/]")


def show_run(console: Console, run: Run) -> None:
    """What became of a run."""
    reading = run.reading
    if run.status != "succeeded" or reading is None:
        console.print(f"{INDENT}{run.name} {run.status}: {escape(run.failure or 'no curve')}")
        return
    losses = f"training loss {reading.last_train_loss:.2f}, " if reading.last_train_loss is not None else ""
    if reading.best_valid_loss is not None and reading.last_valid_loss is not None:
        losses += (
            f"validation loss {reading.last_valid_loss:.2f} at the end, {reading.best_valid_loss:.2f} at best "
            f"(step {reading.best_step} of {run.last_step})"
        )
    console.print(f"{INDENT}{run.name} trained: {losses}")


def show_evaluation(console: Console, evaluation: Evaluation) -> None:
    """What an evaluation gave."""
    if evaluation.combined is None:
        console.print(f"{INDENT}{evaluation.status}: {escape(evaluation.failure or '')}")
        return
    console.print(f"{INDENT}scores [bold]{evaluation.combined:.2f}[/] on {evaluation.n_scored} items")


def show_result(client: Client, console: Console, outcome: Outcome, took_s: float, data_dir: Path) -> bool:
    """The experiment table, the final test, and whether following the advice was worth it."""
    history = client.loops.history(outcome.goal.slug)
    console.print()
    console.print(_table(list(history.rows)))
    good = outcome.kind == "ship" and _show_worth(client, console, outcome)
    console.print(f"\n{outcome.n_steps} steps in {took_s:.0f} s. Everything is kept in {data_dir.resolve()}.")
    console.print(
        "How to go on:\n"
        "  make serve                     keep the service running, and see how to ask it\n"
        f"  .venv/bin/whatnext history {outcome.goal.slug}   with the two variables that `make serve` prints\n"
        "  README.md                      your own loop in five lines"
    )
    if not good:
        console.print(f"[bold red]The advice did not prove itself: {escape(outcome.headline)}[/]")
    return good


def _table(rows: list[HistoryRow]) -> Table:
    table = Table(title="The experiments", title_justify="left", title_style="bold")
    for name in ("Run", "Base model", "Dataset", "Epochs", "LR", "Batch", "Best val_loss", "Combined eval", "Changed"):
        table.add_column(name)
    for row in rows:
        changed = ", ".join(
            f"{SHORT_NAMES.get(each.variable, each.variable)} {each.from_value} to {each.to_value}"
            for each in row.changed
        )
        table.add_row(
            row.run,
            row.base_model,
            row.dataset,
            str(row.n_epochs or "auto"),
            f"{row.learning_rate_multiplier:g}" if row.learning_rate_multiplier else "auto",
            str(row.batch_size or "default"),
            f"{row.best_valid_loss:.3f}" if row.best_valid_loss is not None else "-",
            f"{row.combined:.2f}" if row.combined is not None else "-",
            f"{row.parent}: {changed or 'repeat'}" if row.parent else "first run",
        )
    return table


def _show_worth(client: Client, console: Console, outcome: Outcome) -> bool:
    """The shipped model against the untuned one on the sealed test, and against the first run on the held-out suite."""
    slug = outcome.goal.slug
    [deployment] = list(client.deployments.list(loop_id=[slug]))
    shipped = client.runs.get(deployment.run_id)
    suites = {suite.role: suite.id for suite in client.eval_suites.list(loop_id=slug)}
    scored = [each for each in client.evaluations.list(loop_id=[slug], limit=100) if each.status == "succeeded"]
    baseline_id = client.loops.get(slug).baseline_evaluation_id
    baseline = next(each for each in scored if each.id == baseline_id)

    def on(suite_id: str, run_id: str) -> Evaluation | None:
        found = [each for each in scored if each.suite_id == suite_id and each.run_id == run_id]
        return max(found, key=lambda each: each.combined or 0.0, default=None)

    first_run = next(run for run in client.runs.list(loop_id=[slug], limit=100) if run.number == 1)
    final = on(suites["final_test"], shipped.id)
    untuned_final = next(
        (each for each in scored if each.suite_id == suites["final_test"] and each.subject == "base_model"), None
    )
    chosen, first = on(suites["selection"], shipped.id), on(suites["selection"], first_run.id)
    good = True
    for label, candidate, reference in (
        ("final test, against the untuned model", final, untuned_final),
        ("held-out suite, against the untuned model", chosen, baseline),
        (f"held-out suite, against the first run ({first_run.name})", chosen, first),
    ):
        if candidate is None or reference is None:
            console.print(f"  {label}: [red]not measured[/]")
            good = False
            continue
        result = client.evaluations.compare(candidate.id, against=reference.id)
        console.print(f"  {label}: {_worth(candidate, reference, result)}")
        good = good and result.verdict == "improved"
    return good


def _worth(candidate: Evaluation, reference: Evaluation, result: EvaluationComparison) -> str:
    colour = "green" if result.verdict == "improved" else "red"
    return (
        f"{reference.combined:.2f} to [bold]{candidate.combined:.2f}[/], [{colour}]{result.verdict} by "
        f"{result.difference:+.2f}[/] (95 % interval {result.low:+.2f} to {result.high:+.2f}, {result.n_pairs} items)"
    )
