"""Datasets over HTTP: uploads whole or refused, and quality reports."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.api.conftest import MAX_UPLOAD_BYTES
from tests.api.counting import Counts
from tests.api.dataset_driving import DUPLICATED, FILLING, OPEN, OPPOSED, chat, checked, jsonl, new_dataset, send
from tests.api.driving import EXACT, Json, make_loop, ok, refused, upload
from tests.core.dataset_samples import labelled

from whatnext_service.flows import report_quality as flow
from whatnext_service.flows.context import Services
from whatnext_service.flows.report_quality import give_up, refresh_quality
from whatnext_service.store.leases import lease

QUALITY = "/v1/dataset-versions/{}/quality"


async def suite_of(api: httpx.AsyncClient, loop: str, name: str, content: bytes, role: str = "selection") -> Json:
    held_out = await upload(api, f"{loop} {name}", content)
    body = {"loop_id": loop, "name": name, "role": role, "dataset_version_id": held_out["id"], "graders": [EXACT]}
    return ok(await api.post("/v1/eval-suites", json=body), 201)


async def test_conversations_without_an_answer_are_only_for_rft(api: httpx.AsyncClient) -> None:
    dataset = await new_dataset(api)
    problem = refused(await send(api, dataset, jsonl(*OPEN)), 400, "invalid_dataset")
    assert "ends_without_answer x12" in problem["detail"]
    version = ok(await send(api, dataset, jsonl(*OPEN), method="rft"), 201)
    assert (version["method"], version["warning_counts"]) == ("rft", {"no_grader_fields": 12})


async def test_a_file_for_another_method_than_announced_is_refused(api: httpx.AsyncClient) -> None:
    dataset = await new_dataset(api)
    problem = refused(await send(api, dataset, jsonl(*FILLING), method="dpo"), 400, "invalid_dataset")
    assert "unexpected_format x20" in problem["detail"]
    refused(await send(api, dataset, jsonl(*FILLING), method="magic"), 400, "invalid_parameter")
    assert ok(await send(api, dataset, jsonl(*FILLING), method="sft"), 201)["method"] == "sft"


async def test_nothing_is_stored_of_a_refused_file_and_all_faults_are_counted(
    api: httpx.AsyncClient, counts: Counts
) -> None:
    dataset = await new_dataset(api)
    before = await counts()
    faulty = jsonl(*FILLING) + b"nonsense\n" * 150
    problem = refused(await send(api, dataset, faulty), 400, "invalid_dataset")
    assert "not_json x150" in problem["detail"]
    assert [error["pointer"] for error in problem["errors"]] == [f"/{line}" for line in range(21, 121)]
    assert all("Write each row as one JSON object" in error["message"] for error in problem["errors"])
    assert await counts() == before


async def test_the_same_bytes_are_one_version(api: httpx.AsyncClient) -> None:
    dataset = await new_dataset(api)
    answers = await asyncio.gather(*(send(api, dataset, jsonl(*FILLING)) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert ok(await api.get(f"/v1/datasets/{dataset}"))["n_versions"] == 1


async def test_a_report_is_pending_until_it_is_made(api: httpx.AsyncClient, services: Services) -> None:
    version = await upload(api, "data", jsonl(*DUPLICATED))
    pending = await api.get(QUALITY.format(version["id"]))
    assert (pending.json()["status"], pending.json()["n_rows"], pending.json()["n_rows_done"]) == ("pending", 21, 0)
    assert (pending.json()["verdict"], pending.json()["checks"]) == (None, [])
    refused(await api.get(QUALITY.format(version["id"]) + "/rows"), 409, "quality_missing")
    report = await checked(api, services, version)
    assert (report["status"], report["n_rows_done"], report["verdict"]) == ("ready", 21, "critical")
    checks = {check["code"]: check for check in report["checks"]}
    assert checks["exact_duplicates"]["operation"] == "drop_duplicates"
    assert [row["line"] for row in checks["exact_duplicates"]["rows"]] == [21]
    assert [(pair["kind"], pair["first"]["line"], pair["second"]["line"]) for pair in report["pairs"]] == [
        ("exact_duplicate", 4, 21)
    ]
    moved = await api.get(QUALITY.format(version["id"]), headers={"If-None-Match": pending.headers["etag"]})
    assert moved.status_code == 200
    again = await api.get(QUALITY.format(version["id"]), headers={"If-None-Match": moved.headers["etag"]})
    assert again.status_code == 304


async def test_both_sides_of_a_contradiction_can_be_read(api: httpx.AsyncClient, services: Services) -> None:
    report = await checked(api, services, await upload(api, "data", jsonl(*OPPOSED)))
    pair = next(pair for pair in report["pairs"] if pair["kind"] == "contradiction")
    assert {pair["first"]["answer"], pair["second"]["answer"]} == {"City 5", "No city"}
    assert pair["first"]["prompt"] == pair["second"]["prompt"] == "What is the capital of country number 5?"


async def test_a_report_is_made_of_text_that_a_database_cannot_hold(api: httpx.AsyncClient, services: Services) -> None:
    rows = [*FILLING, chat("a NUL \0 and a backslash \\u0000", "yes"), chat("a NUL \0 and a backslash \\u0000", "no")]
    report = await checked(api, services, await upload(api, "data", jsonl(*rows)))
    pair = next(pair for pair in report["pairs"] if pair["kind"] == "contradiction")
    assert pair["first"]["prompt"] == "a NUL \N{REPLACEMENT CHARACTER} and a backslash \\u0000"


async def test_leaks_are_named_by_the_set_they_leak_into(api: httpx.AsyncClient, services: Services) -> None:
    loop = await make_loop(api)
    await suite_of(api, loop["slug"], "choosing", jsonl(*FILLING))
    await suite_of(api, loop["slug"], "sealed", jsonl(*(chat(f"Say {n}.", "yes") for n in range(12))), "final_test")
    training = [chat(f"How far is the moon from planet {n}, in miles?", str(n)) for n in range(30)]
    version = await upload(api, "training", jsonl(*training, FILLING[7], chat("Say 3.", "no")), loop=loop["id"])
    report = await checked(api, services, version)
    assert {(each["role"], each["name"]) for each in report["compared_with"]} == {
        ("selection", "choosing"),
        ("final_test", "sealed"),
    }
    leaks = {(pair["second"]["dataset"], pair["second"]["line"]) for pair in report["pairs"] if pair["kind"] == "leak"}
    assert leaks == {("choosing", 8), ("sealed", 4)}
    assert next(check for check in report["checks"] if check["code"] == "leakage")["verdict"] == "critical"


async def test_a_new_suite_has_the_newest_version_checked_again(api: httpx.AsyncClient, services: Services) -> None:
    loop = await make_loop(api)
    version = await upload(api, "training", jsonl(*FILLING), loop=loop["id"])
    assert (await checked(api, services, version))["compared_with"] == []
    await refresh_quality(services, loop["id"])
    assert ok(await api.get(QUALITY.format(version["id"])))["status"] == "ready"
    await suite_of(api, loop["slug"], "choosing", jsonl(*(chat(f"Say {n}.", "yes") for n in range(12))))
    await refresh_quality(services, loop["id"])
    stale = ok(await api.get(QUALITY.format(version["id"])))
    assert stale["status"] == "pending"
    assert stale["checks"], "the last findings stay until there are new ones"
    assert [each["name"] for each in (await checked(api, services, version))["compared_with"]] == ["choosing"]


async def test_suspect_labels_are_counted_on_the_version_and_ranked(api: httpx.AsyncClient, services: Services) -> None:
    rows = labelled(300)
    wrong = (10, 50, 101)
    for at in wrong:
        rows[at] = (rows[at][0], next(label for _, label in rows if label != rows[at][1]))
    version = await upload(api, "labels", jsonl(*(chat(text, label) for text, label in rows)))
    assert version["n_label_suspects"] is None
    report = await checked(api, services, version)
    counted = ok(await api.get(f"/v1/dataset-versions/{version['id']}"))["n_label_suspects"]
    assert counted == report["n_label_suspects"] == 3
    page = ok(await api.get(QUALITY.format(version["id"]) + "/rows", params={"check": "label_errors", "limit": 3}))
    assert {row["line"] for row in page["data"]} == {at + 1 for at in wrong}
    confidence = [row["label_confidence"] for row in page["data"]]
    assert confidence == sorted(confidence)
    assert all("label_errors" in row["checks"] for row in page["data"])


async def test_rows_are_paged_worst_first_each_once(api: httpx.AsyncClient, services: Services) -> None:
    version = await upload(api, "data", jsonl(*DUPLICATED))
    await checked(api, services, version)
    path = QUALITY.format(version["id"]) + "/rows"
    found: list[Json] = []
    cursor: str | None = "0"
    while cursor is not None:
        page = ok(await api.get(path, params={"limit": 4, "cursor": cursor}))
        found += page["data"]
        cursor = page["next_cursor"]
    assert sorted(row["line"] for row in found) == list(range(1, 22))
    assert (found[0]["line"], found[0]["checks"]) == (21, ["exact_duplicates"])
    assert [row["score"] for row in found] == sorted(row["score"] for row in found)
    assert [row["line"] for row in ok(await api.get(path, params={"check": "exact_duplicates"}))["data"]] == [21]
    refused(await api.get(path, params={"check": "magic"}), 400, "invalid_parameter")
    refused(await api.get(path, params={"cursor": "\u0663"}), 400, "invalid_cursor")


async def test_a_report_that_cannot_be_made_says_so(api: httpx.AsyncClient, services: Services) -> None:
    version = await upload(api, "data", jsonl(*FILLING))
    await give_up(services, version["id"], "the disk is full")
    report = ok(await api.get(QUALITY.format(version["id"])))
    assert (report["status"], report["failure"]) == ("failed", "the disk is full")


@pytest.mark.parametrize("path", ["", "/rows"])
async def test_reports_are_of_one_workspace(api: httpx.AsyncClient, stranger: httpx.AsyncClient, path: str) -> None:
    version = await upload(api, "data", jsonl(*FILLING))
    refused(await stranger.get(QUALITY.format(version["id"]) + path), 404, "not_found")


async def test_a_large_report_is_made_elsewhere_and_stored_alike(
    api: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "LARGE_BYTES", 1)
    version = await upload(api, "data", jsonl(*DUPLICATED))
    report = await checked(api, services, version)
    assert (report["status"], report["n_rows_done"], report["verdict"]) == ("ready", 21, "critical")


async def test_a_report_under_way_is_left_to_who_makes_it(api: httpx.AsyncClient, services: Services) -> None:
    version = await upload(api, "data", jsonl(*FILLING))
    async with lease(services.pool, f"quality {version['id']}"):
        assert (await checked(api, services, version))["status"] == "pending"
    assert (await checked(api, services, version))["status"] == "ready"


async def test_a_file_that_announces_itself_too_large_is_not_read(api: httpx.AsyncClient) -> None:
    dataset = await new_dataset(api)

    async def unread() -> AsyncIterator[bytes]:
        yield pytest.fail("the body was read")

    headers = {"Content-Length": str(MAX_UPLOAD_BYTES + 1)}
    answer = await api.post(f"/v1/datasets/{dataset}/versions", content=unread(), headers=headers)
    problem = refused(answer, 413, "too_large")
    assert problem["detail"] == "The upload is 4194305 bytes; at most 4194304 are taken."
