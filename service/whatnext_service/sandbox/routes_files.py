"""/v1/files"""

from typing import Annotated, Literal

from litestar import Response, delete, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, QueryParameter

from whatnext_service.sandbox import wire
from whatnext_service.sandbox.problems import AnyRequest, ApiError
from whatnext_service.sandbox.sandbox import page, sandbox_of

_PURPOSES = ("fine-tune", "assistants", "batch", "vision", "user_data", "evals")


@post("/v1/files", name="files.create", request_max_body_size=512 * 1024 * 1024)
async def create_file(request: AnyRequest) -> Response[bytes]:
    form = await request.form()
    upload, purpose = form.get("file"), form.get("purpose")
    if not isinstance(upload, UploadFile):
        raise ApiError(400, "Missing required parameter: 'file'.", param="file", code="missing_required_parameter")
    if purpose not in _PURPOSES:
        raise ApiError(400, f"'{purpose}' is not one of {list(_PURPOSES)} - 'purpose'", param="purpose")
    sandbox = sandbox_of(request)
    files = sandbox.files
    filename = upload.filename or "file"
    draft = files.draft(upload.file)
    content = f"{purpose} {filename} {draft.sha256}".encode()
    try:
        return sandbox.once(request, content, lambda: files.add(draft, filename=filename, purpose=purpose))
    finally:
        files.discard(draft)
        files.check_waiting()


@get("/v1/files/{file_id:str}", name="files.retrieve")
async def retrieve_file(request: AnyRequest, file_id: FromPath[str]) -> wire.File:
    return sandbox_of(request).files.find(file_id)


@get("/v1/files/{file_id:str}/content", name="files.content")
async def read_file(request: AnyRequest, file_id: FromPath[str]) -> Response[bytes]:
    sandbox = sandbox_of(request)
    file = sandbox.files.find(file_id)
    data = sandbox.files.path(file_id).read_bytes()
    if file.purpose == "fine-tune-results" and (fault := sandbox.faults.take_job("malformed_result_file")):
        data = fault.body.encode()
    return Response(data, media_type="application/octet-stream")


@delete("/v1/files/{file_id:str}", name="files.delete", status_code=200)
async def delete_file(request: AnyRequest, file_id: FromPath[str]) -> wire.Deleted:
    sandbox_of(request).files.remove(file_id)
    return wire.Deleted(id=file_id, object="file")


@get("/v1/files", name="files.list")
async def list_files(
    request: AnyRequest,
    purpose: Annotated[str | None, QueryParameter()] = None,
    after: Annotated[str | None, QueryParameter()] = None,
    order: Annotated[Literal["asc", "desc"], QueryParameter()] = "desc",
    limit: Annotated[int, QueryParameter(ge=1, le=10_000)] = 10_000,
) -> wire.Page[wire.File]:
    state = sandbox_of(request).state
    files = state.walk("file", wire.File, after=after, newest_first=order == "desc")
    return page((file for file in files if purpose in (None, file.purpose)), limit, lambda file: file.id)
