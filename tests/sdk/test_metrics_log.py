"""Logged metrics: in the background, in batches, over crashes."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.sdk.kinds import both_kinds, done

import whatnext
from whatnext.testing import FakeService, problem

KEY, URL = "wn_fake", "http://fake"


def client_of(fake: FakeService, kind: str, spool: Path) -> Any:
    return fake.client(spool_dir=spool) if kind == "sync" else fake.async_client(spool_dir=spool)


async def closed(client: Any) -> None:
    await done(client.close() if isinstance(client, whatnext.Client) else client.aclose())


def received(fake: FakeService) -> list[tuple[str, int, dict[str, float]]]:
    """Every point that arrived: run, step, values."""
    return [
        (request.path.split("/")[3], point["step"], point["values"])
        for request in fake.sent("runs.log_metrics")
        for point in request.json["points"]
    ]


@both_kinds
async def test_points_are_gathered_and_sent_in_order(kind: str, tmp_path: Path) -> None:
    fake = FakeService()
    client = client_of(fake, kind, tmp_path)
    for step in range(2500):
        await done(client.runs.log("support-bot/R1", step=step, train_loss=1 / (step + 1)))
    await done(client.runs.log("run_2", {"eval/loss": 0.5}, step=1))
    await done(client.runs.flush(timeout_s=30))
    points = received(fake)
    assert [point[:2] for point in points] == [("support-bot~R1", step) for step in range(2500)] + [("run_2", 1)]
    assert points[9][2] == {"train_loss": 0.1}
    assert points[-1][2] == {"eval/loss": 0.5}
    assert len(fake.requests) == 4
    await closed(client)
    assert os.listdir(tmp_path) == []


@both_kinds
async def test_closing_a_client_sends_what_is_left(kind: str, tmp_path: Path) -> None:
    fake = FakeService()
    client = client_of(fake, kind, tmp_path)
    await done(client.with_options(timeout=5).runs.log("run_1", step=1, train_loss=1.0))
    await closed(client)
    assert received(fake) == [("run_1", 1, {"train_loss": 1.0})]


@both_kinds
async def test_what_a_service_that_is_down_did_not_get_is_sent_by_the_next_client(kind: str, tmp_path: Path) -> None:
    down = FakeService()
    down.on("runs.log_metrics", httpx.ConnectError("refused"))
    client = client_of(down, kind, tmp_path)
    await done(client.runs.log("run_1", step=1, train_loss=1.0))
    with pytest.raises(whatnext.WaitTimeoutError, match="are kept"):
        await done(client.runs.flush(timeout_s=0.2))
    writer = client.metrics_writer()
    await done(writer.close(0.2) if kind == "sync" else writer.aclose(0.2))

    up = FakeService()
    later = client_of(up, kind, tmp_path)
    await done(later.runs.log("run_1", step=2, train_loss=0.5))
    await done(later.runs.flush(timeout_s=30))
    assert received(up) == [("run_1", 1, {"train_loss": 1.0}), ("run_1", 2, {"train_loss": 0.5})]
    await closed(later)
    assert os.listdir(tmp_path) == []


async def test_points_of_another_key_or_service_are_left_alone(tmp_path: Path) -> None:
    down = FakeService()
    down.on("runs.log_metrics", httpx.ConnectError("refused"))
    client = down.client(spool_dir=tmp_path)
    client.runs.log("run_1", step=1, train_loss=1.0)
    client.metrics_writer().close(0.1)
    other = FakeService()
    with other.client(spool_dir=tmp_path, base_url="http://other") as later:
        later.runs.log("run_9", step=9, train_loss=0.9)
        later.runs.flush(timeout_s=30)
    assert received(other) == [("run_9", 9, {"train_loss": 0.9})]
    assert len(os.listdir(tmp_path)) == 1


def test_a_killed_process_loses_nothing_but_a_line_it_did_not_finish(tmp_path: Path) -> None:
    program = f"""
        import os, signal
        import whatnext
        client = whatnext.Client("{KEY}", base_url="http://127.0.0.1:9", spool_dir={str(tmp_path)!r}, max_retries=0)
        for step in range(500):
            client.runs.log("run_1", step=step, train_loss=1.0)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (spool,) = tmp_path.iterdir()
    with spool.open("ab") as file:
        file.write(b'not a point\n{"run": "run_1", "step": 500, "val')
    fake = FakeService()
    with fake.client(spool_dir=tmp_path, base_url="http://127.0.0.1:9") as client:
        client.runs.log("run_1", step=1000, train_loss=0.1)
    assert [point[1] for point in received(fake)] == [*range(500), 1000]
    assert os.listdir(tmp_path) == []


@both_kinds
async def test_what_is_refused_is_told_once_and_not_sent_again(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake = FakeService()
    fake.on("runs.log_metrics", problem(409, "run_ended"), {"of_tomorrow": 1})
    client = client_of(fake, kind, tmp_path)
    await done(client.runs.log("run_1", step=1, train_loss=1.0))
    await done(client.runs.log("run_2", step=1, train_loss=1.0))
    with pytest.raises(whatnext.ConflictError, match="run_ended"):
        await done(client.runs.flush(timeout_s=30))
    await done(client.runs.flush(timeout_s=30))
    assert [request.path.split("/")[3] for request in fake.requests] == ["run_1", "run_2"]
    assert "1 points of run_1 were not taken" in caplog.text
    await closed(client)


@both_kinds
async def test_a_key_that_is_refused_keeps_the_points(kind: str, tmp_path: Path) -> None:
    fake = FakeService()
    fake.on("runs.log_metrics", problem(401, "unauthorized"), {})
    client = client_of(fake, kind, tmp_path)
    await done(client.runs.log("run_1", step=1, train_loss=1.0))
    await done(client.runs.flush(timeout_s=30))
    assert len(fake.requests) == 2
    assert fake.requests[0].content == fake.requests[1].content
    await closed(client)


async def test_what_is_no_finite_number_is_logged_in_words(tmp_path: Path) -> None:
    fake = FakeService()
    with fake.client(spool_dir=tmp_path) as client:
        client.runs.log("run_1", step=1, train_loss=float("nan"), valid_loss=2.0)
        client.runs.log("run_1", step=2, train_loss=float("inf"), valid_loss=float("-inf"))
    assert received(fake) == [
        ("run_1", 1, {"train_loss": "NaN", "valid_loss": 2.0}),
        ("run_1", 2, {"train_loss": "Infinity", "valid_loss": "-Infinity"}),
    ]


async def test_a_point_of_many_values_is_sent_as_several(tmp_path: Path) -> None:
    fake = FakeService()
    with fake.client(spool_dir=tmp_path) as client:
        client.runs.log("run_1", {f"m{i}": i for i in range(100)}, step=3)
    assert [(step, len(values)) for _, step, values in received(fake)] == [(3, 64), (3, 36)]


@both_kinds
async def test_what_is_no_finite_number_in_a_body_is_sent_in_words(kind: str, tmp_path: Path) -> None:
    fake = FakeService()
    client = client_of(fake, kind, tmp_path)
    points = [{"step": 1, "values": {"train_loss": float("nan"), "reward": float("-inf"), "n": 2}}]
    await done(client.runs.log_metrics("run_1", points=points))
    await done(client.runs.update("run_1", note=None))
    await closed(client)
    sent = {"train_loss": "NaN", "reward": "-Infinity", "n": 2}
    assert received(fake) == [("run_1", 1, sent)]
    assert fake.requests[-1].json == {"note": None}


async def test_a_folder_that_cannot_be_written_is_told_and_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    fake = FakeService()
    with fake.client(spool_dir=tmp_path / "file" / "spool") as client:
        client.runs.log("run_1", step=1, train_loss=1.0)
    assert received(fake) == [("run_1", 1, {"train_loss": 1.0})]
    assert "lost if this process dies" in caplog.text


async def test_two_clients_of_one_process_do_not_take_each_others_points(tmp_path: Path) -> None:
    fake = FakeService()
    async with fake.async_client(spool_dir=tmp_path) as one, fake.async_client(spool_dir=tmp_path) as other:
        await one.runs.log("run_1", step=1, train_loss=1.0)
        await other.runs.log("run_2", step=2, train_loss=2.0)
        await asyncio.gather(one.runs.flush(), other.runs.flush(), one.runs.flush())
    assert sorted(received(fake)) == [("run_1", 1, {"train_loss": 1.0}), ("run_2", 2, {"train_loss": 2.0})]


def test_a_program_that_ends_sends_its_last_points(tmp_path: Path) -> None:
    program = f"""
        import httpx, whatnext
        def answer(request):
            print(request.read().decode())
            return httpx.Response(200, content=b"{{}}")
        http = httpx.Client(transport=httpx.MockTransport(answer))
        client = whatnext.Client("{KEY}", spool_dir={str(tmp_path)!r}, http_client=http)
        client.runs.log("run_1", step=7, train_loss=1.0)
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    assert ended.stdout == '{"points":[{"step":7,"values":{"train_loss":1.0}}]}\n'
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_logs_for_itself(tmp_path: Path) -> None:
    program = f"""
        import os, httpx, whatnext
        def answer(request):
            with open({str(tmp_path / "seen")!r}, "a") as seen:
                seen.write(request.read().decode() + "\\n")
            return httpx.Response(200, content=b"{{}}")
        http = httpx.Client(transport=httpx.MockTransport(answer))
        client = whatnext.Client("{KEY}", spool_dir={str(tmp_path / "spool")!r}, http_client=http)
        client.runs.log("run_1", step=1, train_loss=1.0)
        if os.fork() == 0:
            client.runs.log("run_1", step=2, train_loss=1.0)
            client.runs.flush()
            os._exit(0)
        os.wait()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
    steps = [line.split('"step":')[1][0] for line in (tmp_path / "seen").read_text().splitlines()]
    assert sorted(steps) == ["1", "2"]
