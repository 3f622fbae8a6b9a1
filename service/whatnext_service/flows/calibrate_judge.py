"""Check a suite's judge: against hand grades, on anchors, for what a threshold passes, and beside another grader."""

from collections.abc import Sequence

from whatnext_service.contract.common import Page
from whatnext_service.contract.evaluations import EvalSuite, Evaluation
from whatnext_service.contract.judging import HandGrade, JudgeCalibration, NewCalibration
from whatnext_service.core.evaluations import pack_scores, unpack_scores
from whatnext_service.core.judge_calibration import (
    DriftReading,
    PassReading,
    calibrate,
    read_drift,
    read_pass_threshold,
)
from whatnext_service.core.rank_agreement import RankAgreement, rank_agreement
from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.store import evaluation_items, evaluations, suites


async def calibrate_judge(tx: Tx, suite_id: str, new: NewCalibration) -> JudgeCalibration:
    """Compare hand grades with the suite's own scores of the same stored answers, and keep what came of it."""
    suite = await look_up.find_suite(tx, suite_id)
    if new.dimension is not None and new.dimension not in {each.name for each in suite.graders}:
        raise _refused([FieldError(pointer="/dimension", message="is no grader of the suite")])
    known = {
        each: await _scores(tx, suite, each, new.dimension)
        for each in dict.fromkeys(grade.evaluation_id for grade in new.grades)
    }
    _check_grades(suite, new.grades, known)
    reading = calibrate(
        pack_scores(known[each.evaluation_id][each.index] for each in new.grades),
        pack_scores(each.score for each in new.grades),
        scale_min=suite.scale.min,
        scale_max=suite.scale.max,
    )
    calibration = JudgeCalibration(
        id=tx.new_id("cal"),
        suite_id=suite.id,
        dimension=new.dimension,
        n_grades=len(new.grades),
        reading=reading,
        created_at=tx.now,
    )
    await suites.insert_calibration(tx.conn, tx.workspace_id, calibration, new.grades)
    return calibration


async def list_calibrations(tx: Tx, suite_id: str, cursor: str | None, limit: int) -> Page[JudgeCalibration]:
    """The suite's calibrations, newest first."""
    suite = await look_up.find_suite(tx, suite_id)
    return await suites.list_calibrations(tx.conn, suite.id, cursor, limit)


async def judge_drift(tx: Tx, evaluation_id: str) -> DriftReading:
    """Whether the judge still grades as it did: an evaluation that graded another's answers again, beside that one."""
    now = await look_up.find_evaluation(tx, evaluation_id)
    then = await look_up.find_evaluation(tx, now.regrade_of) if now.regrade_of else None
    if then is None or then.fingerprint != now.fingerprint or not {now.status, then.status} <= {"succeeded"}:
        raise DomainError(
            "not_a_regrading", "Drift is read from a finished evaluation that graded the same answers with its suite."
        )
    suite = await look_up.find_suite(tx, now.suite_id)
    loop = await look_up.find_loop(tx, now.loop_id)
    before = unpack_scores(await evaluations.item_scores(tx.conn, then.id))
    after = unpack_scores(await evaluations.item_scores(tx.conn, now.id))
    graded = await evaluation_items.item_results(tx.conn, now.id)
    anchors = [item.idx for item in graded]
    return read_drift(
        pack_scores(before[place] for place in anchors),
        pack_scores(after[place] for place in anchors),
        scale_min=suite.scale.min,
        scale_max=suite.scale.max,
        margin=loop.rules.min_gain,
    )


async def pass_threshold(tx: Tx, evaluation_id: str, threshold: float) -> PassReading:
    """What a pass threshold, on the suite's scale, would do to an evaluation's answers."""
    evaluation = await look_up.find_evaluation(tx, evaluation_id)
    return read_pass_threshold(await evaluations.item_scores(tx.conn, evaluation.id), threshold)


async def graders_agree(tx: Tx, evaluation_id: str, against_id: str) -> RankAgreement:
    """Whether two instruments rank the same answers alike, such as a training grader and the suite's."""
    left = await look_up.find_evaluation(tx, evaluation_id)
    right = await look_up.find_evaluation(tx, against_id)
    if _answers_of(left) != _answers_of(right):
        raise DomainError("not_a_regrading", "The two evaluations did not grade the same stored answers.")
    return rank_agreement(
        await evaluations.item_scores(tx.conn, left.id), await evaluations.item_scores(tx.conn, right.id)
    )


def _answers_of(evaluation: Evaluation) -> str:
    return evaluation.regrade_of or evaluation.id


async def _scores(tx: Tx, suite: EvalSuite, evaluation_id: str, dimension: str | None) -> dict[int, float | None]:
    evaluation = await look_up.find_evaluation(tx, evaluation_id, "/grades")
    if evaluation.fingerprint != suite.fingerprint:
        raise _refused([FieldError(pointer="/grades", message=f"{evaluation_id} was not graded by this suite")])
    if dimension is not None:
        return await evaluation_items.dimension_scores(tx.conn, evaluation.id, dimension)
    return dict(enumerate(unpack_scores(await evaluations.item_scores(tx.conn, evaluation.id))))


def _check_grades(suite: EvalSuite, grades: Sequence[HandGrade], known: dict[str, dict[int, float | None]]) -> None:
    faults: list[FieldError] = []
    seen: set[tuple[str, int]] = set()
    for place, grade in enumerate(grades):
        at = f"/grades/{place}"
        if not suite.scale.min <= grade.score <= suite.scale.max:
            faults.append(FieldError(pointer=f"{at}/score", message="lies outside the suite's scale"))
        if known[grade.evaluation_id].get(grade.index) is None:
            faults.append(FieldError(pointer=f"{at}/index", message="names an item that the suite gave no score"))
        if (grade.evaluation_id, grade.index) in seen:
            faults.append(FieldError(pointer=at, message="grades an answer for the second time"))
        seen.add((grade.evaluation_id, grade.index))
    if faults:
        raise _refused(faults)


def _refused(faults: Sequence[FieldError]) -> DomainError:
    detail = "; ".join(f"{each.pointer} {each.message}" for each in faults[:5])
    return DomainError("invalid_calibration", f"{detail}.", errors=tuple(faults[:100]))
