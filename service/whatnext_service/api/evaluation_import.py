"""Evaluations taken over from other tools' logs."""

from typing import Annotated, Literal

from litestar import Response, post
from litestar.params import QueryParameter

from whatnext_service.api.body_stream import file_stream
from whatnext_service.api.call import Call
from whatnext_service.api.params import IdempotencyKey
from whatnext_service.api.problem import problems
from whatnext_service.contract.evaluations import Evaluation, NewEvaluation
from whatnext_service.errors import DomainError
from whatnext_service.flows.import_evaluation import LogImport, import_evaluation

_LOOP = "The loop, by id or slug."
_SUITE = "The suite whose items the file has results of."
_SUBJECT = "What was evaluated; named by the parameter of that name."


def _named(description: str) -> QueryParameter:
    return QueryParameter(min_length=1, max_length=256, description=description)


@post(
    "/v1/evaluations/import",
    operation_id="evaluations.import_log",
    tags=["evaluations"],
    responses=problems(409, 413, 415, 422),
    opt={"upload": "application/octet-stream"},
    request_max_body_size=None,
)
async def import_log(
    call: Call,
    loop_id: Annotated[str, QueryParameter(min_length=1, max_length=128, description=_LOOP)],
    suite_id: Annotated[str, QueryParameter(min_length=1, max_length=128, description=_SUITE)],
    subject: Annotated[Literal["base_model", "run", "checkpoint"], QueryParameter(description=_SUBJECT)],
    base_model: Annotated[str | None, _named("The base model, by its platform's name.")] = None,
    run_id: Annotated[str | None, _named("The run, by id or as `{loop slug}/R3`.")] = None,
    checkpoint_id: Annotated[str | None, _named("The checkpoint.")] = None,
    recommendation_id: Annotated[str | None, _named("The advice that this carries out.")] = None,
    score: Annotated[
        str | None,
        QueryParameter(max_length=256, description="The scorer, metric or column, where the file has several."),
    ] = None,
    variant: Annotated[
        str | None, QueryParameter(max_length=256, description="The provider or prompt of a promptfoo matrix.")
    ] = None,
    match: Annotated[
        Literal["auto", "prompt", "index"],
        QueryParameter(description="By what items are matched; `auto`: by what was asked where the file tells it."),
    ] = "auto",
    score_min: Annotated[float | None, QueryParameter(description="Lower end of the file's scores.")] = None,
    score_max: Annotated[float | None, QueryParameter(description="Upper end of the file's scores.")] = None,
    same_instrument: Annotated[
        bool,
        QueryParameter(
            description="Whether the tool graded as the suite does. If not, the evaluation compares only with others "
            "of the same tool and scorer."
        ),
    ] = True,
    idempotency_key: IdempotencyKey = None,
) -> Response[Evaluation]:
    """Register an evaluation from a log as it came: inspect_ai, promptfoo, lm-eval samples, or a CSV of item scores.

    Items are matched to the suite's; scores are mapped onto its scale. An entry that fits nowhere refuses the file as
    a whole.
    """
    limit = call.request.app.state.settings.max_result_bytes
    body = bytearray()
    async for chunk in file_stream(call.request):
        body += chunk
        if len(body) > limit:
            raise DomainError("too_large", f"A log may have {limit} bytes.")
    new = NewEvaluation(
        loop_id=loop_id,
        suite_id=suite_id,
        subject=subject,
        base_model=base_model,
        run_id=run_id,
        checkpoint_id=checkpoint_id,
        recommendation_id=recommendation_id,
    )
    how = LogImport(
        score=score,
        variant=variant,
        match=match,
        score_min=score_min,
        score_max=score_max,
        same_instrument=same_instrument,
    )
    content = bytes(body)
    return await call.write(lambda tx: import_evaluation(tx, new, how, content), status=201, content=content)


HANDLERS = (import_log,)
