"""Deriving dataset versions over HTTP: shown first, stored with their lineage."""

import httpx
import pytest
from tests.api.counting import Counts
from tests.api.dataset_driving import (
    DUPLICATED,
    FILLING,
    OPEN,
    OPPOSED,
    chat,
    checked,
    content,
    derive,
    jsonl,
    new_dataset,
    send,
)
from tests.api.driving import Json, ok, refused, upload

from whatnext_service.flows.context import Services

SPLIT = {"kind": "split", "parts": [{"name": "train", "share": 0.7}, {"name": "eval", "share": 0.3}]}


async def test_a_dry_run_shows_what_would_go_and_stores_nothing(api: httpx.AsyncClient, counts: Counts) -> None:
    version = await upload(api, "data", jsonl(*DUPLICATED))
    before = await counts()
    shown = ok(await derive(api, version, {"kind": "drop_duplicates"}, dry_run=True))
    assert await counts() == before
    assert (shown["version"], shown["n_before"], shown["n_after"], shown["dropped_lines"]) == (None, 21, 20, [21])
    assert shown["parts"] == [{"name": "main", "n_examples": 20, "version": None}]
    assert shown["effects"][0]["statement"] == "`drop_duplicates` drops 1 of 21 rows."
    (row,) = shown["touched"]
    assert (row["line"], row["operation"], row["answer"]) == (21, "drop_duplicates", "City 3")
    assert row["reason"] == "It says what an earlier row says."


async def test_the_derived_version_has_its_lineage_and_its_own_report(
    api: httpx.AsyncClient, services: Services
) -> None:
    version = await upload(api, "data", jsonl(*OPPOSED, FILLING[1]))
    made = ok(await derive(api, version, {"kind": "drop_contradictions"}, {"kind": "drop_duplicates"}), 201)["version"]
    assert (made["parent_id"], made["number"]) == (version["id"], 2)
    assert made["derived_by"] == ["drop_contradictions", "drop_duplicates"]
    assert (made["n_examples"], made["n_contradictions"], made["n_duplicates"]) == (19, 0, 0)
    assert await content(api, made) == [row for at, row in enumerate(FILLING) if at != 5]
    assert (await checked(api, services, made))["status"] == "ready"


async def test_rows_go_by_line_and_by_name(api: httpx.AsyncClient, services: Services) -> None:
    version = await upload(api, "data", jsonl(*FILLING))
    report = await checked(api, services, await upload(api, "other", jsonl(*DUPLICATED)))
    name = report["pairs"][0]["first"]["row_id"]
    made = ok(await derive(api, version, {"kind": "drop_ids", "lines": [1], "ids": [name]}))
    assert await content(api, made["version"]) == [row for at, row in enumerate(FILLING) if at not in (0, 3)]
    refused(await derive(api, version, {"kind": "drop_ids", "lines": [99]}), 400, "invalid_derivation")


async def test_contradictions_are_resolved_by_the_majority(api: httpx.AsyncClient) -> None:
    version = await upload(api, "data", jsonl(*OPPOSED, FILLING[5]))
    made = ok(await derive(api, version, {"kind": "fix_contradictions"}))
    assert made["dropped_lines"] == [21]
    assert (made["version"]["n_examples"], made["version"]["n_contradictions"]) == (21, 0)


async def test_operations_on_the_report_wait_for_it(api: httpx.AsyncClient, services: Services) -> None:
    nearly = chat("what is the capital of country number 3", "City 3")
    version = await upload(api, "data", jsonl(*DUPLICATED, nearly))
    refused(await derive(api, version, {"kind": "keep_by_score", "min_score": 0.5}), 409, "quality_missing")
    refused(await derive(api, version, {"kind": "drop_duplicates", "near": True}), 409, "quality_missing")
    await checked(api, services, version)
    assert ok(await derive(api, version, {"kind": "keep_by_score", "min_score": 0.5}))["dropped_lines"] == [21]
    near = ok(await derive(api, version, {"kind": "drop_duplicates", "near": True}, dry_run=True))
    assert near["dropped_lines"] == [21, 22]


async def test_examples_are_added_and_checked(api: httpx.AsyncClient) -> None:
    version = await upload(api, "data", jsonl(*FILLING))
    more = chat("What is new?", "This.")
    made = ok(await derive(api, version, {"kind": "add_examples", "examples": [more]}))
    assert (await content(api, made["version"]))[-1] == more
    assert (made["touched"][0]["line"], made["touched"][0]["prompt"]) == (0, "What is new?")
    refused(await derive(api, version, {"kind": "add_examples", "examples": [{"a": 1}]}), 400, "dataset_row_invalid")


async def test_a_split_makes_datasets_that_share_no_prompt(api: httpx.AsyncClient) -> None:
    version = await upload(api, "capitals", jsonl(*DUPLICATED))
    shown = ok(await derive(api, version, SPLIT, dry_run=True))
    made = ok(await derive(api, version, SPLIT))
    assert made["version"] == made["parts"][0]["version"]
    assert [part["name"] for part in made["parts"]] == ["train", "eval"]
    assert [part["n_examples"] for part in made["parts"]] == [part["n_examples"] for part in shown["parts"]]
    assert sum(part["n_examples"] for part in made["parts"]) == 21
    datasets = {each["id"]: each["name"] for each in ok(await api.get("/v1/datasets"))["data"]}
    parts = [part["version"] for part in made["parts"]]
    assert [datasets[part["dataset_id"]] for part in parts] == ["capitals-train", "capitals-eval"]
    assert {(part["parent_id"], tuple(part["derived_by"])) for part in parts} == {(version["id"], ("split",))}
    train, held_out = [{str(row["messages"][0]) for row in await content(api, part)} for part in parts]
    assert train.isdisjoint(held_out)
    again = ok(await derive(api, version, SPLIT))
    assert [part["version"]["id"] for part in again["parts"]] == [part["id"] for part in parts]


async def test_formats_are_converted(api: httpx.AsyncClient) -> None:
    version = await upload(api, "data", jsonl(*FILLING))
    made = ok(await derive(api, version, {"kind": "convert", "method": "rft"}))["version"]
    assert made["method"] == "rft"
    assert (await content(api, made))[0] == {"messages": FILLING[0]["messages"][:1], "reference_answer": "City 0"}
    refused(await derive(api, version, {"kind": "convert", "method": "dpo"}), 400, "conversion_impossible")


async def test_a_file_announced_as_rft_stays_so(api: httpx.AsyncClient) -> None:
    dataset = await new_dataset(api)
    version = ok(await send(api, dataset, jsonl(*OPEN, OPEN[2]), method="rft"))
    made = ok(await derive(api, version, {"kind": "drop_duplicates"}))["version"]
    assert (made["method"], made["n_examples"]) == ("rft", 12)


async def test_an_array_comes_out_as_lines(api: httpx.AsyncClient) -> None:
    pretty = b"[\n  " + b",\n  ".join(jsonl(row).replace(b", ", b",\n    ") for row in DUPLICATED) + b"]"
    version = await upload(api, "data", pretty)
    assert version["format"] == "json_array"
    made = ok(await derive(api, version, {"kind": "drop_duplicates"}))["version"]
    assert await content(api, made) == FILLING


NOTHING: list[Json] = [
    {"kind": "drop_duplicates"},
    {"kind": "drop_ids"},
    {"kind": "keep_by_score"},
    {"kind": "split", "parts": [{"name": "a", "share": 0.5}, {"name": "a", "share": 0.5}]},
    {"kind": "split", "parts": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.1}]},
    {"kind": "split", "parts": [{"name": "a", "share": 0.999}, {"name": "b", "share": 0.001}]},
    {"kind": "convert"},
    {"kind": "add_examples"},
]


@pytest.mark.parametrize("operation", NOTHING, ids=lambda operation: str(operation)[:60])
async def test_an_operation_that_cannot_be_meant_is_refused(
    api: httpx.AsyncClient, counts: Counts, operation: Json
) -> None:
    version = await upload(api, "data", jsonl(*FILLING))
    before = await counts()
    refused(await derive(api, version, operation), 400, "invalid_derivation")
    assert await counts() == before


async def test_two_versions_at_a_time_are_one(api: httpx.AsyncClient) -> None:
    version = await upload(api, "data", jsonl(*DUPLICATED))
    first, second = [ok(await derive(api, version, {"kind": "drop_duplicates"}))["version"] for _ in range(2)]
    assert first["id"] == second["id"]
