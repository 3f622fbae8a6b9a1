"""The gates that mend the training data: by a call where one does it, else by saying what a person must provide."""

import msgspec

from whatnext_service.core.advice import Confidence, DeriveOperation, Request, RequestBody
from whatnext_service.core.diversity import FEW_EXAMPLES
from whatnext_service.core.draft import Draft, call, draft, measured
from whatnext_service.core.first_run import first_config
from whatnext_service.core.gains import arm_name
from whatnext_service.core.incumbent import Standing
from whatnext_service.core.mending import Mending, by_hand, mend
from whatnext_service.core.method_advice import FEWEST_EXAMPLES
from whatnext_service.core.scoreboard import Scoreboard
from whatnext_service.core.state import DatasetVersion
from whatnext_service.core.versions import data_moves, find_version

MAX_TYPES = 5
"""Types of input that the advice names; all of them are in the evaluation's failures."""
MAX_LEFT = 3
"""Faults left to a person that the advice names; the loop's warnings name all."""
CERTAIN_FAULTS = {"contradictions", "exact_duplicates", "leakage", "row_length"}
HOLD_OUT = [{"name": "train", "share": 0.8}, {"name": "eval", "share": 0.2}]


def data_quality_gate(board: Scoreboard) -> tuple[Draft, ...]:
    """What is known to be wrong with the data is mended before the first run: data quality first (method 6.1)."""
    config = first_config(board)
    if board.state.runs or config is None:
        return ()
    return fix_data(next(each for each in board.versions if each.id == config.dataset_version_id), board.versions)


def running_data_gate(board: Scoreboard, best: Standing) -> tuple[Draft, ...]:
    """The best run was trained on rows known to be faulty, and nobody has cleaned them yet (method 6.1)."""
    version = find_version(board.versions, best.trial.run.config.dataset_version_id)
    if version is None or any(move.lever != "enlarge" for move in data_moves(version, board.versions)):
        return ()
    return fix_data(version, board.versions)


def fix_data(version: DatasetVersion, versions: tuple[DatasetVersion, ...]) -> tuple[Draft, ...]:
    """Derive a version without the faults that this one is known to have (`mend`)."""
    mending = mend(version, versions)
    if not mending.operations:
        return _hold_out_others(version, mending)
    told = [each.told for each in mending.mended]
    named = f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else told[0]
    return (
        draft(
            kind="fix_data",
            phase="setup",
            headline=f"Clean the training data first: {version.name} has {named}.",
            rationale=(
                "Data quality is the largest lever: cleaning gained 0.34 to 0.76 points whatever the curve said "
                "(method 6.1, evidence 8).",
                f"At least {mending.n_left} of {version.n_examples} examples remain.",
                *(f"Left to you: {by_hand(fault)}" for fault in mending.left_to_a_person[:MAX_LEFT]),
            ),
            confidence=Confidence(
                level="high" if {each.code for each in mending.mended} <= CERTAIN_FAULTS else "medium",
                basis="The rows were compared by content.",
                would_raise_it="A look at the rows in the version's quality report.",
            ),
            evidence=tuple(
                msgspec.structs.replace(
                    measured(each.code, each.statement, each.n_rows, 0, "dataset_version", version.id),
                    href=f"/v1/dataset-versions/{version.id}/quality/rows?check={each.code}",
                )
                for each in mending.mended
            ),
            subject_id=version.id,
            request=derive_call(version, *mending.operations),
        ),
    )


def _hold_out_others(version: DatasetVersion, mending: Mending) -> tuple[Draft, ...]:
    """Training data that is nearly all held out as well cannot be mended by dropping rows (method 4)."""
    leaked = next((fault for fault in mending.left_to_a_person if fault.code == "leakage"), None)
    if leaked is None:
        return ()
    split = msgspec.json.encode({"operations": [{"kind": "split", "parts": HOLD_OUT}]}).decode()
    return (
        draft(
            kind="fix_data",
            phase="setup",
            headline=f"Hold out other rows: {leaked.n_rows} of {version.n_examples} rows of {version.name} are in a "
            "held-out set too.",
            rationale=(
                f"{leaked.statement} Without those rows fewer than {FEWEST_EXAMPLES} examples remain (method 4, 6).",
                f"Either upload more training data, or split this: POST /v1/dataset-versions/{version.id}/derive with "
                f"{split}; then give the loop the dataset of the part `train` (PATCH /v1/loops), and make a new suite "
                "and validation file from the part `eval`.",
            ),
            subject_id=version.id,
        ),
    )


def missing_types_gate(board: Scoreboard, best: Standing | None) -> tuple[Draft, ...]:
    """Examples of the input types that the best model fails on and has hardly been taught (method 6.1)."""
    if best is None:
        return ()
    evaluation = best.arm.evaluation
    lacking = [each for each in board.state.missing_types if each.evaluation_id == evaluation.id][:MAX_TYPES]
    version = find_version(board.versions, best.trial.run.config.dataset_version_id)
    if not lacking or version is None:
        return ()
    names = ", ".join(f"`{each.name}`" for each in lacking)
    return (
        draft(
            kind="fix_data",
            phase="plan",
            headline=f"Add examples of what {arm_name(best.arm)} fails on and {version.name} hardly has: {names}.",
            rationale=(
                *(
                    f"`{each.name}`: {each.n_failed} items fail, and {each.n_training_rows} training rows are like "
                    "them; "
                    f"write at least {FEW_EXAMPLES - each.n_training_rows} with words such as {', '.join(each.terms)}."
                    for each in lacking
                ),
                f"Send them to POST /v1/dataset-versions/{version.id}/derive as the `examples` of an operation "
                "`add_examples`: rows as those of the version, with the answers you want.",
            ),
            confidence=Confidence(
                level="medium",
                basis="Failing items and training rows were compared by their words.",
                would_raise_it="Tags on the suite's items.",
            ),
            evidence=tuple(
                msgspec.structs.replace(
                    measured(
                        "missing_type",
                        f"{each.n_training_rows} training rows are like the failing items of `{each.name}`",
                        each.n_training_rows,
                        FEW_EXAMPLES,
                        "evaluation",
                        evaluation.id,
                    ),
                    href=f"/v1/evaluations/{evaluation.id}/failures",
                )
                for each in lacking
            ),
            subject_id=version.id,
            why_not="Nothing in the evidence measures what it gains.",
        ),
    )


def derive_call(version: DatasetVersion, *operations: DeriveOperation) -> Request:
    """The call that makes a version from this one."""
    return call("POST", f"/v1/dataset-versions/{version.id}/derive", RequestBody(operations=operations))
