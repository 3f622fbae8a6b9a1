"""Datasets and their versions."""

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import Response, get, post
from litestar.params import JSONBody, QueryParameter
from litestar.response import Stream

from whatnext_service.api.body_stream import file_stream
from whatnext_service.api.call import Call, asked
from whatnext_service.api.params import Cursor, Id, IdempotencyKey, IfNoneMatch, Limit, LoopFilter
from whatnext_service.api.problem import problems
from whatnext_service.contract.common import Page
from whatnext_service.contract.datasets import Dataset, DatasetVersion, Derivation, NewDataset, NewDerivation
from whatnext_service.core.loops import Method
from whatnext_service.flows import lists, look_up, upload
from whatnext_service.flows.derive import derive_version
from whatnext_service.flows.upload import Spool, create_dataset, receive
from whatnext_service.flows.version_content import version_content

TAGS = ["datasets"]


@post("/v1/datasets", operation_id="datasets.create", tags=TAGS, responses=problems(409, 413, 415, 422))
async def create(call: Call, data: JSONBody[NewDataset], idempotency_key: IdempotencyKey = None) -> Response[Dataset]:
    """Create a dataset; versions are uploaded to it."""
    return await call.write(lambda tx: create_dataset(tx, data), status=201)


@get("/v1/datasets", operation_id="datasets.list", tags=TAGS, responses=problems(404))
async def list_(call: Call, limit: Limit = 20, cursor: Cursor = None, loop_id: LoopFilter = None) -> Page[Dataset]:
    """List the workspace's datasets, newest first."""
    return await call.read(lambda tx: lists.list_datasets(tx, asked(limit, cursor), loop_id))


@get("/v1/datasets/{dataset_id:str}", operation_id="datasets.get", tags=TAGS, responses=problems(404))
async def get_one(call: Call, dataset_id: Id, if_none_match: IfNoneMatch = None) -> Response[Dataset]:
    """Get a dataset."""
    return await call.watch(dataset_id, lambda tx: look_up.find_dataset(tx, dataset_id), 0)


@post(
    "/v1/datasets/{dataset_id:str}/versions",
    operation_id="datasets.upload_version",
    tags=TAGS,
    responses=problems(404, 409, 413, 415, 422),
    opt={"upload": "application/jsonl", "found": "The version that has these very bytes already."},
    request_max_body_size=None,
)
async def upload_version(
    call: Call,
    dataset_id: Id,
    parent_version_id: Annotated[
        str | None, QueryParameter(max_length=128, description="The version that this one was made from.")
    ] = None,
    method: Annotated[
        Method | None,
        QueryParameter(
            description="The training method the rows are for. A file for another one is refused, and conversations "
            "that end with a question and carry nothing for a grader are accepted as `rft` only."
        ),
    ] = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[DatasetVersion]:
    """Upload a version: the JSONL file as the body, or as the part `file` of a form.

    Every row is checked while it streams; a file with a faulty row is refused as a whole, with the line, fault and
    remedy of the first 100 faults and the count of all. The same bytes again give the version that has them. The
    quality report follows in the background.
    """
    limit: int = call.request.app.state.settings.max_upload_bytes
    with Spool(limit) as spool:
        await call.read(lambda tx: look_up.find_dataset(tx, dataset_id))
        facts = await receive(file_stream(call.request, limit), spool, method)
        return await call.write(
            lambda tx: upload.upload_version(tx, dataset_id, spool, facts, parent_version_id),
            status=201,
            content=spool.sha256,
        )


@get(
    "/v1/datasets/{dataset_id:str}/versions", operation_id="datasets.list_versions", tags=TAGS, responses=problems(404)
)
async def list_versions(call: Call, dataset_id: Id, limit: Limit = 20, cursor: Cursor = None) -> Page[DatasetVersion]:
    """List a dataset's versions, newest first."""
    return await call.read(lambda tx: lists.list_versions(tx, asked(limit, cursor), dataset_id))


@get(
    "/v1/dataset-versions/{version_id:str}",
    operation_id="dataset_versions.get",
    tags=["dataset_versions"],
    responses=problems(404),
)
async def get_version(call: Call, version_id: Id) -> DatasetVersion:
    """Get a version: its counts, and what is wrong with single rows."""
    return await call.read(lambda tx: look_up.find_version(tx, version_id))


@get(
    "/v1/dataset-versions/{version_id:str}/content",
    operation_id="dataset_versions.content",
    tags=["dataset_versions"],
    media_type="application/jsonl",
    responses=problems(404),
)
async def content(call: Call, version_id: Id) -> Stream:
    """Download a version's bytes as they were uploaded."""
    version = await call.read(lambda tx: look_up.find_version(tx, version_id))
    chunks: AsyncIterator[bytes] = version_content(call.services, call.workspace_id, version)
    headers = {"ETag": f'"{version.sha256}"', "Content-Disposition": f'attachment; filename="{version.id}.jsonl"'}
    return Stream(chunks, media_type="application/jsonl", headers=headers)


@post(
    "/v1/dataset-versions/{version_id:str}/derive",
    operation_id="dataset_versions.derive",
    tags=["dataset_versions"],
    responses=problems(404, 409, 413, 415, 422),
)
async def derive(
    call: Call, version_id: Id, data: JSONBody[NewDerivation], idempotency_key: IdempotencyKey = None
) -> Response[Derivation]:
    """Make a new version by operations on this one: drop duplicates, drop or resolve contradictions, drop rows, keep
    rows by score, add examples, split, convert. With `dry_run` only show what they would do.
    """
    return await call.write(lambda tx: derive_version(tx, version_id, data), status=201)


HANDLERS = (
    create,
    list_,
    get_one,
    upload_version,
    list_versions,
    get_version,
    content,
    derive,
)
