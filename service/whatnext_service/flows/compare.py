"""Compare two evaluations of one suite, and what stands beside their scores."""

import msgspec

from whatnext_service.contract.evaluations import EvalSuite, Evaluation
from whatnext_service.contract.judging import EvaluationComparison, MissingItem, TokensBeside
from whatnext_service.core.compare import Comparison, compare
from whatnext_service.core.credit import Attribution, attribute
from whatnext_service.core.evaluations import pack_scores, unpack_scores
from whatnext_service.core.guardrails import Guardrail, GuardrailReading, read_guardrail
from whatnext_service.core.loops import Direction
from whatnext_service.core.noise_floor import Noise, n_trained
from whatnext_service.core.scoreboard import Scoreboard, read_scoreboard
from whatnext_service.core.slices import compare_slices
from whatnext_service.core.suites import MEASURED
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.store import evaluation_items, evaluations, state, suites
from whatnext_service.store.evaluation_items import StoredItem

MAX_MISSING = 100
"""Items without a score that are named."""


async def compare_evaluations(
    tx: Tx, evaluation_id: str, against_id: str, n_comparisons: int = 1
) -> EvaluationComparison:
    """The paired difference of two evaluations; another suite, grader or judge is `not_comparable`."""
    candidate = await look_up.find_evaluation(tx, evaluation_id)
    reference = await look_up.find_evaluation(tx, against_id)
    suite = await look_up.find_suite(tx, candidate.suite_id)
    loop = await look_up.find_loop(tx, candidate.loop_id)
    left = await evaluations.item_scores(tx.conn, candidate.id)
    right = await evaluations.item_scores(tx.conn, reference.id)
    clusters = await suites.clusters_of(tx.conn, suite.id)
    same = candidate.fingerprint == reference.fingerprint
    direction = loop.metric.direction
    run_ids = [each.run_id for each in (candidate, reference) if each.run_id is not None]
    board = await _board(tx, loop.id, run_ids) if run_ids else None
    whole = compare(
        left,
        right,
        scale_min=suite.scale.min,
        scale_max=suite.scale.max,
        direction=direction,
        clusters=clusters if left else None,
        n_comparisons=n_comparisons,
        same_instrument=same,
        noise=Noise(
            training=None if board is None else board.training_noise,
            n_trained=n_trained(candidate.run_id, reference.run_id),
            regrade_sd=suite.regrade_sd,
            gradings=(candidate.n_gradings, reference.n_gradings),
        ),
    )
    credit = None if board is None else _credit(board, candidate.run_id, reference.run_id)
    if whole.verdict == "not_comparable" or not left:
        return _beside(whole, credit)
    tags = await suites.item_tags(tx.conn, suite.id)
    items = [await evaluation_items.item_results(tx.conn, each.id) for each in (candidate, reference)]
    return msgspec.structs.replace(
        _beside(whole, credit),
        slices=compare_slices(
            left,
            right,
            tags,
            scale_min=suite.scale.min,
            scale_max=suite.scale.max,
            direction=direction,
            clusters=clusters,
        ),
        guardrails=_guardrails(suite, direction, clusters, items[0], items[1]),
        completion_tokens=_tokens(candidate, reference),
        missing=await _missing(tx, left, right, candidate, reference),
    )


async def _board(tx: Tx, loop_id: str, run_ids: list[str]) -> Scoreboard:
    return read_scoreboard(await state.load_around(tx.conn, loop_id, run_ids, tx.services.catalogue))


def _credit(board: Scoreboard, run_id: str | None, reference_id: str | None) -> Attribution | None:
    runs = {run.id: run for run in board.state.runs if run.id in (run_id, reference_id)}
    return attribute(runs[str(run_id)], runs[str(reference_id)]) if len(runs) == 2 else None


def _beside(whole: Comparison, credit: Attribution | None) -> EvaluationComparison:
    fields = {name: getattr(whole, name) for name in whole.__struct_fields__}
    nothing = TokensBeside(candidate_mean=None, reference_mean=None, ratio=None)
    return EvaluationComparison(
        **fields, slices=(), guardrails=(), completion_tokens=nothing, missing=(), attribution=credit
    )


def _guardrails(
    suite: EvalSuite,
    direction: Direction,
    clusters: tuple[int, ...] | None,
    candidate: tuple[StoredItem, ...],
    reference: tuple[StoredItem, ...],
) -> tuple[GuardrailReading, ...]:
    return tuple(
        read_guardrail(
            Guardrail(
                name=each.name,
                direction="down" if each.name in MEASURED else direction,
                tolerance=each.tolerance,
            ),
            _column(each.name, suite.n_items, candidate),
            _column(each.name, suite.n_items, reference),
            clusters=clusters,
        )
        for each in suite.guardrails
    )


def _column(name: str, n_items: int, items: tuple[StoredItem, ...]) -> bytes:
    """One measured value or one dimension of every item."""
    values: list[float | None] = [None] * n_items
    for item in items:
        if name == "completion_tokens":
            values[item.idx] = item.completion_tokens
        elif name == "latency_s":
            values[item.idx] = item.latency_s
        else:
            values[item.idx] = item.scores.get(name)
    return pack_scores(values)


def _tokens(candidate: Evaluation, reference: Evaluation) -> TokensBeside:
    left, right = candidate.completion_tokens_mean, reference.completion_tokens_mean
    ratio = round(left / right, 9) if left is not None and right else None
    return TokensBeside(candidate_mean=left, reference_mean=right, ratio=ratio)


async def _missing(
    tx: Tx, left: bytes, right: bytes, candidate: Evaluation, reference: Evaluation
) -> tuple[MissingItem, ...]:
    pairs = zip(unpack_scores(left), unpack_scores(right), strict=True)
    places = [place for place, (one, other) in enumerate(pairs) if one is None or other is None]
    return await evaluation_items.lacking(tx.conn, places[:MAX_MISSING], candidate.id, reference.id)
