"""Every refusal is a problem document that names its code, and every code has a page."""

import re
from pathlib import Path

import httpx
import pytest
from tests.api.conftest import MAX_BODY_BYTES
from tests.api.driving import make_loop, ok, refused

import whatnext_service
from whatnext_service.api.problem import KINDS

SOURCE = Path(whatnext_service.__file__).parent
RAISED = re.compile(r"DomainError\(\s*(?:code=)?\"([a-z_]+)\"")
REFUSED_BY_A_JOB = {"malformed_result_file"}


def codes_raised() -> set[str]:
    folders = [path for path in SOURCE.iterdir() if path.is_dir() and path.name not in ("sandbox", "demo")]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    return {code for file in files for code in RAISED.findall(file.read_text(encoding="utf-8"))}


def test_every_code_that_is_raised_is_in_the_table() -> None:
    raised = codes_raised()
    assert len(raised) > 20
    assert raised - set(KINDS) == set()


@pytest.mark.parametrize("code", sorted(KINDS))
async def test_every_code_explains_itself(anonymous: httpx.AsyncClient, code: str) -> None:
    response = await anonymous.get(f"/problems/{code}")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    assert KINDS[code].title in response.text
    assert str(KINDS[code].status) in response.text


async def test_an_unknown_code_has_no_page(anonymous: httpx.AsyncClient) -> None:
    refused(await anonymous.get("/problems/nothing"), 404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/nothing", "/v2/loops", "/v1/loops/a/b/c", "/v1/runs/a/R1/x/y", "/schema", "/schema/openapi.json"],
)
async def test_an_unmatched_route_is_not_found(api: httpx.AsyncClient, path: str) -> None:
    refused(await api.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/v1/loops"), ("PUT", "/v1/runs"), ("POST", "/v1/loops/a/next"), ("POST", "/livez")]
)
async def test_a_wrong_method_is_told_with_the_right_ones(api: httpx.AsyncClient, method: str, path: str) -> None:
    response = await api.request(method, path)
    refused(response, 405, "method_not_allowed")
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/livez", "GET, HEAD, OPTIONS"),
        ("/problems/conflict", "GET, HEAD, OPTIONS"),
        ("/v1/loops", "GET, HEAD, OPTIONS, POST"),
        ("/v1/runs/a", "GET, HEAD, OPTIONS, PATCH"),
        ("/v1/runs/a/R1/metrics", "GET, HEAD, OPTIONS, POST, PUT"),
    ],
)
async def test_options_tells_the_methods_even_without_a_key(
    anonymous: httpx.AsyncClient, path: str, allow: str
) -> None:
    response = await anonymous.options(path)
    assert response.status_code == 204
    assert response.headers["allow"] == allow


async def test_a_body_above_the_limit_is_too_large(api: httpx.AsyncClient) -> None:
    body = b'{"slug": "a", "task": "' + b"x" * MAX_BODY_BYTES + b'"}'
    headers = {"Content-Type": "application/json"}
    refused(await api.post("/v1/loops", content=body, headers=headers), 413, "too_large")


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
async def test_only_json_is_json(api: httpx.AsyncClient, media: str) -> None:
    response = await api.post("/v1/loops", content=b'{"slug": "a", "task": "x"}', headers={"Content-Type": media})
    refused(response, 415, "unsupported_media_type")


async def test_a_charset_beside_the_media_type_is_fine(api: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    ok(await api.post("/v1/loops", content=b'{"slug": "a", "task": "x"}', headers=headers), 201)


@pytest.mark.parametrize("path", ["/v1/loops", "/v1/loops/nothing", "/nothing", "/livez", "/openapi.json"])
async def test_a_request_id_is_taken_over_or_made(api: httpx.AsyncClient, path: str) -> None:
    ours = await api.get(path, headers={"X-Request-Id": "trace-0123_abc"})
    assert ours.headers["x-request-id"] == "trace-0123_abc"
    for unfit in ("short", "x" * 65, "spaces are not", "semi;colons;are;not"):
        made = (await api.get(path, headers={"X-Request-Id": unfit})).headers["x-request-id"]
        assert re.fullmatch(r"req_[0-9a-f]{24}", made)


@pytest.mark.parametrize(
    ("query", "named"),
    [("limit=0", "limit"), ("limit=101", "limit"), ("limit=ten", "limit"), ("cursor=" + "x" * 65, "cursor")],
)
async def test_a_wrong_parameter_is_named(api: httpx.AsyncClient, query: str, named: str) -> None:
    refused(await api.get(f"/v1/loops?{query}"), 400, "invalid_parameter", named)


async def test_a_wait_is_at_most_thirty_seconds(api: httpx.AsyncClient) -> None:
    await make_loop(api)
    refused(await api.get("/v1/loops/letters/next?wait=31"), 400, "invalid_parameter", "wait")


@pytest.mark.parametrize("accept", ["image/png", "application/xml"])
@pytest.mark.parametrize("what", ["next", "history"])
async def test_a_media_type_that_is_not_offered(api: httpx.AsyncClient, what: str, accept: str) -> None:
    await make_loop(api)
    response = await api.get(f"/v1/loops/letters/{what}", headers={"Accept": accept})
    refused(response, 406, "not_acceptable")


async def test_a_fault_of_ours_tells_no_details(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the secret is swordfish")

    monkeypatch.setattr("whatnext_service.flows.lists.list_loops", broken)
    problem = refused(await api.get("/v1/loops"), 500, "internal_error")
    assert "swordfish" not in str(problem)
