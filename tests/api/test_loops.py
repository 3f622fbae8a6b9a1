import httpx
import pytest
from tests.api.driving import make_loop, ok, refused


async def test_a_loop_is_created_with_the_methods_defaults(api: httpx.AsyncClient) -> None:
    """Method 7: margin 5 %, gain 0.1, patience 3; method 4: a scale of 1 to 10."""
    loop = await make_loop(api)
    assert loop["rules"] == {"target": None, "min_margin_pct": 5.0, "min_gain": 0.1, "patience": 3}
    assert loop["metric"] == {"name": "combined", "scale_min": 1.0, "scale_max": 10.0, "direction": "up"}
    assert loop["budget"] == {"max_runs": None, "max_cost": None, "currency": "USD", "deadline": None}
    assert loop["autopilot"] == "propose"
    assert (loop["version"], loop["n_runs"], loop["baseline_evaluation_id"]) == (1, 0, None)
    assert loop["id"].startswith("loop_")
    assert len(loop["id"]) == len("loop_") + 26


@pytest.mark.parametrize("by", ["id", "slug"])
async def test_a_loop_is_found_by_id_and_by_slug(api: httpx.AsyncClient, by: str) -> None:
    loop = await make_loop(api)
    response = await api.get(f"/v1/loops/{loop[by]}")
    assert ok(response, 200) == loop
    assert response.headers["etag"] == '"1"'


async def test_a_slug_is_taken_once(api: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    await make_loop(api)
    refused(await api.post("/v1/loops", json={"slug": "letters", "task": "x"}), 409, "slug_taken", "/slug")
    await make_loop(stranger)


async def test_patch_merges_and_null_clears(api: httpx.AsyncClient) -> None:
    loop = await make_loop(
        api, budget={"max_runs": 5, "max_cost": "10.50"}, rules={"target": 9.0}, choices={"methods": ["sft"]}
    )
    patch = {"rules": {"patience": 2}, "budget": {"max_runs": None}, "choices": {"n_epochs": {"min": 1, "max": 3}}}
    patched = ok(await api.patch("/v1/loops/letters", json=patch), 200)
    assert patched["rules"] == loop["rules"] | {"patience": 2}
    assert patched["budget"] == loop["budget"] | {"max_runs": None}
    assert patched["budget"]["max_cost"] == "10.50"
    assert patched["choices"]["methods"] == ["sft"]
    assert patched["choices"]["n_epochs"] == {"min": 1.0, "max": 3.0}
    assert patched["version"] == 2
    assert patched["state_version"] > loop["state_version"]


async def test_a_patch_without_a_change_keeps_the_version(api: httpx.AsyncClient) -> None:
    loop = await make_loop(api)
    assert ok(await api.patch("/v1/loops/letters", json={"task": loop["task"]}), 200) == loop
    assert ok(await api.patch("/v1/loops/letters", json={}), 200) == loop


@pytest.mark.parametrize("tag", ['"2"', '"0"', '"rubbish"', '"99999999999999999999"'])
async def test_if_match_of_another_version_is_refused(api: httpx.AsyncClient, tag: str) -> None:
    loop = await make_loop(api)
    refused(
        await api.patch("/v1/loops/letters", json={"task": "new"}, headers={"If-Match": tag}), 412, "version_mismatch"
    )
    assert ok(await api.get("/v1/loops/letters")) == loop


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', "*"])
async def test_if_match_of_this_version_passes(api: httpx.AsyncClient, tag: str) -> None:
    await make_loop(api)
    patched = await api.patch("/v1/loops/letters", json={"task": "new"}, headers={"If-Match": tag})
    assert ok(patched, 200)["version"] == 2
    assert patched.headers["etag"] == '"2"'


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', '"7", "1"', "*"])
async def test_if_none_match_of_this_version_is_not_modified(api: httpx.AsyncClient, tag: str) -> None:
    await make_loop(api)
    response = await api.get("/v1/loops/letters", headers={"If-None-Match": tag})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == '"1"'


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"rules": {"target": 11}}, ["/rules/target"]),
        ({"metric": {"scale_min": 5, "scale_max": 5}}, ["/metric/scale_min"]),
        ({"choices": {"n_epochs": {"min": 4, "max": 2}}}, ["/choices/n_epochs"]),
    ],
)
async def test_numbers_that_contradict_each_other_are_refused(
    api: httpx.AsyncClient, body: dict[str, object], pointers: list[str]
) -> None:
    response = await api.post("/v1/loops", json={"slug": "a", "task": "x", **body})
    refused(response, 400, "invalid_loop", *pointers)


@pytest.mark.parametrize("field", ["dataset_id", "validation_version_id"])
async def test_a_reference_to_nothing_is_a_fault_of_the_body(api: httpx.AsyncClient, field: str) -> None:
    body = {"slug": "a", "task": "x", field: "ds_00000000000000000000000000"}
    refused(await api.post("/v1/loops", json=body), 400, "unknown_reference", f"/{field}")
    await make_loop(api)
    refused(await api.patch("/v1/loops/letters", json={field: "none"}), 400, "unknown_reference", f"/{field}")
