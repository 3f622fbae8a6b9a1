"""What next, and why: the answer, the history, diagnoses, recommendations and decisions."""

from typing import Any

from litestar import Response, get, post, put
from litestar.params import JSONBody

from whatnext_service.api.call import Call, asked
from whatnext_service.api.media import offered
from whatnext_service.api.params import (
    Cursor,
    Id,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    Limit,
    LoopFilter,
    LoopRef,
    RunFilter,
    StatusFilter,
    Wait,
)
from whatnext_service.api.problem import problems
from whatnext_service.contract.advice import Diagnosis, NewDecision, NewDiagnosis, Recommendation, TrackRecord
from whatnext_service.contract.common import Page
from whatnext_service.contract.history import History
from whatnext_service.core.advice import Answer
from whatnext_service.flows import lists, look_up
from whatnext_service.flows.decide import decide
from whatnext_service.flows.diagnose import diagnose_on_request
from whatnext_service.flows.history import history_of
from whatnext_service.flows.track_record import track_record
from whatnext_service.flows.what_next import next_answer
from whatnext_service.render.history import history_csv, history_markdown

MARKDOWN = "text/markdown"
CSV = "text/csv"
VARY = {"Vary": "Accept"}


@get(
    "/v1/loops/{loop:str}/next",
    operation_id="loops.next",
    tags=["loops"],
    responses=problems(404, 406),
    opt={"also": (MARKDOWN,)},
)
async def what_next(call: Call, loop: LoopRef, wait: Wait = 0, if_none_match: IfNoneMatch = None) -> Response[Answer]:
    """What next? Exactly one change (or: evaluate, fix the data, wait, ship, stop), with the evidence for it.

    `action.request` is the literal call that carries it out. With `wait` and If-None-Match the answer comes as soon
    as it changes. `Accept: text/markdown` gives the same in words.
    """
    media = offered(call.request, "application/json", MARKDOWN)
    subject = (await call.read(lambda tx: look_up.find_loop(tx, loop))).id
    response: Response[Any] = await call.watch(subject, lambda tx: next_answer(tx, subject), wait)
    if media == MARKDOWN and response.status_code == 200:
        answer = await call.read(lambda tx: next_answer(tx, subject))
        response = Response(content=answer.markdown, media_type=MARKDOWN, headers=response.headers)
    response.headers.update(VARY)
    return response


@get(
    "/v1/loops/{loop:str}/history",
    operation_id="loops.history",
    tags=["loops"],
    responses=problems(404, 406),
    opt={"also": (MARKDOWN, CSV)},
)
async def history(call: Call, loop: LoopRef) -> Response[History]:
    """The experiment table: one row a run. `Accept: text/markdown` or `text/csv` for the table as text."""
    media = offered(call.request, "application/json", MARKDOWN, CSV)
    found = await call.read(lambda tx: history_of(tx, loop))
    if media == MARKDOWN:
        return Response(content=history_markdown(found.rows), media_type=MARKDOWN, headers=VARY)  # type: ignore[arg-type]
    if media == CSV:
        return Response(content=history_csv(found.rows), media_type=CSV, headers=VARY)  # type: ignore[arg-type]
    return Response(content=found, headers=VARY)


@post(
    "/v1/diagnoses",
    operation_id="diagnoses.create",
    tags=["diagnoses"],
    responses=problems(409, 413, 415, 422),
    opt={"found": "The diagnosis that the same evidence gave before."},
)
async def create_diagnosis(
    call: Call, data: JSONBody[NewDiagnosis], idempotency_key: IdempotencyKey = None
) -> Response[Diagnosis]:
    """Diagnose a run: the path through the tree and the findings. The same evidence gives the same diagnosis."""
    return await call.write(lambda tx: diagnose_on_request(tx, data.run_id), status=201)


@get("/v1/diagnoses", operation_id="diagnoses.list", tags=["diagnoses"], responses=problems(404))
async def list_diagnoses(
    call: Call, limit: Limit = 20, cursor: Cursor = None, loop_id: LoopFilter = None, run_id: RunFilter = None
) -> Page[Diagnosis]:
    """List diagnoses, newest first."""
    return await call.read(lambda tx: lists.list_diagnoses(tx, asked(limit, cursor), loop_id, run_id))


@get("/v1/diagnoses/{diagnosis_id:str}", operation_id="diagnoses.get", tags=["diagnoses"], responses=problems(404))
async def get_diagnosis(call: Call, diagnosis_id: Id) -> Diagnosis:
    """Get a diagnosis."""
    return await call.read(lambda tx: look_up.find_diagnosis(tx, diagnosis_id))


@get("/v1/recommendations", operation_id="recommendations.list", tags=["recommendations"], responses=problems(404))
async def list_recommendations(
    call: Call, limit: Limit = 20, cursor: Cursor = None, loop_id: LoopFilter = None, status: StatusFilter = None
) -> Page[Recommendation]:
    """List recommendations, newest first."""
    return await call.read(lambda tx: lists.list_recommendations(tx, asked(limit, cursor), loop_id, status))


@get(
    "/v1/recommendations/track-record",
    operation_id="recommendations.track_record",
    tags=["recommendations"],
    responses=problems(),
)
async def get_track_record(call: Call) -> TrackRecord:
    """How the advice has done: for each rule its predictions, hits, and how often the interval held the result."""
    return await call.read(track_record)


@get(
    "/v1/recommendations/{recommendation_id:str}",
    operation_id="recommendations.get",
    tags=["recommendations"],
    responses=problems(404),
)
async def get_recommendation(
    call: Call, recommendation_id: Id, if_none_match: IfNoneMatch = None
) -> Response[Recommendation]:
    """Get a recommendation with the whole answer it was given in."""
    return await call.watch(recommendation_id, lambda tx: look_up.find_recommendation(tx, recommendation_id), 0)


@put(
    "/v1/recommendations/{recommendation_id:str}/decision",
    operation_id="recommendations.decide",
    tags=["recommendations"],
    responses=problems(404, 409, 412, 413, 415),
)
async def put_decision(
    call: Call, recommendation_id: Id, data: JSONBody[NewDecision], if_match: IfMatch = None
) -> Response[Recommendation]:
    """Accept or decline the open recommendation. Accepting carries it out where the service can."""
    return await call.write(lambda tx: decide(tx, recommendation_id, data, call.if_match))


HANDLERS = (
    what_next,
    history,
    create_diagnosis,
    list_diagnoses,
    get_diagnosis,
    list_recommendations,
    get_track_record,
    get_recommendation,
    put_decision,
)
