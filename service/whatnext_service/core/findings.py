"""Findings beside the path of a diagnosis: what the data and the course of the loop show (method, sections 5 and 8)."""

from typing import Literal

import msgspec

from whatnext_service.core.advice import Severity
from whatnext_service.core.attribution import effective_difference
from whatnext_service.core.runs import Run
from whatnext_service.core.state import DatasetVersion, LoopState
from whatnext_service.core.training_types import wanted_examples

Kind = Literal["curve", "evaluation", "data", "process"]

CONTRADICTION_SHARE = 0.01
"""Share of contradicting rows from which they are a finding of their own and no accident: 1 in 100."""


class DiagnosisFinding(msgspec.Struct, kw_only=True, frozen=True):
    """One thing a run shows beside the tree, and what it suggests."""

    kind: Kind
    code: str
    severity: Severity
    statement: str
    suggestion: str
    value: float | None
    threshold: float | None
    source: str
    """The rule's source, such as `method 3`."""


def data_findings(version: DatasetVersion | None) -> tuple[DiagnosisFinding, ...]:
    """Contradictions, duplicates, suspect labels and numbers of examples out of range (method 6.1 and 6.4)."""
    if version is None:
        return ()
    found = []
    n = version.n_examples
    if version.n_contradictions:
        share = version.n_contradictions / max(1, n)
        found.append(
            _data(
                "contradictory_examples",
                "caution" if share >= CONTRADICTION_SHARE else "info",
                f"{version.n_contradictions} of {n} rows of {version.name} contradict another row with the same prompt",
                "settle or drop the contradicting rows",
                share,
                CONTRADICTION_SHARE,
                "method 6.1",
            )
        )
    if version.n_duplicates:
        told = f"{version.n_duplicates} of {n} rows of {version.name} repeat an earlier row"
        found.append(
            _data("duplicate_examples", "info", told, "drop the repeats", version.n_duplicates, 0, "evidence 4")
        )
    if version.n_label_suspects:
        told = f"{version.n_label_suspects} of {n} answers in {version.name} look wrong"
        suggestion = "read the suspects; correct or drop them"
        found.append(_data("suspect_labels", "caution", told, suggestion, version.n_label_suspects, 0, "method 6.1"))
    least, most = wanted_examples(version.method)
    wanted = f"{version.method.upper()} wants {least} to {most}"
    if n < least:
        told = f"{version.name} has {n} examples; {wanted}"
        found.append(_data("too_few_examples", "critical", told, "add diverse examples", n, least, "method 6.4"))
    elif n > most:
        told = f"{version.name} has {n} examples; {wanted}"
        suggestion = "keep the best: 300-500 excellent examples often beat 1,500 mediocre ones"
        found.append(_data("more_than_needed", "info", told, suggestion, n, most, "method 6.4"))
    return tuple(found)


def process_findings(state: LoopState, run: Run) -> tuple[DiagnosisFinding, ...]:
    """What the way the run came about takes from its result: confounding, hidden changes, changes that did not take."""
    found: list[DiagnosisFinding] = []
    parent = next((one for one in state.runs if one.id == run.parent_id), None)
    if parent is None:
        return ()
    difference = effective_difference(parent, run)
    if run.confounded_by:
        apart = difference.separating.statement if difference.separating else "No single run tells them apart."
        found.append(
            _process(
                "confounded_run",
                f"{run.name} changed {', '.join(run.confounded_by)} at once",
                f"attribute nothing to any one of them. {apart}",
                len(run.confounded_by),
                "method 1",
            )
        )
    if difference.variables and difference.hidden == ("seed",):
        found.append(
            _process(
                "seed_differs",
                f"{run.name} trained with another seed than {parent.name}: their difference carries re-training noise",
                difference.separating.statement if difference.separating else "repeat the run",
                1,
                "evidence 1, 3",
                severity="info",
            )
        )
    elif difference.hidden and difference.confounded:
        separate = difference.separating.statement if difference.separating else "no single run separates them"
        if difference.hidden == ("validation_sha256",):
            separate = "compare the two by their held-out scores, not by validation loss"
        found.append(
            _process(
                "hidden_change",
                f"{run.name} also differs from {parent.name} in {', '.join(difference.hidden)}, unasked",
                separate,
                len(difference.hidden),
                "evidence 3",
            )
        )
    if difference.not_taken:
        found.append(
            _process(
                "change_not_taken",
                f"{run.name} asked for other {', '.join(difference.not_taken)} and trained as {parent.name} did",
                "ask the provider which values it used; count the run as a repeat",
                len(difference.not_taken),
                "hazards f",
            )
        )
    return tuple(found)


def _data(
    code: str,
    severity: Severity,
    statement: str,
    suggestion: str,
    value: float,
    threshold: float,
    source: str,
) -> DiagnosisFinding:
    return DiagnosisFinding(
        kind="data",
        code=code,
        severity=severity,
        statement=statement,
        suggestion=suggestion,
        value=value,
        threshold=threshold,
        source=source,
    )


def _process(
    code: str, statement: str, suggestion: str, value: float, source: str, *, severity: Severity = "caution"
) -> DiagnosisFinding:
    return DiagnosisFinding(
        kind="process",
        code=code,
        severity=severity,
        statement=statement,
        suggestion=suggestion,
        value=value,
        threshold=None,
        source=source,
    )
