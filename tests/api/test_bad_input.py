"""Bad input: a clear problem document with code and pointer, and nothing changed."""

import resource
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.api.conftest import MAX_UPLOAD_BYTES
from tests.api.counting import Counts
from tests.api.driving import (
    Json,
    finish,
    first_run,
    make_loop,
    make_suite,
    ok,
    refused,
    register,
    rows,
    upload,
)

LOOP = {"slug": "letters", "task": "x"}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b'{"slug": "a" "task": "x"}',
        b'{"slug": NaN, "task": "x"}',
        b'{"slug": "a", "task": "x"} trailing',
        b'{"slug": "a", "task": "\xff\xfe"}',
        b'{"slug": "a", "task": "\xed\xa0\x80"}',
        b'{"slug": "a", "task": "\\ud800"}',
        b'{"slug": "a", "task": "\\ud800\\ud800"}',
        b'{"slug": "a", "task": "raw \x00 nul"}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\x00\x01\x02",
        "\ufeff{}".encode("utf-16"),
    ],
)
async def test_a_body_that_is_no_json(api: httpx.AsyncClient, counts: Counts, body: bytes) -> None:
    before = await counts()
    problem = refused(await api.post("/v1/loops", content=body, headers=JSON), 400, "invalid_body")
    assert len(problem["errors"]) == 1
    assert await counts() == before


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"slug": None}, "/slug"),
        ({"slug": "No Slug"}, "/slug"),
        ({"slug": "a" * 64}, "/slug"),
        ({"task": ""}, "/task"),
        ({"task": "x" * 4001}, "/task"),
        ({"task": 5}, "/task"),
        ({"colour": "red"}, "/colour"),
        ({"rules": {"patience": "3"}}, "/rules/patience"),
        ({"rules": {"patience": 0}}, "/rules/patience"),
        ({"rules": {"patience": 1.5}}, "/rules/patience"),
        ({"rules": {"patience": True}}, "/rules/patience"),
        ({"rules": {"patience": 10**30}}, "/rules/patience"),
        ({"rules": {"mood": 1}}, "/rules/mood"),
        ({"rules": []}, "/rules"),
        ({"budget": {"max_runs": -1}}, "/budget/max_runs"),
        ({"budget": {"max_cost": "ten"}}, "/budget/max_cost"),
        ({"budget": {"max_cost": "-1"}}, "/budget/max_cost"),
        ({"budget": {"max_cost": "NaN"}}, "/budget/max_cost"),
        ({"budget": {"max_cost": "1e400"}}, "/budget/max_cost"),
        ({"budget": {"currency": "dollars"}}, "/budget/currency"),
        ({"budget": {"deadline": "tomorrow"}}, "/budget/deadline"),
        ({"budget": {"deadline": "2026-12-01T00:00:00"}}, "/budget/deadline"),
        ({"choices": {"methods": ["magic"]}}, "/choices/methods/0"),
        ({"choices": {"base_models": ["m"] * 33}}, "/choices/base_models"),
        ({"choices": {"n_epochs": {"min": 1}}}, "/choices/n_epochs/max"),
        ({"autopilot": "yes"}, "/autopilot"),
        ({"dataset_id": ""}, "/dataset_id"),
        ({"validation_version_id": ""}, "/validation_version_id"),
        ({"metric": {"direction": "sideways"}}, "/metric/direction"),
    ],
)
async def test_a_field_of_the_wrong_kind_is_pointed_at(
    api: httpx.AsyncClient, counts: Counts, change: Json, pointer: str
) -> None:
    before = await counts()
    refused(await api.post("/v1/loops", json=LOOP | change), 400, "invalid_body", pointer)
    assert await counts() == before


@pytest.mark.parametrize("missing", ["slug", "task"])
async def test_a_missing_field_is_named(api: httpx.AsyncClient, missing: str) -> None:
    body = {name: value for name, value in LOOP.items() if name != missing}
    refused(await api.post("/v1/loops", json=body), 400, "invalid_body", f"/{missing}")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/v1/loops", LOOP | {"task": "a\0b"}, "/task"),
        ("/v1/loops", LOOP | {"choices": {"base_models": ["ok", "no\0"]}}, "/choices/base_models/1"),
        ("/v1/datasets", {"name": "a\0"}, "/name"),
        ("/v1/keys", {"name": "\0"}, "/name"),
        ("/v1/deployments", {"loop_id": "a\0", "run_id": "b"}, "/loop_id"),
        ("/v1/diagnoses", {"run_id": "\0"}, "/run_id"),
    ],
)
async def test_a_nul_character_is_pointed_at(
    api: httpx.AsyncClient, counts: Counts, path: str, body: Json, pointer: str
) -> None:
    before = await counts()
    refused(await api.post(path, json=body), 400, "invalid_text", pointer)
    assert await counts() == before


async def test_an_escaped_escape_is_no_nul(api: httpx.AsyncClient) -> None:
    assert ok(await api.post("/v1/loops", json=LOOP | {"task": "a \\u0000 b"}), 201)["task"] == "a \\u0000 b"


@pytest.mark.parametrize("what", ["%00", "%ff", "%ed%a0%80", "a%20b", "..", "'--", "x" * 129, "x" * 5000, "☃"])
@pytest.mark.parametrize("path", ["/v1/loops/{}", "/v1/runs/{}", "/v1/datasets/{}", "/v1/evaluations/{}/items"])
async def test_a_strange_path_is_not_found_or_refused(api: httpx.AsyncClient, path: str, what: str) -> None:
    response = await api.get(path.format(what))
    assert response.status_code in (400, 404), response.text
    refused(response, response.status_code, response.json()["code"])


@pytest.mark.parametrize(
    "query", ["status=%00", "loop_id=%00", "status=%ff", "cursor=%00", "limit=99999999999999999999"]
)
async def test_a_strange_query_is_refused(api: httpx.AsyncClient, query: str) -> None:
    response = await api.get(f"/v1/runs?{query}")
    assert response.status_code in (200, 400, 404), response.text
    if response.status_code != 200:
        refused(response, response.status_code, response.json()["code"])


GRADERS = [
    ({"type": "magic"}, "invalid_grader"),
    ({}, "invalid_grader"),
    (
        {"type": "string_check", "name": "x", "input": "{{item.nothing}}", "reference": "a", "operation": "eq"},
        "invalid_suite",
    ),
    (
        {
            "type": "score_model",
            "name": "x",
            "model": "m",
            "input": [{"role": "user", "content": "?"}],
            "range": [0, 1],
        },
        "invalid_suite",
    ),
    ({"type": "python", "name": "x", "source": "import os"}, "invalid_suite"),
]


@pytest.mark.parametrize(("grader", "code"), GRADERS)
async def test_a_grader_that_cannot_be_run(api: httpx.AsyncClient, counts: Counts, grader: Json, code: str) -> None:
    await make_loop(api)
    version = await upload(api, "held-out", rows(20))
    before = await counts()
    body = {"loop_id": "letters", "name": "s", "dataset_version_id": version["id"]}
    response = await api.post("/v1/eval-suites", json=body | {"graders": [{"name": "g", "grader": grader}]})
    problem = refused(response, 400, code)
    assert all(each["pointer"].startswith("/graders/0/grader") for each in problem["errors"])
    assert await counts() == before


@pytest.mark.parametrize("depth", [50, 500, 900, 5000, 40_000])
async def test_a_deeply_nested_grader(api: httpx.AsyncClient, counts: Counts, depth: int) -> None:
    await make_loop(api)
    version = await upload(api, "held-out", rows(20))
    before = await counts()
    nested = b'{"x":' * depth + b"1" + b"}" * depth
    head = f'{{"loop_id":"letters","name":"s","dataset_version_id":"{version["id"]}",'.encode()
    body = head + b'"graders":[{"name":"g","grader":{"type":"string_check","deep":' + nested + b"}}]}"
    response = await api.post("/v1/eval-suites", content=body, headers=JSON)
    refused(response, 400, response.json()["code"])
    assert await counts() == before


async def generated(n_bytes: int) -> AsyncIterator[bytes]:
    line = rows(1).rstrip(b"\n") + b"\n"
    block = line * (64 * 1024 // len(line))
    sent = 0
    while sent < n_bytes:
        yield block
        sent += len(block)


async def test_an_upload_of_200_mb_above_the_limit(api: httpx.AsyncClient, counts: Counts) -> None:
    """Refused as soon as the limit is passed, in bounded memory."""
    dataset = ok(await api.post("/v1/datasets", json={"name": "d"}), 201)
    before = await counts()
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    response = await api.post(f"/v1/datasets/{dataset['id']}/versions", content=generated(200 * 2**20))
    refused(response, 413, "too_large")
    assert await counts() == before
    grown_bytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_kb) * 1024
    assert grown_bytes < 10 * MAX_UPLOAD_BYTES


DEEP_ROW = (
    b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"x":'
    + b"[" * 5000
    + b"]" * 5000
    + b"}\n"
)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", None),
        (b"\n\n\n", None),
        (b"this is prose\nand more prose\n", "/1"),
        (b"a,b,c\n1,2,3\n", "/1"),
        (b"[]", None),
        (b"{}\n" * 20, "/1"),
        (b"5\n" * 20, "/1"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), None),
        (rows(12) + b'{"messages": [}\n', "/13"),
        (rows(12) + b'{"messages": "text"}\n', "/13"),
        (rows(12) + b'{"messages": [{"role": "user", "content": "and?"}]}\n', None),
        (rows(12) + DEEP_ROW, "/13"),
        (rows(12).decode().encode("utf-16"), None),
        (b'{"messages": [' + b"x" * 3_000_000, None),
    ],
    ids=[
        "empty",
        "blank",
        "prose",
        "csv",
        "array",
        "objects",
        "numbers",
        "png",
        "broken",
        "text",
        "no-answer",
        "deep",
        "utf16",
        "cut",
    ],
)
async def test_a_file_that_is_no_dataset(
    api: httpx.AsyncClient, counts: Counts, content: bytes, line: str | None
) -> None:
    dataset = ok(await api.post("/v1/datasets", json={"name": "d"}), 201)
    before = await counts()
    problem = refused(await api.post(f"/v1/datasets/{dataset['id']}/versions", content=content), 400, "invalid_dataset")
    assert problem["errors"]
    if line is not None:
        assert problem["errors"][0]["pointer"] == line
    assert await counts() == before


@pytest.mark.parametrize("parent", ["", "none", "%00"])
async def test_a_parent_version_that_is_none(api: httpx.AsyncClient, counts: Counts, parent: str) -> None:
    dataset = ok(await api.post("/v1/datasets", json={"name": "d"}), 201)
    before = await counts()
    path = f"/v1/datasets/{dataset['id']}/versions?parent_version_id={parent}"
    response = await api.post(path, content=rows(20))
    assert response.status_code in (400, 404)
    refused(response, response.status_code, response.json()["code"])
    assert await counts() == before


async def test_a_form_without_a_file(api: httpx.AsyncClient, counts: Counts) -> None:
    dataset = ok(await api.post("/v1/datasets", json={"name": "d"}), 201)
    before = await counts()
    path = f"/v1/datasets/{dataset['id']}/versions"
    refused(await api.post(path, files={"other": rows(20)}), 400, "invalid_body")
    media = {"Content-Type": "multipart/form-data"}
    refused(await api.post(path, content=b"rubbish", headers=media), 400, "invalid_body")
    refused(
        await api.post(path, content=b"rubbish", headers={"Content-Type": "multipart/form-data; boundary=b"}),
        400,
        "invalid_body",
    )
    refused(
        await api.post(path, content=rows(20), headers={"Content-Type": "image/png"}), 415, "unsupported_media_type"
    )
    assert await counts() == before


class TestEvaluations:
    @pytest.fixture
    async def suite(self, api: httpx.AsyncClient) -> Json:
        await make_loop(api)
        return await make_suite(api, "letters", n_items=4)

    @pytest.mark.parametrize(
        ("body", "code", "pointers"),
        [
            ({"items": []}, "invalid_body", ["/items"]),
            ({"items": [{"index": 4, "score": 5}]}, "invalid_evaluation", ["/items/0/index"]),
            ({"items": [{"index": 0, "score": 5}, {"index": 0, "score": 6}]}, "invalid_evaluation", ["/items/1/index"]),
            ({"items": [{"index": 0, "score": 10.5}]}, "invalid_evaluation", ["/items/0/score"]),
            (
                {"items": [{"index": 0, "score": 5, "completion_tokens": 2**40}]},
                "invalid_body",
                ["/items/0/completion_tokens"],
            ),
            (
                {"items": [{"index": 0, "score": 5, "completion_tokens": -1}]},
                "invalid_body",
                ["/items/0/completion_tokens"],
            ),
            ({"items": [{"index": 0}]}, "invalid_body", ["/items/0/score"]),
            ({"subject": "run"}, "invalid_evaluation", ["/base_model"]),
            ({"subject": "base_model", "base_model": None}, "invalid_evaluation", ["/base_model"]),
            ({"subject": "run", "base_model": None, "run_id": "none"}, "unknown_reference", ["/run_id"]),
            ({"suite_id": "none"}, "unknown_reference", ["/suite_id"]),
            ({"recommendation_id": "none"}, "unknown_reference", ["/recommendation_id"]),
            ({"provider": "Nobody!"}, "invalid_body", ["/provider"]),
        ],
    )
    async def test_an_evaluation_that_cannot_be(
        self, api: httpx.AsyncClient, counts: Counts, suite: Json, body: Json, code: str, pointers: list[str]
    ) -> None:
        before = await counts()
        whole = {
            "loop_id": "letters",
            "suite_id": suite["id"],
            "subject": "base_model",
            "base_model": "m",
            "items": [{"index": 0, "score": 5}],
        }
        refused(await api.post("/v1/evaluations", json=whole | body), 400, code, *pointers)
        assert await counts() == before

    async def test_a_baseline_that_is_none(self, api: httpx.AsyncClient, counts: Counts, suite: Json) -> None:
        run = await finish(
            api, await first_run(api, "letters", await upload(api, "training", rows(60), loop="letters"))
        )
        of_run = await register(api, "letters", suite, [5] * 4, subject="run", run_id=run["id"])
        unscored = await register(api, "letters", suite, [None] * 4)
        await make_loop(api, "other")
        elsewhere = await register(api, "other", await make_suite(api, "other"), [5] * 30)
        before = await counts()
        for evaluation in (of_run, unscored, elsewhere):
            body = {"evaluation_id": evaluation["id"]}
            refused(await api.put("/v1/loops/letters/baseline", json=body), 400, "invalid_baseline", "/evaluation_id")
        nothing = {"evaluation_id": "none"}
        refused(await api.put("/v1/loops/letters/baseline", json=nothing), 400, "unknown_reference", "/evaluation_id")
        assert await counts() == before

    @pytest.mark.parametrize("text", ["\\u0000", "\\ud800"])
    async def test_a_held_out_row_whose_text_cannot_be_kept(
        self, api: httpx.AsyncClient, counts: Counts, suite: Json, text: str
    ) -> None:
        row = '{"messages": [{"role": "user", "content": "x%s%d"}, {"role": "assistant", "content": "b"}]}\n'
        content = "".join(row % (text, number) for number in range(12)).encode()
        dataset = ok(await api.post("/v1/datasets", json={"name": "odd"}), 201)
        response = await api.post(f"/v1/datasets/{dataset['id']}/versions", content=content)
        if response.status_code == 400:
            refused(response, 400, "invalid_dataset")
            return
        before = await counts()
        body = {"loop_id": "letters", "name": "odd", "dataset_version_id": response.json()["id"]}
        grader = {
            "type": "string_check",
            "name": "x",
            "input": "{{sample.output_text}}",
            "reference": "b",
            "operation": "eq",
        }
        response = await api.post("/v1/eval-suites", json=body | {"graders": [{"name": "g", "grader": grader}]})
        assert response.json()["code"] in ("invalid_text", "invalid_eval_row", "invalid_suite")
        refused(response, 400, response.json()["code"])
        assert await counts() == before


async def test_a_decision_on_a_superseded_recommendation(api: httpx.AsyncClient, counts: Counts) -> None:
    await make_loop(api)
    old = ok(await api.get("/v1/loops/letters/next"))["action"]["recommendation_id"]
    await upload(api, "training", rows(60), loop="letters")
    new = ok(await api.get("/v1/loops/letters/next"))["action"]["recommendation_id"]
    assert new != old
    before = await counts()
    for verdict in ("accepted", "declined"):
        response = await api.put(f"/v1/recommendations/{old}/decision", json={"verdict": verdict})
        refused(response, 409, "recommendation_superseded")
    refused(
        await api.put(f"/v1/recommendations/{new}/decision", json={"verdict": "maybe"}), 400, "invalid_body", "/verdict"
    )
    refused(await api.put("/v1/recommendations/rec_x/decision", json={"verdict": "accepted"}), 404, "not_found")
    assert await counts() == before
