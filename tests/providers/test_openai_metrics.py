import json
import math
from pathlib import Path
from typing import Any

import pytest
from tests.providers.loopback import Loopback, Reply
from tests.providers.payloads import event, page

from whatnext_service.providers.openai import OpenAIPlatform
from whatnext_service.providers.openai_metrics import metric_points
from whatnext_service.providers.openai_wire import WireEvent

EVENTS = "GET /v1/fine_tuning/jobs/ftjob-1/events"
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "openai_csv"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the folder of real records is not here")


def points(*events: WireEvent) -> list[tuple[int, str, float]]:
    return [(point.step, point.name, point.value) for point in metric_points(events)]


def said(message: str, data: object = None) -> WireEvent:
    return WireEvent(message=message, data=data)


async def test_pages_of_newest_events_become_points_in_order_of_step(
    server: Loopback, platform: OpenAIPlatform
) -> None:
    pages = {
        "": page(
            event("Job succeeded."),
            event("Step 2/2: training loss=0.50", {"step": 2, "total_steps": 2, "train_loss": 0.498}, id="e2"),
            has_more=True,
        ),
        "e2": page(event("Step 1/2: training loss=0.90", {"step": 1, "total_steps": 2, "train_loss": 0.9}), event("x")),
    }
    server.on(EVENTS, lambda request: Reply(pages[request.query.get("after", "")]))
    found = await platform.metrics("ftjob-1")
    assert [(p.step, p.name, p.value) for p in found] == [(1, "train_loss", 0.9), (2, "train_loss", 0.498)]


async def test_values_that_are_no_number_survive(server: Loopback, platform: OpenAIPlatform) -> None:
    body = b"""{"data": [{"id": "e", "message": "m", "type": "metrics", "data":
        {"step": 3, "train_loss": NaN, "valid_loss": Infinity, "full_valid_loss": "NaN", "note": "x", "flag": true,
         "empty": null}}], "has_more": false}"""
    server.on(EVENTS, Reply(body))
    found = {point.name: point.value for point in await platform.metrics("ftjob-1")}
    assert set(found) == {"train_loss", "valid_loss", "full_valid_loss"}
    assert math.isnan(found["train_loss"])
    assert math.isinf(found["valid_loss"])
    assert math.isnan(found["full_valid_loss"])


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Step 100: training loss=0.0016", [(100, "train_loss", 0.0016)]),
        (
            "Step 240/240: training loss=0.00, validation loss=0.02, full validation loss=0.40",
            [(240, "full_valid_loss", 0.4), (240, "train_loss", 0.0), (240, "valid_loss", 0.02)],
        ),
        ("Step 7/20: training loss=1.2e-05", [(7, "train_loss", 1.2e-05)]),
        (
            "Step 10/20: train mean reward=-0.42, full validation mean reward=0.68",
            [(10, "full_valid_mean_reward", 0.68), (10, "train_mean_reward", -0.42)],
        ),
        ("Step 3: surprise=1.0", []),
        ("Step 3: training loss=much", []),
        ("Training hours billed: 0.500", []),
        ("Created fine-tuning job: ftjob-1", []),
        ("", []),
    ],
)
def test_messages_stand_in_where_there_are_no_data(message: str, expected: list[tuple[int, str, float]]) -> None:
    assert points(said(message)) == expected


def test_a_diverged_message_is_a_number_that_is_none() -> None:
    ((step, name, value),) = points(said("Step 9/20: training loss=nan"))
    assert (step, name) == (9, "train_loss")
    assert math.isnan(value)


def test_exact_data_beat_the_rounded_message_and_the_message_fills_the_gap() -> None:
    both = said("Step 5: training loss=0.50, validation loss=0.70", {"step": 5.0, "train_loss": 0.4981})
    assert points(both) == [(5, "train_loss", 0.4981), (5, "valid_loss", 0.7)]


def test_the_newest_of_two_values_for_a_step_wins() -> None:
    newest, older = said("", {"step": 5, "train_loss": 0.2}), said("", {"step": 5, "train_loss": 0.3})
    assert points(newest, older) == [(5, "train_loss", 0.2)]


def test_a_step_missing_in_the_data_is_taken_from_the_message() -> None:
    assert points(said("Step 10/20: whatever", {"train_mean_reward": 0.42})) == [(10, "train_mean_reward", 0.42)]


@pytest.mark.parametrize("data", [None, [], "x", {"step": "?"}, {"step": -1, "a": 1.0}, {"step": 1.5, "a": 1.0}, {}])
def test_events_without_a_step_are_passed_over(data: Any) -> None:
    assert points(said("New type of event", data)) == []


@real
def test_a_real_azure_job_gives_its_curve() -> None:
    pages = json.loads((REAL / "azure_tutorial_events.json").read_text())
    found = points(*(WireEvent(message=e["message"], data=e.get("data")) for e in pages["data"]))
    train = [(step, value) for step, name, value in found if name == "train_loss"]
    assert [step for step, _ in train] == [50, 60, 70, 80, 90, 100]
    assert train[-1] == (100, 0.001647822093218565)
    assert len(found) == 6 * 6


@real
def test_real_openai_events_keep_their_exact_values() -> None:
    records = json.loads((REAL / "openai_sft_events_REAL_AND_DOC.json").read_text())
    found = points(*(WireEvent(message=r["event"]["message"], data=r["event"]["data"]) for r in records))
    assert (240, "train_loss", 3.4570693969726562e-06) in found
    assert (300, "full_valid_loss", 0.4032616495084362) in found
    assert {name for _, name, _ in found} == {
        *("train_loss", "valid_loss", "full_valid_loss"),
        *("train_mean_token_accuracy", "valid_mean_token_accuracy", "full_valid_mean_token_accuracy"),
    }


@real
def test_a_graders_own_scores_do_not_pass_for_the_totals() -> None:
    """The record holds the reward twice and the grader's own mean beside it (0.447); only the total counts."""
    data = json.loads((REAL / "openai_rft_event_doc_EXAMPLE.json").read_text())["data"]
    found = {name: value for _, name, value in points(said("Step 10/20: x", data))}
    assert found["train_mean_reward"] == 0.4215686274509804
    assert found["full_valid_mean_reward"] == 0.675
    assert 0.4471057884231537 not in found.values()
    assert "total_steps" not in found
