"""What the quality report justifies: operations for what a call can mend, and the rest for a person."""

from collections.abc import Sequence

import msgspec
import pytest
from tests.core.loop_states import a_config, a_loop, a_reading, a_run, a_state, a_version, an_evaluation

from whatnext_service.core.advice import DeriveOperation
from whatnext_service.core.loops import Choices, Range
from whatnext_service.core.mending import mend
from whatnext_service.core.plan import what_next
from whatnext_service.core.state import DatasetVersion, Fault, LoopState, MissingType


def fault(code: str, n_rows: int, lines: Sequence[int] = (), **more: object) -> Fault:
    fields = {"verdict": "caution", "statement": f"{n_rows} rows.", "remedy": "Look.", "limit": None}
    fields |= {"operation": "drop_ids", **more}
    return Fault(code=code, n_rows=n_rows, lines=tuple(lines), **fields)  # type: ignore[arg-type]


def operations(version: DatasetVersion, *others: DatasetVersion) -> tuple[DeriveOperation, ...]:
    return mend(version, (*others, version)).operations


@pytest.mark.parametrize(
    ("changes", "operation"),
    [
        ({"n_contradictions": 4}, DeriveOperation(kind="fix_contradictions")),
        ({"n_duplicates": 4}, DeriveOperation(kind="drop_duplicates")),
        ({"faults": (fault("near_duplicates", 9),)}, DeriveOperation(kind="drop_duplicates", near=True)),
        ({"faults": (fault("judge", 9, limit=6.0),)}, DeriveOperation(kind="keep_by_score", min_judge_score=6.0)),
        *(
            ({"faults": (fault(code, 9),)}, DeriveOperation(kind="drop_ids", checks=(code,)))
            for code in ("leakage", "near_leakage", "row_length", "secrets", "personal_data", "answer_shape")
        ),
        ({"faults": (fault("label_errors", 20),)}, DeriveOperation(kind="drop_ids", checks=("label_errors",))),
    ],
)
def test_a_fault_has_its_operation(changes: dict[str, object], operation: DeriveOperation) -> None:
    assert operations(a_version(**changes)) == (operation,)


def test_bad_rows_go_first_then_contradictions_are_settled_then_repeats_go() -> None:
    faults = (fault("secrets", 1), fault("label_errors", 20), fault("near_duplicates", 5))
    found = mend(a_version(n_contradictions=6, n_duplicates=3, faults=faults), ())
    assert [operation.kind for operation in found.operations] == ["drop_ids", "fix_contradictions", "drop_duplicates"]
    assert found.operations[0].checks == ("secrets", "label_errors")
    assert found.n_left == 335 - 1 - 6 - 3 - 20 - 5


def test_labels_are_doubted_once_in_a_line_of_versions() -> None:
    first = a_version(1)
    pruned = a_version(2, derived_by=("drop_ids",), faults=(fault("label_errors", 20), fault("secrets", 2)))
    assert operations(pruned, first) == (DeriveOperation(kind="drop_ids", checks=("secrets",)),)
    enlarged = a_version(3, derived_by=("add_examples",), faults=(fault("label_errors", 20),))
    assert operations(enlarged, first, pruned) == (DeriveOperation(kind="drop_ids", checks=("label_errors",)),)


def test_labels_that_are_hard_to_tell_are_left_to_a_person() -> None:
    version = a_version(faults=(fault("label_errors", 20, operation=None),))
    assert operations(version) == ()
    assert "data_label_errors" in {warning.code for warning in what_next(a_state(versions=(version,))).warnings}


def test_what_a_person_must_settle_is_left_and_said() -> None:
    """A rule of judgement: much personal data may be what the data is about."""
    faults = (fault("personal_data", 100), fault("refusals", 30), fault("secrets", 2, [4, 9]))
    version = a_version(faults=faults)
    found = mend(version, (version,))
    assert {each.code for each in found.left_to_a_person} == {"personal_data", "refusals"}
    answer = what_next(a_state(versions=(version,)))
    assert answer.action.kind == "fix_data"
    assert answer.headline.endswith("v1 has 2 rows with keys or tokens.")
    (evidence,) = answer.evidence
    assert evidence.statement == "v1 has 2 rows with keys or tokens (lines 4, 9)"
    assert evidence.href == "/v1/dataset-versions/dsv_1/quality/rows?check=secrets"
    assert any("Left to you: 100 rows. Look." in told for told in answer.rationale)
    assert {"data_personal_data", "data_refusals"} <= {warning.code for warning in answer.warnings}


def test_no_fault_is_mended_that_leaves_too_few_examples() -> None:
    """method 6: below 50 examples fine-tuning is the wrong tool."""
    version = a_version(n_examples=60, n_duplicates=5, faults=(fault("near_duplicates", 30),))
    assert operations(version) == (DeriveOperation(kind="drop_duplicates"),)


def test_training_data_that_is_held_out_too_needs_other_rows() -> None:
    """method 4; what to send is said, and a person must choose."""
    version = a_version(n_examples=60, faults=(fault("leakage", 58, verdict="critical"),))
    answer = what_next(a_state(versions=(version,)))
    assert (answer.action.kind, answer.action.request) == ("fix_data", None)
    assert any("/v1/dataset-versions/dsv_1/derive" in told and '"split"' in told for told in answer.rationale)


def test_pairs_are_converted_where_only_answers_may_be_learnt() -> None:
    state = a_state(versions=(a_version(method="dpo"),), loop=a_loop(choices=Choices(methods=("sft",))))
    request = what_next(state).action.request
    assert request is not None
    assert request.body is not None
    assert request.body.operations == (DeriveOperation(kind="convert", method="sft"),)


FIXED = Choices(
    base_models=("gpt-4.1-mini",),
    methods=("sft",),
    learning_rate_multiplier=Range(min=1, max=1),
    n_epochs=Range(min=5, max=5),
    batch_size=Range(min=8, max=8),
)


def failing(score: float) -> LoopState:
    """A loop with nothing left to try; its best model fails on an input type that it was hardly taught."""
    evaluation = an_evaluation(score, run=1)
    state = a_state(
        runs=(a_run(1, a_config(n_epochs=5), reading=a_reading(), checkpoints=()),),
        evaluations=(evaluation,),
        loop=a_loop(choices=FIXED),
    )
    missing = MissingType(
        evaluation_id=evaluation.id, name="french", terms=("translate",), n_failed=6, n_training_rows=3
    )
    return msgspec.structs.replace(state, missing_types=(missing,))


def test_before_stopping_without_a_gain_missing_examples_are_asked_for() -> None:
    """method 6.1: missing input types, those the model fails on."""
    answer = what_next(failing(5.0))
    assert (answer.action.kind, answer.action.request) == ("fix_data", None)
    assert "`french`" in answer.headline
    assert any("write at least 7" in told and "translate" in told for told in answer.rationale)
    assert any("/v1/dataset-versions/dsv_1/derive" in told and "`add_examples`" in told for told in answer.rationale)
    assert [each.kind for each in answer.alternatives] == ["stop"]
    assert what_next(msgspec.structs.replace(failing(5.0), missing_types=())).action.kind == "stop"


def test_a_better_model_is_not_held_back_by_missing_examples() -> None:
    answer = what_next(failing(8.0))
    assert answer.action.kind != "fix_data"
    assert "fix_data" in [each.kind for each in answer.alternatives]
