"""Lists: pages in a stable order, whatever is added meanwhile, and filters."""

import httpx
import pytest
from tests.api.driving import Json, finish, first_run, make_loop, make_suite, ok, refused, register, rows, upload


async def walk(api: httpx.AsyncClient, path: str, **params: object) -> list[Json]:
    found: list[Json] = []
    cursor: str | None = None
    for _ in range(50):
        page = ok(await api.get(path, params=params | ({"cursor": cursor} if cursor else {})))  # type: ignore[arg-type]
        found += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found
    raise AssertionError("the list does not end")


async def test_pages_are_newest_first_and_complete(api: httpx.AsyncClient) -> None:
    made = [(await make_loop(api, f"loop-{number}"))["id"] for number in range(7)]
    assert [loop["id"] for loop in await walk(api, "/v1/loops", limit=3)] == made[::-1]
    assert [loop["id"] for loop in await walk(api, "/v1/loops", limit=7)] == made[::-1]


async def test_what_is_added_meanwhile_moves_no_page(api: httpx.AsyncClient) -> None:
    made = [(await make_loop(api, f"loop-{number}"))["id"] for number in range(4)]
    first = ok(await api.get("/v1/loops?limit=2"))
    await make_loop(api, "late")
    second = ok(await api.get("/v1/loops", params={"limit": 2, "cursor": first["next_cursor"]}))
    assert [loop["id"] for loop in first["data"] + second["data"]] == made[::-1]
    assert second["next_cursor"] is None


LISTS = [
    "/v1/loops",
    "/v1/datasets",
    "/v1/runs",
    "/v1/eval-suites",
    "/v1/evaluations",
    "/v1/diagnoses",
    "/v1/recommendations",
    "/v1/deployments",
    "/v1/events",
    "/v1/keys",
]


@pytest.mark.parametrize("path", LISTS)
async def test_a_cursor_from_elsewhere_is_refused(api: httpx.AsyncClient, path: str) -> None:
    for cursor in ("rubbish", "whe_00000000000000000000000000", "\u2603"):
        refused(await api.get(path, params={"cursor": cursor}), 400, "invalid_cursor")


@pytest.mark.parametrize("path", [path for path in LISTS if path not in ("/v1/loops", "/v1/keys", "/v1/events")])
async def test_lists_are_filtered_by_loops(api: httpx.AsyncClient, path: str) -> None:
    for slug in ("a", "b", "c"):
        await make_loop(api, slug)
        version = await upload(api, f"training-{slug}", rows(60), loop=slug)
        suite = await make_suite(api, slug)
        run = await finish(api, await first_run(api, slug, version))
        await register(api, slug, suite, [5.0] * 30, subject="run", run_id=run["id"])
        ok(await api.get(f"/v1/loops/{slug}/next"))
        body = {"loop_id": slug, "run_id": run["id"], "override_reason": "for the test"}
        answer = await api.post("/v1/deployments", json=body)
        refused(answer, 409, "not_served")
    everything = await walk(api, path)
    ids = {loop["slug"]: loop["id"] for loop in await walk(api, "/v1/loops")}
    of_a = [each["id"] for each in everything if each["loop_id"] == ids["a"]]
    of_two = [each["id"] for each in everything if each["loop_id"] in (ids["a"], ids["b"])]
    assert [each["id"] for each in await walk(api, path, loop_id="a")] == of_a
    assert [each["id"] for each in await walk(api, path, loop_id=["a", ids["b"]])] == of_two
    refused(await api.get(path, params={"loop_id": "nothing"}), 404, "not_found")
    if path != "/v1/deployments":
        assert len(of_a) >= 1


async def test_events_are_filtered_by_loop(api: httpx.AsyncClient) -> None:
    for slug in ("a", "b"):
        await make_loop(api, slug)
        ok(await api.patch(f"/v1/loops/{slug}", json={"task": "new"}))
    of_a = await walk(api, "/v1/events", loop_id="a", limit=2)
    assert [event["type"] for event in of_a] == ["loop.created", "loop.changed", "loop.moved"]
    assert len({event["loop_id"] for event in of_a}) == 1
    refused(await api.get("/v1/events?loop_id=nothing"), 404, "not_found")


async def test_runs_are_filtered_by_status(api: httpx.AsyncClient) -> None:
    await make_loop(api)
    version = await upload(api, "training", rows(60), loop="letters")
    done = await finish(api, await first_run(api, "letters", version))
    going = await first_run(api, "letters", version, config={"seed": 5})
    assert [run["id"] for run in await walk(api, "/v1/runs", status="succeeded")] == [done["id"]]
    assert [run["id"] for run in await walk(api, "/v1/runs", status=["running", "succeeded"])] == [
        going["id"],
        done["id"],
    ]
    assert await walk(api, "/v1/runs", status="paused", loop_id="letters") == []


async def test_the_event_log_is_oldest_first_and_resumable(api: httpx.AsyncClient) -> None:
    await make_loop(api)
    await upload(api, "training", rows(60), loop="letters")
    events = await walk(api, "/v1/events", limit=1)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "loop.created"
    rest = ok(await api.get("/v1/events", params={"after": events[1]["id"], "limit": 100}))["data"]
    assert rest == events[2:]
    only = ok(await api.get("/v1/events", params={"type": "dataset.created"}))["data"]
    assert [event["type"] for event in only] == ["dataset.created"]


async def test_items_are_in_the_suites_order(api: httpx.AsyncClient) -> None:
    await make_loop(api)
    suite = await make_suite(api, "letters", n_items=7)
    evaluation = await register(api, "letters", suite, [1, 2, 3, None, 5, 6, 7])
    path = f"/v1/evaluations/{evaluation['id']}/items"
    items = await walk(api, path, limit=3)
    assert [(item["index"], item["combined"]) for item in items] == list(enumerate([1, 2, 3, None, 5, 6, 7]))
    for cursor in ("-1", "x", "1e3", "999999999", "٣"):
        refused(await api.get(path, params={"cursor": cursor}), 400, "invalid_cursor")
