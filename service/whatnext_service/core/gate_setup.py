"""The gates before the first run: data to train on, a suite to judge with, a baseline to beat."""

from whatnext_service.core.advice import Confidence, DeriveOperation, RequestBody
from whatnext_service.core.draft import Draft, call, draft, measured
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.first_run import first_config, usable_versions
from whatnext_service.core.gate_data import derive_call
from whatnext_service.core.method_advice import FEWEST_EXAMPLES, GOOD_ALREADY
from whatnext_service.core.ranges import allowed_methods
from whatnext_service.core.scoreboard import Scoreboard
from whatnext_service.core.state import DatasetVersion


def dataset_gate(board: Scoreboard) -> tuple[Draft, ...]:
    """Without a training dataset there is nothing to train on, nor with one for methods the loop may not use."""
    if board.state.runs or usable_versions(board):
        return ()
    if board.versions:
        return (_reformat(board, board.versions[-1]),)
    return (
        draft(
            kind="attach_dataset",
            phase="setup",
            headline="Attach a training dataset: upload a version of it as JSONL.",
            rationale=("The loop has no training data yet (method 1).",),
        ),
    )


def unknown_data_gate(board: Scoreboard) -> tuple[Draft, ...]:
    """Runs were reported, but not what they trained on."""
    return (
        draft(
            kind="attach_dataset",
            phase="plan",
            headline="Attach the training data: without it no change can be advised.",
            rationale=(
                "Data is the strongest lever (method 6.1), and the loop knows of its runs only how they went.",
                "Upload what the runs were trained on as a version of the loop's dataset.",
            ),
        ),
    )


def _reformat(board: Scoreboard, version: DatasetVersion) -> Draft:
    """Preferred outputs of preference pairs are answers to learn; no other conversion is sure to succeed."""
    methods = ", ".join(allowed_methods(board.state))
    why = f"The loop may train by {methods} only, and no version has that format."
    if version.method == "dpo" and "sft" in allowed_methods(board.state):
        return draft(
            kind="fix_data",
            phase="setup",
            headline=f"Convert {version.name} to sft: the preferred output of each pair becomes the answer.",
            rationale=(why,),
            subject_id=version.id,
            request=derive_call(version, DeriveOperation(kind="convert", method="sft")),
        )
    return draft(
        kind="attach_dataset",
        phase="setup",
        headline=f"Upload a version of the training data that is formatted for {methods}.",
        rationale=(
            why,
            f"Where the rows of {version.name} have what the format needs, derive one with `convert`: to rft answers "
            "become the field `reference_answer`, from rft to sft the field named in `answer_field` becomes the "
            "answer; dpo needs a worse answer for each row, which only you can give.",
        ),
    )


def wrong_tool_gate(board: Scoreboard) -> tuple[Draft, ...]:
    """Do not fine-tune below 50 examples, or when the untuned model already scores above 9.0 of 10 (method 6)."""
    if board.state.runs:
        return ()
    found: list[Draft] = []
    largest = max(board.versions, key=lambda version: version.n_examples)
    if largest.n_examples < FEWEST_EXAMPLES:
        found.append(
            draft(
                kind="do_not_fine_tune",
                phase="setup",
                headline=f"Do not fine-tune yet: {largest.n_examples} examples are fewer than {FEWEST_EXAMPLES}.",
                rationale=(
                    f"The largest version, {largest.name}, has {largest.n_examples} examples; below {FEWEST_EXAMPLES} "
                    "fine-tuning is the wrong tool unless more can be had (method 6).",
                    "Collect more examples and upload a new version, or decline this to go on regardless.",
                ),
                evidence=(
                    measured(
                        "n_examples",
                        f"{largest.name} has {largest.n_examples} examples",
                        largest.n_examples,
                        FEWEST_EXAMPLES,
                        "dataset_version",
                        largest.id,
                    ),
                ),
                subject_id=largest.id,
            )
        )
    if (baseline := board.baseline) is not None and baseline.combined is not None:
        metric, target = board.state.loop.metric, board.state.loop.rules.target
        share = (baseline.combined - metric.scale_min) / (metric.scale_max - metric.scale_min)
        share = share if metric.direction == "up" else 1.0 - share
        limit = (GOOD_ALREADY - 1.0) / 9.0
        below_target = target is not None and board.sign * (target - baseline.combined) > 0
        if share > limit and not below_target:
            found.append(
                draft(
                    kind="do_not_fine_tune",
                    phase="baseline",
                    headline=f"Do not fine-tune: the untuned model already scores {baseline.combined:.2f}.",
                    rationale=(
                        f"A base model above {GOOD_ALREADY:g} of 10 leaves too little to gain (method 6).",
                        "Set a target above the baseline, use a harder suite, or decline this to go on regardless.",
                    ),
                    confidence=Confidence(
                        level="medium",
                        basis=f"The baseline rests on {baseline.n_scored} scored items.",
                        would_raise_it="More, or harder, items in the selection suite.",
                    ),
                    evidence=(
                        measured(
                            "baseline_score",
                            f"the untuned model scores {baseline.combined:.2f}",
                            baseline.combined,
                            round(metric.scale_min + limit * (metric.scale_max - metric.scale_min), 4),
                            "evaluation",
                            baseline.id,
                        ),
                    ),
                    subject_id=baseline.id,
                )
            )
    return tuple(found)


def baseline_gate(board: Scoreboard) -> tuple[Draft, ...]:
    """No baseline, no advice except to establish it (method 4): same suite, same graders, the untuned model."""
    state = board.state
    if board.baseline is not None:
        return ()
    if board.suite is None:
        return (
            draft(
                kind="record_baseline",
                phase="baseline",
                headline="Create a selection suite: held-out items and the graders that score them.",
                rationale=(
                    "Without a held-out suite nothing can be compared (method 4).",
                    "Give POST /v1/eval-suites the version of 30 to 100 items that are not trained on, and graders or "
                    "none for the default judge. Without such items `split` training data by `derive`: no prompt is "
                    "then in two parts.",
                ),
            ),
        )
    named = state.baseline_id is not None
    why = (
        "The named baseline was taken with another suite, graders or judge: a change of instrument starts a new "
        "comparison (method 4)."
        if named
        else "The untuned model is measured first, on the same held-out items with the same graders (method 4)."
    )
    candidate = board.baseline_candidate
    if candidate is not None:
        return (_name_baseline(board, candidate, why),)
    config = first_config(board)
    model = state.runs[0].config.base_model if state.runs else None if config is None else config.base_model
    if model is None:
        return ()
    return (
        draft(
            kind="record_baseline",
            phase="baseline",
            headline=f"Evaluate the untuned model {model} on the selection suite.",
            rationale=(why,),
            subject_id=board.suite.id,
            request=call(
                "POST",
                "/v1/evaluations",
                RequestBody(loop_id=state.loop.id, suite_id=board.suite.id, subject="base_model", base_model=model),
            ),
        ),
    )


def _name_baseline(board: Scoreboard, candidate: Evaluation, why: str) -> Draft:
    score = candidate.combined or 0.0
    return draft(
        kind="record_baseline",
        phase="baseline",
        headline=f"Name the evaluation of {candidate.base_model} as the baseline: {score:.2f}.",
        rationale=(why,),
        evidence=(
            measured(
                "baseline_score",
                f"{candidate.base_model} scores {score:.2f} untuned",
                score,
                None,
                "evaluation",
                candidate.id,
            ),
        ),
        subject_id=candidate.id,
        request=call("PUT", f"/v1/loops/{board.state.loop.id}/baseline", RequestBody(evaluation_id=candidate.id)),
    )
