"""One client in several processes and threads."""

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from whatnext import models
from whatnext.testing import FakeService, example


class Answering(BaseHTTPRequestHandler):
    """Answers with the run that was asked for, its note the port that asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        run = example(models.Run, id=self.path.rsplit("/", 1)[1], note=str(self.client_address[1]))
        content = msgspec.json.encode(run)
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    """A service on loopback that keeps its connections open."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def ran(program: str) -> list[str]:
    """What a program of its own prints, line by line."""
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    return ended.stdout.splitlines()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_connections_of_its_own(url: str) -> None:
    program = f"""
        import os, whatnext
        client = whatnext.Client("wn_x", base_url={url!r})
        view = client.with_options(timeout=5)
        def ask(name):
            os.write(1, f"{{name}} {{client.runs.get('run_1').note}} {{view.runs.get('run_1').note}}\\n".encode())
        ask("parent")
        if os.fork() == 0:
            ask("child")
            os._exit(0)
        os.wait()
        ask("parent")
    """
    first, child, again = (line.split() for line in ran(program))
    assert first == again == ["parent", first[1], first[1]]
    assert child == ["child", child[1], child[1]]
    assert child[1] != first[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_does_not_wait_for_its_parents_points(tmp_path: Path) -> None:
    program = f"""
        import os, whatnext
        client = whatnext.Client("wn_x", base_url="http://127.0.0.1:9", max_retries=0, spool_dir={str(tmp_path)!r})
        client.runs.log("run_1", step=1, train_loss=1.0)
        if os.fork() == 0:
            client.runs.flush(timeout_s=0)
            client.close()
            os.write(1, b"done\\n")
            os._exit(0)
        os.wait()
        os._exit(0)
    """
    assert ran(program) == ["done"]
    assert len(os.listdir(tmp_path)) == 1


def test_threads_that_log_at_once_share_one_writer(tmp_path: Path) -> None:
    fake = FakeService()
    client = fake.client(spool_dir=tmp_path)
    together = threading.Barrier(16)

    def log(thread: int) -> None:
        together.wait()
        for step in range(50):
            client.with_options(timeout=5).runs.log(f"run_{thread}", step=step, train_loss=1.0)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(log, range(16)))
    assert len(os.listdir(tmp_path)) == 1
    client.close()
    arrived = [
        (request.path, point["step"]) for request in fake.sent("runs.log_metrics") for point in request.json["points"]
    ]
    assert len(arrived) == len(set(arrived)) == 800


def test_threads_share_a_client(url: str) -> None:
    program = f"""
        import whatnext
        from concurrent.futures import ThreadPoolExecutor
        client = whatnext.Client("wn_x", base_url={url!r})
        with ThreadPoolExecutor(8) as pool:
            names = [f"run_{{n}}" for n in range(200)]
            print([run.id for run in pool.map(client.runs.get, names)] == names)
    """
    assert ran(program) == ["True"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_full_disk_stops_no_training(tmp_path: Path) -> None:
    program = f"""
        import logging, resource, sys, whatnext
        logging.basicConfig(stream=sys.stdout, format="%(message)s")
        client = whatnext.Client("wn_x", base_url="http://127.0.0.1:9", max_retries=0, spool_dir={str(tmp_path)!r})
        client.runs.log("run_1", step=0, train_loss=1.0)
        (spool,) = __import__("pathlib").Path({str(tmp_path)!r}).iterdir()
        room = 3 * spool.stat().st_size + 5
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        for step in range(1, 9):
            client.runs.log("run_1", step=step, train_loss=1.0)
        __import__("os")._exit(0)
    """
    said = [line for line in ran(program) if "that cannot be kept are lost" in line]
    assert len(said) == 1
    (spool,) = tmp_path.iterdir()
    whole = [line for line in spool.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    assert [msgspec.json.decode(line)["step"] for line in whole] == [0, 1, 2]
