"""What `next` sends to mend data, sent as it stands: the report of what comes of it finds the fault no more."""

import httpx
import pytest
from tests.api.dataset_driving import chat, checked, derive, jsonl
from tests.api.driving import EXACT, Json, make_loop, ok, upload
from tests.core.dataset_samples import labelled, preference

from whatnext_service.flows.context import Services

TEXTS = [text for text, _ in labelled(300)]
LABELLED = labelled(300)
WRONG = {"weather": "music", "music": "travel", "travel": "weather"}
KEY = "sk-" + "abcdefghij0123456789" * 2


def answer_to(n: int) -> str:
    return f"The answer about {TEXTS[n]} is number {n}."


SOUND = [chat(TEXTS[n], answer_to(n)) for n in range(120)]


def mislabelled() -> list[Json]:
    return [chat(text, WRONG[label] if n % 10 == 0 else label) for n, (text, label) in enumerate(LABELLED)]


SHAPED = [chat(text, f'{{"n": {n}}}') for n, text in enumerate(TEXTS[:120])]
FAULTY: dict[str, list[Json]] = {
    "exact_duplicates": [*SOUND, *SOUND[:3]],
    "near_duplicates": [*SOUND, *(chat(f"please, {TEXTS[n]}", answer_to(n)) for n in range(5))],
    "contradictions": [*SOUND, chat(TEXTS[3], "Something else."), chat(TEXTS[8], "Another thing."), SOUND[8]],
    "leakage": [*SOUND, *(chat(text, "leaked") for text in TEXTS[200:205])],
    "near_leakage": [*SOUND, *(chat(f"please, {text}", "leaked") for text in TEXTS[200:205])],
    "row_length": [*SOUND, chat("word " * 70_000, "long"), chat("another " * 70_000, "long")],
    "secrets": [*SOUND, chat("What is the key of the shop?", f"It is {KEY}.")],
    "personal_data": [*SOUND, chat("Whom shall I ask about the shop?", "Ask jo.doe@company.com, please.")],
    "answer_shape": [*SHAPED, chat("A last one?", '{"n": ')],
    "label_errors": mislabelled(),
}


async def send(api: httpx.AsyncClient, request: Json) -> Json:
    return ok(await api.request(request["method"], request["path"], json=request["body"]), 201)


@pytest.mark.parametrize("check", FAULTY)
async def test_the_request_mends_the_fault(api: httpx.AsyncClient, services: Services, check: str) -> None:
    loop = await make_loop(api)
    held_out = await upload(api, "held out", jsonl(*(chat(text, "x") for text in TEXTS[200:240])))
    suite = {"loop_id": loop["slug"], "name": "choosing", "dataset_version_id": held_out["id"], "graders": [EXACT]}
    ok(await api.post("/v1/eval-suites", json=suite), 201)
    version = await upload(api, "training", jsonl(*FAULTY[check]), loop=loop["id"])
    before = {each["code"]: each for each in (await checked(api, services, version))["checks"]}
    assert before[check]["verdict"] in ("caution", "critical")
    answer = ok(await api.get(f"/v1/loops/{loop['slug']}/next"))
    assert (answer["action"]["kind"], answer["action"]["subject_id"]) == ("fix_data", version["id"])
    assert check in {each["code"] for each in answer["evidence"]}
    made = (await send(api, answer["action"]["request"]))["version"]
    assert (made["parent_id"], made["dataset_id"]) == (version["id"], version["dataset_id"])
    after = {each["code"]: each for each in (await checked(api, services, made))["checks"]}
    assert (after[check]["verdict"], after[check]["operation"]) == ("good", None)
    again = ok(await api.get(f"/v1/loops/{loop['slug']}/next"))
    assert again["action"]["kind"] != "fix_data"


async def test_the_rows_of_a_check_are_dropped_and_no_others(api: httpx.AsyncClient, services: Services) -> None:
    version = await upload(api, "data", jsonl(*FAULTY["secrets"], FAULTY["personal_data"][-1]))
    await checked(api, services, version)
    shown = ok(await derive(api, version, {"kind": "drop_ids", "checks": ["secrets", "personal_data"]}, dry_run=True))
    assert shown["dropped_lines"] == [121, 122]
    both = ok(await derive(api, version, {"kind": "drop_ids", "checks": ["secrets"], "lines": [1]}, dry_run=True))
    assert both["dropped_lines"] == [1, 121]


async def test_checks_of_a_report_that_is_not_made_are_unknown(api: httpx.AsyncClient) -> None:
    version = await upload(api, "data", jsonl(*SOUND))
    refused = await derive(api, version, {"kind": "drop_ids", "checks": ["secrets"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "quality_missing")


async def test_pairs_become_answers_where_only_those_may_be_learnt(api: httpx.AsyncClient) -> None:
    loop = await make_loop(api, choices={"methods": ["sft"]})
    rows = [preference(text, "good", "bad") for text in TEXTS[:60]]
    await upload(api, "training", jsonl(*rows), loop=loop["id"])
    answer = ok(await api.get(f"/v1/loops/{loop['slug']}/next"))
    made = (await send(api, answer["action"]["request"]))["version"]
    assert (made["method"], made["n_examples"], made["derived_by"]) == ("sft", 60, ["convert"])
