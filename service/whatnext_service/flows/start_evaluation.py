"""Start an evaluation by the service, or register one measured elsewhere."""

import math

import msgspec

from whatnext_service.contract.evaluations import DimensionScore, EvalSuite, Evaluation, NewEvaluation
from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.registered import check_registered
from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.evaluate import close_evaluation
from whatnext_service.store import evaluations, recommendations, suites


async def start_evaluation(tx: Tx, new: NewEvaluation) -> tuple[Evaluation, bool]:
    """Record the evaluation; the service's own is then run by a job. Returns it, and whether it is new.

    The same subject is not evaluated twice at once: a second request gets the open evaluation.
    """
    loop = await look_up.lock_loop(tx, new.loop_id, "/loop_id")
    suite = await look_up.find_suite(tx, new.suite_id, "/suite_id")
    if suite.loop_id != loop.id:
        raise _invalid("/suite_id", "belongs to another loop")
    subject = await _subject(tx, loop.id, new)
    evaluation = Evaluation(
        id=tx.new_id("eval"),
        loop_id=loop.id,
        suite_id=suite.id,
        fingerprint=suite.fingerprint,
        subject=new.subject,
        base_model=subject.base_model,
        run_id=subject.run_id,
        checkpoint_id=subject.checkpoint_id,
        origin="registered" if new.items else "service",
        provider=subject.provider,
        model=subject.model,
        status="pending",
        combined=None,
        dimensions=(),
        n_items=suite.n_items,
        n_done=0,
        n_scored=0,
        prompt_tokens=None,
        completion_tokens=None,
        completion_tokens_mean=None,
        recommendation_id=new.recommendation_id,
        failure=None,
        version=1,
        created_at=tx.now,
        started_at=None,
        finished_at=None,
        updated_at=tx.now,
    )
    if new.items is None:
        if open_one := await evaluations.same_subject(tx.conn, evaluation):
            return open_one, False
        _check_served(tx, subject)
    await evaluations.insert_evaluation(tx.conn, tx.workspace_id, evaluation)
    await suites.count_look(tx.conn, suite.id)
    if new.items is None:
        await tx.defer("evaluate", evaluation.id)
    else:
        await _register(tx, suite, evaluation, new)
    if new.recommendation_id:
        await look_up.find_advice(tx, new.recommendation_id, loop.id)
        await recommendations.carried_out(tx.conn, tx.workspace_id, new.recommendation_id, evaluation.id, tx.now)
    tx.loop_moved(loop.id)
    tx.tell("evaluation.created", evaluation.id, 1, loop_id=loop.id)
    return await look_up.find_evaluation(tx, evaluation.id), True


class _Subject(msgspec.Struct, kw_only=True, frozen=True):
    base_model: str | None = None
    run_id: str | None = None
    checkpoint_id: str | None = None
    provider: str | None = None
    model: str | None = None


async def _subject(tx: Tx, loop_id: str, new: NewEvaluation) -> _Subject:
    """What is to be evaluated: exactly the field that the subject names, and where it is served."""
    field = "base_model" if new.subject == "base_model" else f"{new.subject}_id"
    for name in ("base_model", "run_id", "checkpoint_id"):
        if (getattr(new, name) is not None) != (name == field):
            fault = "is needed" if name == field else f"does not go with subject {new.subject}"
            raise _invalid(f"/{name}", fault)
    if new.base_model is not None:
        provider = new.provider or tx.services.default_provider
        return _Subject(base_model=new.base_model, provider=provider, model=new.base_model)
    if new.run_id is not None:
        run = await look_up.find_run(tx, new.run_id, "/run_id")
        subject = _Subject(run_id=run.id, provider=run.provider, model=run.model)
    else:
        checkpoint = await look_up.find_checkpoint(tx, str(new.checkpoint_id), "/checkpoint_id")
        run = await look_up.find_run(tx, checkpoint.run_id)
        if new.items is None and not checkpoint.deployable:
            raise _invalid("/checkpoint_id", "is no longer kept by the provider")
        subject = _Subject(run_id=run.id, checkpoint_id=checkpoint.id, provider=run.provider, model=checkpoint.model)
    if run.loop_id != loop_id:
        raise _invalid(f"/{field}", "belongs to another loop")
    return subject


def _check_served(tx: Tx, subject: _Subject) -> None:
    if subject.provider not in tx.services.providers:
        raise DomainError(
            "provider_not_configured",
            f"The service cannot reach models of {subject.provider!r}; register the result with items instead.",
        )
    if subject.model is None:
        raise DomainError("not_served", "The subject has no served model yet: wait until its run has succeeded.")


async def _register(tx: Tx, suite: EvalSuite, evaluation: Evaluation, new: NewEvaluation) -> None:
    items = new.items or ()
    check_registered(
        tuple(item.index for item in items),
        tuple(item.score for item in items),
        suite.n_items,
        suite.scale.min,
        suite.scale.max,
    )
    scores: list[float | None] = [None] * suite.n_items
    for item in items:
        scores[item.index] = item.score
        one = evaluations.ItemResult(
            idx=item.index,
            output=item.output,
            scores={"combined": item.score},
            combined=item.score,
            prompt_tokens=None,
            completion_tokens=item.completion_tokens,
            error=None,
        )
        await evaluations.finish_item(tx.conn, evaluation.id, one, tx.now)
    known = [score for score in scores if score is not None]
    tokens = [item.completion_tokens for item in items if item.completion_tokens is not None]
    combined = math.fsum(known) / len(known) if known else None
    result = evaluations.EvaluationResult(
        status="succeeded" if known else "failed",
        combined=combined,
        n_done=len(items),
        n_scored=len(known),
        scores=pack_scores(scores),
        dimensions=(DimensionScore(name="combined", weight=1.0, mean=combined, n_scored=len(known)),),
        prompt_tokens=None,
        completion_tokens=sum(tokens) if tokens else None,
        completion_tokens_mean=sum(tokens) / len(tokens) if tokens else None,
        failure=None if known else "No item has a score.",
    )
    await close_evaluation(tx, evaluation.id, result)


def _invalid(pointer: str, message: str) -> DomainError:
    return DomainError(
        "invalid_evaluation", f"{pointer} {message}.", errors=(FieldError(pointer=pointer, message=message),)
    )
