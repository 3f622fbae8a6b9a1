"""Every kind of real file goes through an upload and comes back with the right answer, never a fault of the service."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from tests.api.driving import ok, refused

from whatnext_service.flows import look_up
from whatnext_service.flows.context import Services
from whatnext_service.flows.provider_content import provider_content
from whatnext_service.flows.report_quality import report_quality

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "datasets"

STORED: dict[str, tuple[int, str, dict[str, int]]] = {
    "bptlab_Chat_Formatted_Dataset.json": (11, "sft", {"json_array": 1}),
    "cookbook_toy_chat_RECONSTRUCTED.jsonl": (5, "sft", {"no_user_message": 1, "too_few_examples": 1}),
    "extract_snips_train.jsonl": (350, "sft", {}),
    "extract_snips_valid.jsonl": (120, "sft", {}),
    "foundry_chartqa_images_train.jsonl": (100, "sft", {}),
    "foundry_dpo_chat_12.jsonl": (12, "dpo", {}),
    "foundry_dpo_orca_TRIMMED120.jsonl": (120, "dpo", {}),
    "foundry_gsm8k_train.jsonl": (449, "sft", {}),
    "foundry_gsm8k_validation.jsonl": (50, "sft", {}),
    "foundry_rft_countdown_train.jsonl": (100, "rft", {}),
    "foundry_rft_countdown_valid.jsonl": (50, "rft", {}),
    "foundry_rft_math_100.jsonl": (100, "rft", {}),
    "foundry_rft_math_dups_TRIMMED600.jsonl": (600, "rft", {"duplicate_row": 5}),
    "foundry_rft_toolcall_train.jsonl": (10, "rft", {}),
    "foundry_rft_toolcall_valid_SCHEMA_DIFFERS.jsonl": (10, "rft", {}),
    "foundry_toolcall_train.jsonl": (86, "sft", {}),
    "foundry_toolcall_validation.jsonl": (10, "sft", {}),
    "foundry_zava_multiturn_tools_TRIMMED15.jsonl": (15, "sft", {}),
    "historygpt_train.jsonl": (82, "sft", {}),
    "historygpt_val.jsonl": (19, "sft", {}),
    "intent_clinc20_test.jsonl": (320, "sft", {}),
    "intent_clinc20_train.jsonl": (520, "sft", {}),
    "intent_clinc20_val.jsonl": (210, "sft", {}),
    "jobgpt_train_contradictory.jsonl": (15, "sft", {"contradiction": 3}),
    "mentalhealth_train_contradict.jsonl": (102, "sft", {"contradiction": 2}),
    "moodswing_train_label_case_mismatch.jsonl": (80, "sft", {}),
    "moodswing_train_promptV2.jsonl": (80, "sft", {}),
    "moodswing_val.jsonl": (20, "sft", {}),
    "murd_legacy_prompt_completion.jsonl": (33, "sft", {"contradiction": 2, "legacy_format": 1}),
    "nlbse_bitcoin_HUGE_LINE_128k.jsonl": (300, "sft", {"duplicate_row": 1}),
    "nmap_train_contradict.jsonl": (46, "sft", {"contradiction": 2}),
    "pdm_genset_train6_EQUALS_val6.jsonl": (50, "sft", {}),
    "pdm_genset_val2_contradict.jsonl": (17, "sft", {"contradiction": 2}),
    "project3_dataset_blank_lines.jsonl": (90, "sft", {"blank_line": 4, "duplicate_row": 36}),
    "project3_train_36dups.jsonl": (90, "sft", {"duplicate_row": 36}),
    "project3_validation_all_in_train.jsonl": (30, "sft", {"duplicate_row": 1}),
    "rhakbari_legacy_val_contradict_TRIMMED200.jsonl": (200, "sft", {"contradiction": 4, "legacy_format": 1}),
    "synthetic_mutations/SYNTHETIC_bom.jsonl": (4, "sft", {"no_user_message": 1, "too_few_examples": 1}),
    "synthetic_mutations/SYNTHETIC_crlf.jsonl": (4, "sft", {"no_user_message": 1, "too_few_examples": 1}),
    "synthetic_mutations/SYNTHETIC_json_array.jsonl": (
        4,
        "sft",
        {"json_array": 1, "no_user_message": 1, "too_few_examples": 1},
    ),
    "tinker_conversations_128.jsonl": (128, "sft", {}),
    "tuningtitans_legacy_10rows.jsonl": (10, "sft", {"legacy_format": 1}),
}
"""Rows, method and warnings of the files that are stored."""

REFUSED: dict[str, dict[str, int]] = {
    "banking77_test.csv": {"not_json": 3084},
    "jobgpt_train_BAD_JSON_line.jsonl": {"not_json": 1},
    "jobgpt_validation_EMPTY_ASSISTANT_row11.jsonl": {"empty_answer": 1},
    "synthetic_mutations/SYNTHETIC_utf16.jsonl": {"wrong_encoding": 1},
    "synthetic_mutations/SYNTHETIC_wrong_roles.jsonl": {
        "bad_content": 1,
        "bad_messages": 1,
        "ends_without_answer": 1,
        "unknown_role": 2,
    },
}
"""Faults of the files that are not."""

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real files is not here")


async def send(api: httpx.AsyncClient, name: str) -> httpx.Response:
    dataset = ok(await api.post("/v1/datasets", json={"name": name}), 201)
    return await api.post(f"/v1/datasets/{dataset['id']}/versions", content=(DATA / name).read_bytes())


def test_the_table_is_complete() -> None:
    files = {path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file()}
    assert files == STORED.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", STORED)
async def test_a_sound_file_is_stored_and_checked(
    api: httpx.AsyncClient, services: Services, workspace: str, name: str
) -> None:
    n_examples, method, warnings = STORED[name]
    version = ok(await send(api, name), 201)
    assert (version["n_examples"], version["method"], version["warning_counts"]) == (n_examples, method, warnings)
    assert all(warning["remedy"] for warning in version["warnings"])
    await report_quality(services, version["id"], asyncio.Lock())
    report = ok(await api.get(f"/v1/dataset-versions/{version['id']}/quality"))
    assert (report["status"], report["n_rows_done"]) == ("ready", n_examples)
    assert len(report["checks"]) == 19
    async with services.begin(workspace) as tx:
        stored = await look_up.find_version(tx, version["id"])
    async with provider_content(services, workspace, stored) as (n_bytes, chunks):
        plain = b"".join([chunk async for chunk in chunks])
    assert len(plain) == n_bytes
    assert not plain.startswith(b"\xef\xbb\xbf")
    assert plain.rstrip(b"\n").count(b"\n") == n_examples - 1
    assert b'"completion"' not in plain[:200]


@pytest.mark.parametrize("name", REFUSED)
async def test_a_faulty_file_is_refused_with_every_fault_counted(api: httpx.AsyncClient, name: str) -> None:
    problem = refused(await send(api, name), 400, "invalid_dataset")
    counts = {code: int(count) for code, count in re.findall(r"(\w+) x(\d+)", problem["detail"])}
    assert counts == REFUSED[name]
    assert len(problem["errors"]) == min(sum(counts.values()), 100)
    assert {error["message"].split(":")[0] for error in problem["errors"]} == counts.keys()
    assert ok(await api.get("/v1/datasets"))["data"][0]["n_versions"] == 0
