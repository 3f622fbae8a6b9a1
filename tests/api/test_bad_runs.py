"""Bad input about runs: metrics and lineage. A clear problem, and nothing changed."""

import httpx
import pytest
from tests.api.counting import Counts
from tests.api.driving import (
    Json,
    first_run,
    make_loop,
    next_run,
    ok,
    put_curve,
    refused,
    rows,
    upload,
)

JSON = {"Content-Type": "application/json"}


class TestMetrics:
    @pytest.fixture
    async def run(self, api: httpx.AsyncClient) -> Json:
        await make_loop(api)
        return await first_run(api, "letters", await upload(api, "training", rows(60), loop="letters"))

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            (b'{"points": [{"step": 1, "values": {"train_loss": NaN}}]}', None),
            (b'{"points": [{"step": 1, "values": {"train_loss": Infinity}}]}', None),
            (b'{"points": [{"step": 1, "values": {"train_loss": 1e999}}]}', "/points/0/values"),
            (b'{"points": [{"step": 1, "values": {"train_loss": "0.5"}}]}', "/points/0/values"),
            (b'{"points": [{"step": 1, "values": {"train_loss": null}}]}', "/points/0/values"),
            (b'{"points": [{"step": -1, "values": {"train_loss": 1}}]}', "/points/0/step"),
            (b'{"points": [{"step": 1.5, "values": {"train_loss": 1}}]}', "/points/0/step"),
            (b'{"points": [{"step": 99999999999999999999, "values": {"a": 1}}]}', "/points/0/step"),
            (b'{"points": [{"step": 1, "values": {}}]}', "/points/0/values"),
            (b'{"points": [{"step": 1, "values": {"": 1}}]}', "/points/0/values"),
            (b'{"points": [{"step": 1, "values": {"a\\u0000": 1}}]}', "/points/0/values"),
            (b'{"points": []}', "/points"),
            (b'{"points": [{"step": 1, "values": {"a": 1}}, {"step": 2}]}', "/points/1/values"),
        ],
    )
    async def test_points_that_are_none(
        self, api: httpx.AsyncClient, counts: Counts, run: Json, body: bytes, pointer: str | None
    ) -> None:
        before = await counts()
        response = await api.post(f"/v1/runs/{run['id']}/metrics", content=body, headers=JSON)
        problem = refused(response, 400, response.json()["code"])
        assert pointer is None or [each["pointer"] for each in problem["errors"]] == [pointer]
        assert await counts() == before

    async def test_a_batch_sent_twice_changes_nothing(self, api: httpx.AsyncClient, counts: Counts, run: Json) -> None:
        body = {
            "points": [{"step": step, "values": {"train_loss": 2 / step, "valid_loss": 3.0}} for step in range(1, 9)]
        }
        first = ok(await api.post(f"/v1/runs/{run['id']}/metrics", json=body))
        assert (first["n_values"], first["n_new"], first["last_step"]) == (16, 16, 8)
        before = await counts()
        again = ok(await api.post(f"/v1/runs/{run['id']}/metrics", json=body))
        assert again == first | {"n_new": 0}
        assert await counts() == before

    async def test_a_value_sent_again_is_replaced(self, api: httpx.AsyncClient, run: Json) -> None:
        path = f"/v1/runs/{run['id']}/metrics"
        ok(await api.post(path, json={"points": [{"step": 1, "values": {"perplexity": 2.0}}]}))
        second = ok(await api.post(path, json={"points": [{"step": 1, "values": {"perplexity": 1.0}}]}))
        assert second["n_new"] == 0
        assert ok(await api.get(path))["series"] == [{"name": "perplexity", "steps": [1], "values": [1.0]}]

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"no record at all",
            b"a,b\nx,y\n",
            b"{}",
            b'{"log_history": []}',
            b"\x00" * 100,
            b"step,train_loss\n",
            b"[" * 9999,
        ],
    )
    async def test_a_file_that_is_no_record(
        self, api: httpx.AsyncClient, counts: Counts, run: Json, content: bytes
    ) -> None:
        await put_curve(api, run, "step,train_loss\n1,2.0\n2,1.5\n")
        before = await counts()
        response = await api.put(f"/v1/runs/{run['id']}/metrics", content=content)
        refused(response, 400, "malformed_result_file")
        assert await counts() == before

    async def test_nan_and_inf_in_a_file_are_read_as_what_they_are(self, api: httpx.AsyncClient, run: Json) -> None:
        """Method 3: cells may be empty, NaN, inf, None; a loss that is NaN means that the run diverged."""
        text = "step,train_loss,valid_loss\n1,2.0,2.1\n2,1.5,\n3,NaN,None\n4,inf,NaN\n5,nan,2.9\n"
        receipt = await put_curve(api, run, text)
        assert receipt["last_step"] == 5
        curves = await api.get(f"/v1/runs/{run['id']}/metrics")
        series = {each["name"]: each for each in ok(curves)["series"]}
        assert "NaN" not in curves.text
        assert series["train_loss"]["steps"][:2] == [1, 2]
        assert series["train_loss"]["values"] == [2.0, 1.5, None, None, None]
        assert receipt["reading"]["shape"] == "diverged"
        assert receipt["reading"]["findings"][0]["code"] == "not_finite"

    async def test_a_run_that_became_nan_is_seen_from_points(self, api: httpx.AsyncClient, run: Json) -> None:
        """JSON has no NaN: it is sent as text, and is the same evidence as in a file."""
        losses = [2.0, 1.6, 1.3, 9.0, "Infinity", "NaN", "NaN"]
        for step, loss in enumerate(losses, start=1):
            point = {"step": step, "values": {"train_loss": loss, "grad_norm": "-Infinity"}}
            receipt = ok(await api.post(f"/v1/runs/{run['id']}/metrics", json={"points": [point]}))
        assert receipt["reading"]["shape"] == "diverged"
        finding = receipt["reading"]["findings"][0]
        assert (finding["code"], finding["severity"], finding["value"]) == ("not_finite", "critical", 5.0)
        (series,) = ok(await api.get(f"/v1/runs/{run['id']}/metrics?name=train_loss"))["series"]
        assert series["values"] == [2.0, 1.6, 1.3, 9.0, None, None, None]

    @pytest.mark.parametrize("value", [None, "nan", "0.5", True, [1.0]])
    async def test_a_value_that_is_no_number(
        self, api: httpx.AsyncClient, counts: Counts, run: Json, value: object
    ) -> None:
        """Null is refused: it may mean "not measured" or "not a number", which are not the same evidence."""
        before = await counts()
        body = {"points": [{"step": 1, "values": {"train_loss": value}}]}
        refused(await api.post(f"/v1/runs/{run['id']}/metrics", json=body), 400, "invalid_body")
        assert await counts() == before

    async def test_a_result_file_above_the_limit(self, api: httpx.AsyncClient, counts: Counts, run: Json) -> None:
        before = await counts()
        response = await api.put(f"/v1/runs/{run['id']}/metrics", content=b"step,train_loss\n" + b"1,2.0\n" * 200_000)
        refused(response, 413, "too_large")
        assert await counts() == before


class TestLineage:
    async def test_a_cycle_of_parents_cannot_be_built(self, api: httpx.AsyncClient, counts: Counts) -> None:
        """A parent is named when a run is made, must be there by then, and is never changed."""
        await make_loop(api)
        version = await upload(api, "training", rows(60), loop="letters")
        first = await first_run(api, "letters", version)
        second = await next_run(api, "letters", first, n_epochs=3)
        before = await counts()
        body = {"loop_id": "letters", "parent_run_id": "letters/R3", "overrides": {"n_epochs": 4}}
        refused(await api.post("/v1/runs", json=body), 400, "unknown_reference", "/parent_run_id")
        patch = {"parent_run_id": second["id"]}
        refused(await api.patch(f"/v1/runs/{first['id']}", json=patch), 400, "invalid_body", "/parent_run_id")
        assert await counts() == before

    async def test_a_parent_in_another_loop(self, api: httpx.AsyncClient, counts: Counts) -> None:
        await make_loop(api)
        await make_loop(api, "other")
        version = await upload(api, "training", rows(60))
        first = await first_run(api, "letters", version)
        before = await counts()
        body = {"loop_id": "other", "parent_run_id": first["id"], "overrides": {"n_epochs": 4}}
        refused(await api.post("/v1/runs", json=body), 400, "unknown_reference", "/parent_run_id")
        assert await counts() == before

    @pytest.mark.parametrize(
        ("body", "code", "pointer"),
        [
            ({}, "invalid_run", "/config"),
            ({"overrides": {"n_epochs": 2}}, "invalid_run", "/config"),
            ({"config": {"base_model": "m"}}, "invalid_body", "/config/dataset_version_id"),
            (
                {"config": {"base_model": "m", "dataset_version_id": "none"}},
                "unknown_reference",
                "/config/dataset_version_id",
            ),
            ({"config": {"base_model": "", "dataset_version_id": "x"}}, "invalid_body", "/config/base_model"),
            (
                {"config": {"base_model": "m", "dataset_version_id": "x", "n_epochs": 0}},
                "invalid_body",
                "/config/n_epochs",
            ),
            ({"config": {"base_model": "m", "dataset_version_id": "x", "warmup": 1}}, "invalid_body", "/config/warmup"),
            ({"provider": "skynet"}, "invalid_body", "/provider"),
            ({"loop_id": "none"}, "unknown_reference", "/loop_id"),
        ],
    )
    async def test_a_run_that_cannot_be(
        self, api: httpx.AsyncClient, counts: Counts, body: Json, code: str, pointer: str
    ) -> None:
        await make_loop(api)
        before = await counts()
        response = await api.post("/v1/runs", json={"loop_id": "letters", "provider": "external"} | body)
        refused(response, 400, code, pointer)
        assert await counts() == before

    async def test_an_override_that_names_nothing(self, api: httpx.AsyncClient, counts: Counts) -> None:
        await make_loop(api)
        first = await first_run(api, "letters", await upload(api, "training", rows(60), loop="letters"))
        before = await counts()
        for overrides, code, pointer in (
            ({"dataset_version_id": "none"}, "unknown_reference", "/overrides/dataset_version_id"),
            ({"mood": 1}, "invalid_body", "/overrides/mood"),
            ({"n_epochs": 0}, "invalid_run", "/overrides/n_epochs"),
            ({"learning_rate_multiplier": -1.0}, "invalid_run", "/overrides/learning_rate_multiplier"),
            ({"base_model": ""}, "invalid_run", "/overrides/base_model"),
        ):
            body = {"loop_id": "letters", "parent_run_id": first["id"], "overrides": overrides}
            refused(await api.post("/v1/runs", json=body), 400, code, pointer)
        assert await counts() == before
