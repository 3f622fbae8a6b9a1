"""The asynchronous client against the real application."""

import json
from decimal import Decimal

import pytest

import whatnext
from whatnext import Overrides

EXACT = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "reference": "{{item.reference_answer}}",
    "operation": "eq",
}


def rows(n: int, *, seed: int = 0) -> bytes:
    lines = (
        {
            "messages": [
                {"role": "user", "content": f"Sort {seed} {i}"},
                {"role": "assistant", "content": f"label {i % 3}"},
            ]
        }
        for i in range(n)
    )
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


async def test_a_loop_from_its_creation_to_its_history(client: whatnext.AsyncClient) -> None:
    loop = await client.loops.create(
        slug="support-bot", task="Answer.", budget={"max_cost": Decimal("50.00"), "max_runs": 3}
    )
    assert loop.budget.max_cost == Decimal("50.00")
    assert (await client.loops.next("support-bot")).action.kind == "attach_dataset"

    dataset = await client.datasets.create(name="tickets", loop_id=loop.id)
    sent: list[tuple[int, int | None]] = []
    content = rows(60)
    version = await client.datasets.upload_version(
        dataset.id, file=content, on_progress=lambda done, total: sent.append((done, total))
    )
    assert sent == [(len(content), len(content))]
    assert version.n_examples == 60
    assert await client.dataset_versions.content(version.id).read() == content
    with pytest.raises(whatnext.VersionMismatchError):
        await client.loops.update(loop, autopilot="off", if_match=loop.version)

    held_out = await client.datasets.upload_version(
        await client.datasets.create(name="held-out"), file=iter([rows(30, seed=9)])
    )
    suite = await client.eval_suites.create(
        loop_id=loop.id, name="selection", dataset_version_id=held_out.id, graders=[{"name": "exact", "grader": EXACT}]
    )
    baseline = await client.evaluations.create(
        loop_id=loop.id,
        suite_id=suite.id,
        subject="base_model",
        base_model="gpt-4.1-mini",
        items=[{"index": i, "score": 4.0 + i % 2} for i in range(30)],
    )
    assert (await client.evaluations.wait(baseline, timeout_s=0)).combined == pytest.approx(4.5)
    answer = await client.loops.next("support-bot")
    assert answer.action.kind == "record_baseline"
    changed = await client.carry_out(answer)
    assert changed.baseline_evaluation_id == baseline.id

    config = whatnext.RunConfig(base_model="gpt-4.1-mini", dataset_version_id=version.id, n_epochs=2)
    first = await client.runs.create(loop_id=loop.id, provider="external", config=config)
    second = await client.runs.create(
        loop_id=loop.id, parent_run_id=first.id, overrides=Overrides(learning_rate_multiplier=0.5)
    )
    third = await client.runs.create(loop_id=loop.id, parent_run_id=first.id, overrides={"n_epochs": 1})
    assert (second.changed, third.changed) == (["learning_rate_multiplier"], ["n_epochs"])
    assert (await client.runs.get("support-bot/R2")).id == second.id

    await client.runs.log_metrics(first, points=[{"step": 1, "values": {"train_loss": 0.5}}])
    assert (await client.runs.metrics(first.id)).series[0].values == [0.5]
    assert [run.name async for run in client.runs.list(loop_id="support-bot", limit=2)] == ["R3", "R2", "R1"]
    assert (await client.runs.list(limit=2)).next_cursor is not None
    assert (await client.loops.history_markdown(loop)).startswith("| Run |")
    assert (await client.loops.history(loop)).rows[0].run == "R1"
    assert (await client.loops.next_markdown(loop)).startswith("**")
