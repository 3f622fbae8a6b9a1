"""A refusal says what was wrong, where, and what would have been right, so that nobody has to guess."""

import httpx
import pytest
from tests.api.conftest import MAX_BODY_BYTES
from tests.api.driving import Json, finish, first_run, make_loop, ok, refused, rows, upload

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def run(api: httpx.AsyncClient) -> Json:
    await make_loop(api)
    return await first_run(api, "letters", await upload(api, "training", rows(60), loop="letters"))


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"slug": "a", "task": 1}, "/task: Expected `str`, got `int`"),
        (
            {"slug": "a", "task": "x", "autopilot": "on"},
            "/autopilot: Invalid enum value 'on': it is one of 'auto', 'off', 'propose'",
        ),
        (
            {"slug": "a", "task": "x", "metric": {"direction": "left"}},
            "/metric/direction: Invalid enum value 'left': it is one of 'down', 'up'",
        ),
        (
            {"slug": "a", "task": "x", "choices": {"methods": ["sft", "magic"]}},
            "/choices/methods/1: Invalid enum value 'magic': it is one of 'dpo', 'rft', 'sft'",
        ),
    ],
)
async def test_a_wrong_value_is_told_with_its_place_and_what_it_may_be(
    api: httpx.AsyncClient, body: Json, detail: str
) -> None:
    assert refused(await api.post("/v1/loops", json=body), 400, "invalid_body")["detail"] == detail


async def test_a_value_under_a_name_of_ones_own_is_told_with_what_it_may_be(api: httpx.AsyncClient, run: Json) -> None:
    body = {"points": [{"step": 1, "values": {"train_loss": "nan"}}]}
    problem = refused(await api.post(f"/v1/runs/{run['id']}/metrics", json=body), 400, "invalid_body")
    told = "Invalid enum value 'nan': it is one of '-Infinity', 'Infinity', 'NaN'"
    assert problem["detail"] == f"/points/0/values: {told}"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
async def test_what_json_does_not_have_is_told_with_what_to_send(api: httpx.AsyncClient, run: Json, value: str) -> None:
    body = f'{{"points": [{{"step": 1, "values": {{"train_loss": {value}}}}}]}}'
    response = await api.post(f"/v1/runs/{run['id']}/metrics", content=body, headers=JSON)
    assert "JSON has no NaN" in refused(response, 400, "invalid_body")["detail"]


async def test_other_malformed_json_is_not_taken_for_a_nan(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/loops", content='{"task": "NaN", oops', headers=JSON)
    assert "no NaN" not in refused(response, 400, "invalid_body")["detail"]


@pytest.mark.parametrize(
    ("path", "names", "known"),
    [
        ("/v1/runs?state=failed", ["state"], "cursor, limit, loop_id, status"),
        ("/v1/runs?loopid=x&limit=5&Status=y", ["Status", "loopid"], "cursor, limit, loop_id, status"),
        ("/v1/loops/letters/history?format=csv", ["format"], "none"),
        ("/v1/base-models?limit=5", ["limit"], "none"),
        ("/v1/recommendations/track-record?loop_id=letters", ["loop_id"], "none"),
    ],
)
async def test_a_parameter_that_is_none_is_refused_instead_of_ignored(
    api: httpx.AsyncClient, path: str, names: list[str], known: str
) -> None:
    """A misspelt filter would otherwise give the whole list."""
    await make_loop(api)
    problem = refused(await api.get(path), 400, "invalid_parameter", *names)
    assert f"there is {known}" in problem["errors"][0]["message"]


async def test_parameters_of_a_change_are_checked_before_it_is_made(api: httpx.AsyncClient) -> None:
    refused(await api.post("/v1/loops?dry_run=true", json={"slug": "a", "task": "x"}), 400, "invalid_parameter")
    assert ok(await api.get("/v1/loops"))["data"] == []


async def test_a_parameter_that_is_missing_is_named(api: httpx.AsyncClient) -> None:
    refused(await api.get("/v1/evaluations/eval_x/comparison"), 400, "invalid_parameter", "against")


async def test_a_header_is_called_as_it_was_sent(api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "x" * 256}
    response = await api.post("/v1/loops", json={"slug": "a", "task": "x"}, headers=headers)
    refused(response, 400, "invalid_parameter", "Idempotency-Key")


async def test_a_path_that_is_none_is_named_and_where_the_others_are(api: httpx.AsyncClient) -> None:
    assert refused(await api.get("/v1/loop"), 404, "not_found")["detail"] == (
        "There is no path '/v1/loop'; /docs and /openapi.json list them."
    )


async def test_a_wrong_method_is_told_with_the_right_ones(api: httpx.AsyncClient) -> None:
    response = await api.delete("/v1/loops")
    assert refused(response, 405, "method_not_allowed")["detail"] == "This path takes GET, HEAD, OPTIONS, POST."
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"


async def test_a_body_that_is_too_large_is_told_with_the_limit(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/loops", content=b" " * (MAX_BODY_BYTES + 1), headers=JSON)
    assert str(MAX_BODY_BYTES) in refused(response, 413, "too_large")["detail"]


async def test_an_ended_run_is_told_with_how_it_ended(api: httpx.AsyncClient, run: Json) -> None:
    ok(await api.post(f"/v1/runs/{run['id']}/cancel"))
    problem = refused(await api.patch(f"/v1/runs/{run['id']}", json={"status": "running"}), 409, "run_ended")
    assert problem["detail"] == "The run has ended (cancelled); it cannot become running."


async def test_a_file_is_taken_as_curl_sends_it(api: httpx.AsyncClient, run: Json) -> None:
    """`curl --data-binary @file` calls it a form unless it is told."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    dataset = ok(await api.post("/v1/datasets", json={"name": "more"}), 201)
    ok(await api.post(f"/v1/datasets/{dataset['id']}/versions", content=rows(60, seed=5), headers=form), 201)
    curve = "step,train_loss\n1,2.0\n2,1.5\n"
    receipt = ok(await api.put(f"/v1/runs/{run['id']}/metrics", content=curve, headers=form))
    assert receipt["n_values"] == 2
    in_one_line = curve.replace("\n", "")
    response = await api.put(f"/v1/runs/{run['id']}/metrics", content=in_one_line, headers=form)
    refused(response, 400, "malformed_result_file")


@pytest.mark.parametrize("path", ["/v1/runs", "/v1/runs/letters/R1", "/v1/loops/letters/next", "/livez", "/docs"])
async def test_a_head_is_a_get_without_its_body(api: httpx.AsyncClient, run: Json, path: str) -> None:
    whole, head = await api.get(path), await api.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "etag"):
        assert head.headers.get(name) == whole.headers.get(name)


async def test_the_head_of_what_is_not_there_is_a_404(api: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    assert (await api.head("/v1/loops/none")).status_code == 404
    assert (await anonymous.head("/v1/loops")).status_code == 401


async def test_the_head_of_a_stream_ends(api: httpx.AsyncClient) -> None:
    found = await api.head("/v1/events", headers={"Accept": "text/event-stream"})
    assert (found.status_code, found.content) == (200, b"")
    assert found.headers["content-type"].startswith("text/event-stream")


async def test_the_same_diagnosis_again_is_found_instead_of_made(api: httpx.AsyncClient, run: Json) -> None:
    await finish(api, run)
    first = ok(await api.post("/v1/diagnoses", json={"run_id": run["id"]}))
    assert ok(await api.post("/v1/diagnoses", json={"run_id": run["id"]}), 200) == first


async def test_webhook_endpoints_and_deliveries_are_filtered_by_status(api: httpx.AsyncClient) -> None:
    made = [ok(await api.post("/v1/webhook-endpoints", json={"url": f"https://x.org/{n}"}), 201) for n in range(2)]
    first, second = (each["endpoint"]["id"] for each in made)
    ok(await api.patch(f"/v1/webhook-endpoints/{first}", json={"status": "disabled"}))
    for status, ids in (("enabled", [second]), ("disabled", [first]), ("enabled&status=disabled", [second, first])):
        found = ok(await api.get(f"/v1/webhook-endpoints?status={status}"))["data"]
        assert [each["id"] for each in found] == ids
    sent = ok(await api.post(f"/v1/webhook-endpoints/{second}/test"), 201)
    at = f"/v1/webhook-endpoints/{second}/deliveries"
    assert [each["id"] for each in ok(await api.get(f"{at}?status=pending"))["data"]] == [sent["id"]]
    assert ok(await api.get(f"{at}?status=failed"))["data"] == []
