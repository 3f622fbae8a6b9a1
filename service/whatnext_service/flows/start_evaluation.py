"""Start an evaluation by the service, grade stored answers again, or register a result measured elsewhere."""

from decimal import Decimal

from whatnext_service.contract.evaluations import EvalSuite, Evaluation, NewEvaluation
from whatnext_service.contract.loops import Loop
from whatnext_service.core.evaluations import EvaluationOrigin
from whatnext_service.errors import DomainError
from whatnext_service.flows import look_up
from whatnext_service.flows.advice_taken import carried_out_already, led_to
from whatnext_service.flows.context import Tx
from whatnext_service.flows.evaluation_subject import Subject, check_served, find_subject, invalid
from whatnext_service.flows.register_evaluation import register_items, rows_of
from whatnext_service.store import evaluation_items, evaluations, recommendations, suites

_WITHOUT_ANSWERS = ("max_tokens", "max_cost", "prices", "stop_if_hopeless_against")


async def start_evaluation(tx: Tx, new: NewEvaluation) -> tuple[Evaluation, bool]:
    """Record the evaluation; the service's own is then run by a job. Returns it, and whether it is new.

    The same subject is not evaluated twice at once: a second request gets the open evaluation. The same request that
    carries out the same advice gets the evaluation that came of it.
    """
    loop = await look_up.lock_loop(tx, new.loop_id, "/loop_id")
    suite = await look_up.find_suite(tx, new.suite_id, "/suite_id")
    if suite.loop_id != loop.id:
        raise invalid("/suite_id", "belongs to another loop")
    await _check_options(tx, suite, new)
    if made := await led_to(tx, new.recommendation_id, loop.id):
        return await _made_before(tx, made, suite, new), False
    if new.regrade_of is not None:
        return await _regrade(tx, loop, suite, new), True
    subject = await find_subject(tx, loop.id, new, served=new.items is None)
    evaluation = new_evaluation(tx, loop, suite, new, subject, "registered" if new.items else "service")
    if new.items is None:
        if open_one := await evaluations.same_subject(tx.conn, evaluation):
            return open_one, False
        check_served(tx, subject)
    await evaluations.insert_evaluation(tx.conn, tx.workspace_id, evaluation, tx.services.randomness(16))
    await suites.count_look(tx.conn, suite.id)
    if new.items is None:
        await tx.defer("evaluate", evaluation.id)
    else:
        await register_items(tx, suite, evaluation, rows_of(suite, new.items))
    return await announce(tx, evaluation), True


async def _made_before(tx: Tx, made: str, suite: EvalSuite, new: NewEvaluation) -> Evaluation:
    """What the advice led to, if that is what is asked for: a result that comes with the request never is."""
    found = await evaluations.get_evaluation(tx.conn, tx.workspace_id, made)
    if found is None or new.items is not None or (found.suite_id, found.regrade_of) != (suite.id, new.regrade_of):
        raise carried_out_already(made)
    if new.regrade_of is None:
        asked = await find_subject(tx, suite.loop_id, new, served=False)
        fields = ("base_model", "run_id", "checkpoint_id")
        if any(getattr(found, name) != getattr(asked, name) for name in fields):
            raise carried_out_already(made)
    return found


async def announce(tx: Tx, evaluation: Evaluation) -> Evaluation:
    """Tell of a new evaluation, and of the recommendation that it carries out; returns it as it is stored."""
    if evaluation.recommendation_id:
        await recommendations.carried_out(tx.conn, tx.workspace_id, evaluation.recommendation_id, evaluation.id, tx.now)
    tx.loop_moved(evaluation.loop_id)
    tx.tell("evaluation.created", evaluation.id, 1, loop_id=evaluation.loop_id)
    return await look_up.find_evaluation(tx, evaluation.id)


def new_evaluation(
    tx: Tx, loop: Loop, suite: EvalSuite, new: NewEvaluation, subject: Subject, origin: EvaluationOrigin
) -> Evaluation:
    """The evaluation before anything was measured."""
    return Evaluation(
        id=tx.new_id("eval"),
        loop_id=loop.id,
        suite_id=suite.id,
        fingerprint=suite.fingerprint,
        subject=subject.kind,
        base_model=subject.base_model,
        run_id=subject.run_id,
        checkpoint_id=subject.checkpoint_id,
        origin=origin,
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
        instrument=None,
        regrade_of=new.regrade_of,
        n_gradings=new.n_gradings,
        ended_early=None,
        max_tokens=new.max_tokens,
        max_cost=Decimal(new.max_cost) if new.max_cost is not None else None,
        prices=new.prices,
        cost=None,
        judge_tokens=0,
        embedding_tokens=0,
        stop_if_hopeless_against=new.stop_if_hopeless_against,
        errors=(),
        n_repeated=0,
        pause=None,
    )


async def _regrade(tx: Tx, loop: Loop, suite: EvalSuite, new: NewEvaluation) -> Evaluation:
    """A new evaluation with another's answers: the bridge between two instruments, and the judge's own noise."""
    source = await look_up.find_evaluation(tx, str(new.regrade_of), "/regrade_of")
    if source.loop_id != loop.id:
        raise invalid("/regrade_of", "belongs to another loop")
    if source.status in ("pending", "running"):
        raise DomainError("evaluation_open", "The evaluation to be graded again has not ended yet.")
    if places := await suites.items_differ(tx.conn, source.suite_id, suite.id):
        told = ", ".join(str(place) for place in places)
        raise invalid("/suite_id", f"does not ask the same as the evaluation's suite (items {told})")
    subject = Subject(
        kind=source.subject,
        base_model=source.base_model,
        run_id=source.run_id,
        checkpoint_id=source.checkpoint_id,
        provider=source.provider,
        model=source.model,
    )
    evaluation = new_evaluation(tx, loop, suite, new, subject, "regraded")
    await evaluations.insert_evaluation(tx.conn, tx.workspace_id, evaluation, tx.services.randomness(16))
    if not await evaluation_items.take_answers(tx.conn, evaluation.id, source.id, new.indexes, tx.now):
        raise DomainError("nothing_to_grade", "No answer of that evaluation is stored.")
    if source.suite_id != suite.id:
        await suites.count_look(tx.conn, suite.id)
    await tx.defer("evaluate", evaluation.id)
    return await announce(tx, evaluation)


async def _check_options(tx: Tx, suite: EvalSuite, new: NewEvaluation) -> None:
    """Refuse options that contradict each other or cannot have an effect."""
    if suite.judged and new.items is None and tx.services.judge is None:
        raise DomainError("judge_not_configured", "The suite's graders ask a judge, and none is configured.")
    if new.n_gradings > 1 and (not suite.judged or new.items is not None):
        raise invalid("/n_gradings", "has an effect only where the service asks a judge")
    if new.indexes is not None and new.regrade_of is None:
        raise invalid("/indexes", "goes with regrade_of only")
    if new.max_cost is not None and new.prices is None:
        raise invalid("/prices", "is needed for a cap on the cost")
    if new.items is not None:
        for name in (*_WITHOUT_ANSWERS, "regrade_of"):
            if getattr(new, name) is not None:
                raise invalid(f"/{name}", "does not go with items")
    if new.regrade_of is not None:
        for name in ("subject", "base_model", "run_id", "checkpoint_id", "provider"):
            if getattr(new, name) is not None:
                raise invalid(f"/{name}", "does not go with regrade_of: the subject is that evaluation's")
    if new.stop_if_hopeless_against is not None:
        rival = await look_up.find_evaluation(tx, new.stop_if_hopeless_against, "/stop_if_hopeless_against")
        if rival.status != "succeeded" or rival.fingerprint != suite.fingerprint:
            raise invalid("/stop_if_hopeless_against", "is not a finished evaluation by the same instrument")
