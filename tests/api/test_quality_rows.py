"""The rows of a quality report as a person reads them, and having a report made again."""

import httpx
import pytest
from tests.api.dataset_driving import DUPLICATED, FILLING, OPPOSED, chat, checked, jsonl
from tests.api.driving import Json, ok, refused, upload
from tests.core.dataset_samples import preference

from whatnext_service.flows import quality_of
from whatnext_service.flows.context import Services
from whatnext_service.flows.report_quality import give_up
from whatnext_service.store.db import Pool

QUALITY = "/v1/dataset-versions/{}/quality"


async def rows_of(api: httpx.AsyncClient, version: Json, **params: object) -> list[Json]:
    found: list[Json] = ok(await api.get(QUALITY.format(version["id"]) + "/rows", params=params))["data"]
    return found


async def test_texts_come_only_when_asked_for(api: httpx.AsyncClient, services: Services) -> None:
    version = await upload(api, "data", jsonl(*OPPOSED))
    await checked(api, services, version)
    bare = await rows_of(api, version, check="contradictions")
    assert [(row["text"], row["related"]) for row in bare] == [(None, []), (None, [])]
    first, second = await rows_of(api, version, check="contradictions", include="text")
    question = "What is the capital of country number 5?"
    assert first["text"] == {"prompt": question, "answer": "City 5", "rejected": None}
    assert second["text"] == {"prompt": question, "answer": "No city", "rejected": None}
    for row, other in ((first, second), (second, first)):
        (related,) = row["related"]
        assert related == {"check": "contradictions", **{name: other[name] for name in ("line", "row_id", "text")}}
    refused(await api.get(QUALITY.format(version["id"]) + "/rows", params={"include": "all"}), 400, "invalid_parameter")


async def test_a_repeat_comes_with_what_it_repeats(api: httpx.AsyncClient, services: Services) -> None:
    nearly = chat("please, what is the capital of country number 3", "City 3")
    version = await upload(api, "data", jsonl(*DUPLICATED, nearly))
    await checked(api, services, version)
    rows = {row["line"]: row for row in await rows_of(api, version, include=["text"], limit=22)}
    assert [(each["check"], each["line"]) for each in rows[21]["related"]] == [("exact_duplicates", 4)]
    assert [(each["check"], each["line"]) for each in rows[22]["related"]] == [("near_duplicates", 4)]
    assert rows[22]["related"][0]["text"]["answer"] == "City 3"
    assert rows[1]["related"] == []


async def test_texts_are_cut_and_pairs_show_both_sides(api: httpx.AsyncClient, services: Services) -> None:
    pairs = [preference(f"{'Why? ' * 100}{n}", "good " * 90, "bad " * 90) for n in range(12)]
    version = await upload(api, "pairs", b"\xef\xbb\xbf[" + b",\n".join(jsonl(*pairs).splitlines()) + b"]")
    await checked(api, services, version)
    text = (await rows_of(api, version, include="text", limit=1))[0]["text"]
    assert {name: len(value) for name, value in text.items()} == {"prompt": 200, "answer": 200, "rejected": 200}
    assert text["rejected"].startswith("bad bad")


async def test_a_row_too_long_to_be_shown_is_not_read(
    api: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = await upload(api, "data", jsonl(*FILLING, chat("word " * 50, "long")))
    await checked(api, services, version)
    monkeypatch.setattr(quality_of, "LONGEST_SHOWN_BYTES", 200)
    rows = await rows_of(api, version, include="text", limit=21)
    assert [row["line"] for row in rows if row["text"] is None] == [21]


async def test_a_failed_report_is_made_again_when_asked(api: httpx.AsyncClient, services: Services) -> None:
    version = await upload(api, "data", jsonl(*FILLING))
    await give_up(services, version["id"], "the disk is full")
    asked = ok(await api.post(QUALITY.format(version["id"])), 200)
    assert (asked["status"], asked["failure"]) == ("pending", None)
    again = ok(await api.post(QUALITY.format(version["id"])), 200)
    assert (again["status"], again["version"]) == ("pending", asked["version"])
    made = await checked(api, services, version)
    assert made["status"] == "ready"
    assert ok(await api.post(QUALITY.format(version["id"])), 200) == made


async def test_a_report_made_by_other_rules_is_made_again_when_asked(
    api: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    version = await upload(api, "data", jsonl(*FILLING))
    await checked(api, services, version)
    await pool.execute("update quality_report set report = jsonb_set(report, '{version}', '\"2020.1\"')")
    assert ok(await api.post(QUALITY.format(version["id"])), 200)["status"] == "pending"


async def test_only_who_may_write_has_a_report_made(
    api: httpx.AsyncClient, reader: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    version = await upload(api, "data", jsonl(*FILLING))
    refused(await reader.post(QUALITY.format(version["id"])), 403, "forbidden")
    refused(await stranger.post(QUALITY.format(version["id"])), 404, "not_found")
