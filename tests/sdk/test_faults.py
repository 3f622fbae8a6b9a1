"""What the network and the service do wrong, and what a caller then sees."""

import logging
import pickle
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import respx
from tests.sdk.kinds import URL, both_kinds, done, make

import whatnext
from whatnext import models
from whatnext.testing import example, problem

RUN = msgspec.to_builtins(example(models.Run))


@both_kinds
async def test_a_connection_that_fails_twice_is_made_the_third_time(kind: str) -> None:
    made = make(kind)
    with respx.mock() as mock:
        route = mock.get(f"{URL}/v1/runs/run_1")
        route.side_effect = [httpx.ConnectError("refused"), httpx.ReadError("cut"), httpx.Response(200, json=RUN)]
        run = await done(made.client.runs.get("run_1"))
    assert run.id == "run_1"
    assert route.call_count == 3
    assert 0.375 <= made.pauses[0] <= 0.5
    assert 0.75 <= made.pauses[1] <= 1.0


@both_kinds
async def test_one_post_has_one_idempotency_key_through_all_its_tries(kind: str) -> None:
    made = make(kind)
    with respx.mock() as mock:
        route = mock.post(f"{URL}/v1/runs")
        route.side_effect = [httpx.ReadError("cut"), httpx.Response(503), httpx.Response(201, json=RUN)] * 2
        await done(made.client.runs.create(loop_id="support-bot"))
        await done(made.client.runs.create(loop_id="support-bot"))
        keys = [call.request.headers["idempotency-key"] for call in route.calls]
    assert len(keys) == 6
    assert len(set(keys[:3])) == len(set(keys[3:])) == 1
    assert keys[0] != keys[3]


@both_kinds
async def test_an_idempotency_key_of_the_caller_is_sent(kind: str) -> None:
    made = make(kind)
    with respx.mock() as mock:
        route = mock.post(f"{URL}/v1/runs").respond(201, json=RUN)
        await done(made.client.runs.create(loop_id="support-bot", idempotency_key="mine"))
    assert route.calls.last.request.headers["idempotency-key"] == "mine"


@both_kinds
async def test_a_patch_is_sent_again_only_when_the_service_did_not_look_at_it(kind: str) -> None:
    made = make(kind)
    with respx.mock() as mock:
        route = mock.patch(f"{URL}/v1/runs/run_1")
        route.side_effect = [httpx.ConnectError("refused"), httpx.Response(429), httpx.Response(200, json=RUN)]
        await done(made.client.runs.update("run_1", note="again"))
        assert route.call_count == 3
        for failure in (httpx.ReadError("cut"), httpx.Response(503)):
            route.side_effect = [failure]
            with pytest.raises(whatnext.WhatnextError):
                await done(made.client.runs.update("run_1", note="again"))
        assert route.call_count == 5


@both_kinds
async def test_a_conflict_is_tried_again_only_with_retry_after(kind: str) -> None:
    made = make(kind)
    with respx.mock() as mock:
        route = mock.post(f"{URL}/v1/runs")
        busy = problem(409, "busy", headers={"retry-after": "1"})
        route.side_effect = [busy, httpx.Response(201, json=RUN), problem(409, "confounded_change")]
        await done(made.client.runs.create(loop_id="support-bot"))
        with pytest.raises(whatnext.ConflictError) as caught:
            await done(made.client.runs.create(loop_id="support-bot"))
    assert made.pauses == [1.0]
    assert caught.value.code == "confounded_change"


@both_kinds
async def test_what_never_comes_back_is_told_after_the_last_try(kind: str) -> None:
    made = make(kind, max_retries=1)
    with respx.mock() as mock:
        route = mock.get(f"{URL}/v1/runs/run_1")
        for failure, expected in (
            (httpx.ConnectTimeout("slow"), whatnext.APITimeoutError),
            (httpx.RemoteProtocolError("cut"), whatnext.APIConnectionError),
        ):
            route.side_effect = failure
            with pytest.raises(expected) as caught:
                await done(made.client.runs.get("run_1"))
            assert f"GET {URL}/v1/runs/run_1" in str(caught.value)
            assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args
    assert route.call_count == 4


@both_kinds
async def test_no_retries_when_none_are_wanted(kind: str) -> None:
    made = make(kind, max_retries=0)
    with respx.mock() as mock:
        route = mock.get(f"{URL}/v1/runs/run_1").respond(503)
        with pytest.raises(whatnext.ServerError):
            await done(made.client.runs.get("run_1"))
        with pytest.raises(whatnext.ServerError):
            await done(made.client.with_options(max_retries=2).runs.get("run_1"))
    assert route.call_count == 4


@both_kinds
async def test_timeouts_are_per_client_per_view_and_per_call(kind: str) -> None:
    client = make(kind, timeout=7).client
    with respx.mock() as mock:
        route = mock.get(f"{URL}/v1/runs/run_1").respond(json=RUN)
        await done(client.runs.get("run_1"))
        await done(client.with_options(timeout=8).runs.get("run_1"))
        await done(client.runs.get("run_1", timeout=9))
        await done(client.runs.get("run_1", timeout=None))
    assert [call.request.extensions["timeout"]["read"] for call in route.calls] == [7, 8, 9, None]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, whatnext.BadRequestError),
        (401, whatnext.AuthenticationError),
        (403, whatnext.PermissionDeniedError),
        (404, whatnext.NotFoundError),
        (409, whatnext.ConflictError),
        (412, whatnext.VersionMismatchError),
        (413, whatnext.TooLargeError),
        (415, whatnext.UnsupportedMediaTypeError),
        (418, whatnext.APIStatusError),
        (422, whatnext.IdempotencyMismatchError),
        (429, whatnext.RateLimitError),
        (500, whatnext.ServerError),
        (307, whatnext.APIStatusError),
    ],
)
def test_each_status_has_its_error_and_it_survives_pickling(status: int, kind: type[whatnext.APIStatusError]) -> None:
    client = make("sync", max_retries=0).client
    body: dict[str, Any] = {
        "title": "Cannot be",
        "detail": "Two variables changed.",
        "code": "a_code_of_tomorrow",
        "new_field": 1,
        "errors": [{"pointer": "/overrides/n_epochs", "message": "was 2, is 1", "hint": "x"}],
    }
    with respx.mock() as mock:
        mock.get(f"{URL}/v1/runs/run_1").respond(status, json=body, headers={"x-request-id": "req_1"})
        with pytest.raises(whatnext.APIStatusError) as caught:
            client.runs.get("run_1")
    error = pickle.loads(pickle.dumps(caught.value))
    assert type(error) is type(caught.value) is kind
    assert (error.status, error.code, error.request_id) == (status, "a_code_of_tomorrow", "req_1")
    assert error.body == body
    assert error.errors[0].pointer == "/overrides/n_epochs"
    assert str(error) == (
        f"{status} a_code_of_tomorrow: Cannot be: Two variables changed. (/overrides/n_epochs: was 2, is 1) "
        f"[GET {URL}/v1/runs/run_1, request req_1]"
    )


@pytest.mark.parametrize(
    ("title", "detail", "errors", "said"),
    [
        ("Invalid", "Expected `str`", [("/loop_id", "Expected `str`")], "400 bad: Invalid: Expected `str` (/loop_id)"),
        ("Invalid", "Two faults.", [("/a", "x"), ("", "y")], "400 bad: Invalid: Two faults. (/a: x; y)"),
        ("Not found", "Not Found", [], "400 bad: Not found"),
        ("Invalid", "It is y.", [("", "It is y.")], "400 bad: Invalid: It is y."),
    ],
)
def test_an_error_says_where_and_says_nothing_twice(
    title: str, detail: str, errors: list[tuple[str, str]], said: str
) -> None:
    client = make("sync", max_retries=0).client
    faults = [{"pointer": pointer, "message": message} for pointer, message in errors]
    body = {"title": title, "detail": detail, "code": "bad", "errors": faults}
    with respx.mock() as mock:
        mock.get(f"{URL}/v1/runs/run_1").respond(400, json=body)
        with pytest.raises(whatnext.BadRequestError) as caught:
            client.runs.get("run_1")
    assert str(caught.value) == f"{said} [GET {URL}/v1/runs/run_1]"


def test_a_redirect_is_not_followed_and_says_where_to() -> None:
    client = make("sync").client
    with respx.mock() as mock:
        mock.get(f"{URL}/v1/runs/run_1").respond(301, headers={"location": "https://service.test/"})
        with pytest.raises(whatnext.APIStatusError, match=r"it is at https://service\.test/: set the base URL"):
            client.runs.get("run_1")


@pytest.mark.parametrize("content", [b"", b"<html>Bad gateway</html>", b"[1]", b'{"errors": "none"}', b"\xff"])
def test_an_error_that_is_no_problem_document_is_an_error_all_the_same(content: bytes) -> None:
    client = make("sync", max_retries=0).client
    with respx.mock() as mock:
        mock.get(f"{URL}/v1/runs/run_1").respond(502, content=content)
        with pytest.raises(whatnext.ServerError, match="502: Bad Gateway") as caught:
            client.runs.get("run_1")
    assert caught.value.code is None
    assert caught.value.answer.content == content


def test_unknown_fields_and_values_are_tolerated_and_missing_nullable_ones_are_null() -> None:
    client = make("sync").client
    body = {**RUN, "status": "hibernating", "changed": ["warp"], "of_tomorrow": {"a": 1}}
    del body["note"], body["reading"]
    with respx.mock() as mock:
        mock.get(f"{URL}/v1/runs/run_1").respond(json=body)
        run = client.runs.get("run_1")
    assert (run.status, run.changed, run.note) == ("hibernating", ["warp"], None)


@pytest.mark.parametrize("content", [b"", b"null", b"{}", b"<html>", b"\xff\xfe"])
def test_an_answer_that_is_none_is_an_error_of_its_own(content: bytes) -> None:
    client = make("sync").client
    with respx.mock() as mock:
        mock.get(f"{URL}/v1/runs/run_1").respond(200, content=content)
        with pytest.raises(whatnext.APIResponseError, match="does not fit"):
            client.runs.get("run_1")


def test_the_key_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = make("sync").client
    with respx.mock() as mock:
        mock.get(f"{URL}/v1/runs/run_1").side_effect = [httpx.ReadError("cut"), httpx.Response(401)]
        with pytest.raises(whatnext.AuthenticationError) as caught:
            client.runs.get("run_1")
    shown = f"{client!r} {client.transport.config!r} {caught.value} {caught.value!r} {caplog.text}"
    assert "ReadError, trying again" in caplog.text
    assert "wn_secret" not in shown


def test_headers_name_the_client_and_carry_the_key() -> None:
    client = make("sync", headers={"X-Team": "search"}).client
    with respx.mock() as mock:
        route = mock.get(f"{URL}/v1/runs/run_1").respond(json=RUN)
        client.with_options(headers={"X-Trace": "1"}).runs.get("run_1")
        headers = route.calls.last.request.headers
    assert headers["authorization"] == "Bearer wn_secret"
    assert headers["user-agent"].startswith("whatnext-python/")
    assert (headers["x-team"], headers["x-trace"], headers["accept"]) == ("search", "1", "application/json")


def test_the_environment_is_read_by_the_constructor_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHATNEXT_API_KEY", "wn_one")
    monkeypatch.setenv("WHATNEXT_BASE_URL", "https://one.test/prefix/")
    client = whatnext.Client()
    monkeypatch.setenv("WHATNEXT_API_KEY", "wn_two")
    monkeypatch.setenv("WHATNEXT_BASE_URL", "https://two.test")
    with respx.mock() as mock:
        route = mock.get("https://one.test/prefix/v1/runs/run_1").respond(json=RUN)
        client.runs.get("run_1")
        assert route.calls.last.request.headers["authorization"] == "Bearer wn_one"
    monkeypatch.delenv("WHATNEXT_API_KEY")
    with pytest.raises(whatnext.ConfigurationError, match="WHATNEXT_API_KEY"):
        whatnext.Client()


@pytest.mark.parametrize("url", ["", "service", "ftp://service", "http://", "http://s/?a=1", "http://s/#f"])
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(whatnext.ConfigurationError, match="base URL"):
        whatnext.Client("wn_x", base_url=url)


def test_a_key_read_from_a_file_may_end_in_a_line_break() -> None:
    client = whatnext.Client("wn_x\n", base_url="http://s")
    assert client.transport.config.api_key.value == "wn_x"


@pytest.mark.parametrize("key", ["", "  ", "wn_ x", "wn_x\nHost: evil", "wn_\u00e9"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(whatnext.ConfigurationError, match="key"):
        whatnext.Client(key, base_url="http://s")


@pytest.mark.parametrize(
    ("ref", "path"),
    [
        ("support-bot/R3", "/v1/runs/support-bot~R3"),
        ("a b/c?d#e%", "/v1/runs/a%20b%2Fc%3Fd%23e%25"),
        ("é", "/v1/runs/%C3%A9"),
        ("...", "/v1/runs/..."),
        (example(models.Run), "/v1/runs/run_1"),
    ],
)
def test_path_parameters_are_quoted(ref: Any, path: str) -> None:
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        return httpx.Response(200, json=RUN)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    whatnext.Client("wn_x", http_client=http).runs.get(ref)
    assert seen == [path.encode()]


@pytest.mark.parametrize("ref", ["", ".", ".."])
def test_dot_segments_are_refused(ref: str) -> None:
    with pytest.raises(ValueError, match="names nothing"):
        make("sync").client.runs.get(ref)


@pytest.mark.parametrize("ref", [None, 3, example(models.Curves)])
def test_what_has_no_id_is_refused(ref: Any) -> None:
    with pytest.raises(TypeError, match=f"give an id, or an object with one, not {type(ref).__name__}"):
        make("sync").client.runs.get(ref)


@both_kinds
async def test_an_http_client_of_the_caller_keeps_its_headers_parameters_and_cookies_and_stays_open(kind: str) -> None:
    chosen = httpx.Client if kind == "sync" else httpx.AsyncClient
    http: Any = chosen(headers={"x-proxy": "1"}, params={"tenant": "a"}, cookies={"sticky": "b"})
    client = make(kind, http_client=http).client
    with respx.mock() as mock:
        route = mock.get(f"{URL}/v1/runs/run_1", params={"tenant": "a"}).respond(json=RUN)
        await done(client.runs.get("run_1"))
        sent = route.calls.last.request.headers
    assert (sent["x-proxy"], sent["cookie"], sent["authorization"]) == ("1", "sticky=b", "Bearer wn_secret")
    await done(client.close() if kind == "sync" else client.aclose())
    assert not http.is_closed


@both_kinds
async def test_an_http_client_of_the_caller_keeps_a_timeout_that_was_chosen(kind: str) -> None:
    chosen = httpx.Client if kind == "sync" else httpx.AsyncClient
    seen: list[Any] = []
    for http, given in ((chosen(timeout=7), {}), (chosen(), {}), (chosen(timeout=7), {"timeout": 8})):
        client = make(kind, http_client=http, **given).client
        with respx.mock() as mock:
            route = mock.get(f"{URL}/v1/runs/run_1").respond(json=RUN)
            await done(client.runs.get("run_1"))
            seen.append(route.calls.last.request.extensions["timeout"]["read"])
    assert seen == [7, 60, 8]


@both_kinds
async def test_an_http_client_of_the_other_kind_is_refused(kind: str) -> None:
    other: Any = httpx.AsyncClient() if kind == "sync" else httpx.Client()
    with pytest.raises(TypeError, match="http_client must be"):
        make(kind, http_client=other)


@both_kinds
async def test_a_client_in_with_closes_its_connections(kind: str, tmp_path: Path) -> None:
    client = make(kind).client
    if kind == "sync":
        with client as same:
            assert same is client
    else:
        async with client as same:
            assert same is client
    assert client.transport.http.is_closed


def test_the_raw_response_of_an_answer_is_at_hand() -> None:
    client = make("sync").client
    with respx.mock() as mock:
        mock.get(f"{URL}/v1/runs/run_1").respond(json=RUN, headers={"etag": '"4"', "x-request-id": "req_1"})
        run = client.runs.get("run_1")
        raw = client.request("get", "/v1/runs/run_1")
    assert whatnext.response_of(run).headers["etag"] == '"4"'
    assert raw.json()["id"] == "run_1"
    assert run.to_dict()["id"] == "run_1"
    assert pickle.loads(pickle.dumps(run)) == run
    with pytest.raises(whatnext.WhatnextError):
        whatnext.response_of(run.config)


@pytest.mark.parametrize(
    "path",
    ["https://evil.test/v1", "//evil.test/v1", "v1/runs", "/v1/../admin", "/v1/%2e%2e/x", "/a b", "/a\\b", "/v1#f"],
)
def test_a_literal_call_never_leaves_the_service(path: str) -> None:
    client = make("sync").client
    with pytest.raises(ValueError, match="no plain path"):
        client.execute({"method": "POST", "path": path, "body": {}})
    with pytest.raises(ValueError, match="no plain path"):
        client.request("GET", path)
