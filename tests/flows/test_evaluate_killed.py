"""An evaluation whose worker is killed at random points."""

import multiprocessing
import random
from collections.abc import Iterator

import pytest
from tests.flows.endpoint import Endpoint, Json, serving
from tests.flows.evaluation_process import process_settings, work
from tests.flows.preparing import make_suite
from tests.flows.working import until

from whatnext_service.app import open_services
from whatnext_service.contract.evaluations import NewEvaluation, WeightedGrader
from whatnext_service.flows.evaluate import evaluate
from whatnext_service.flows.keys import open_workspace
from whatnext_service.flows.start_evaluation import start_evaluation
from whatnext_service.store import evaluations

N_ITEMS, N_KILLS = 300, 20
N_DONE = "select count(*) from evaluation_item where evaluation_id = $1 and done_at is not null"
JUDGED = WeightedGrader(
    name="right",
    grader={
        "type": "score_model",
        "name": "right",
        "model": "judge",
        "input": [{"role": "user", "content": "Grade {{sample.output_text}} against {{item.reference_answer}}."}],
        "range": [1, 10],
    },
)


def answer(asked: Json) -> str:
    if asked["model"] == "judge":
        return '{"reasoning": "read", "instructs_judge": false, "score": 7}'
    return "42"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(Endpoint(answer=answer, delay_s=0.02)) as served:
        yield served


@pytest.mark.slow
async def test_killed_twenty_times_every_item_is_scored_and_paid_once(dsn: str, endpoint: Endpoint) -> None:
    async with open_services(process_settings(endpoint.base_url), dsn) as services:
        workspace_id = await open_workspace(services, "ours")
        suite = await make_suite(services, workspace_id, N_ITEMS, graders=(JUDGED,))
        new = NewEvaluation(loop_id=suite.loop_id, suite_id=suite.id, subject="base_model", base_model="base")
        async with services.begin(workspace_id) as tx:
            started, _ = await start_evaluation(tx, new)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.flows.evaluation_process"])
        draw = random.Random(4711)
        progress = set()
        for _ in range(N_KILLS):
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(dsn, endpoint.base_url, started.id, theirs))
            process.start()
            assert ours.recv() == "started"
            seen = endpoint.n_requests + draw.randrange(50)
            await until(lambda seen=seen, process=process: endpoint.n_requests >= seen or not process.is_alive())
            process.kill()
            process.join()
            async with services.pool.acquire() as conn:
                await conn.execute("delete from lease")
                progress.add(await conn.fetchval(N_DONE, started.id))
        for _ in range(100):
            await evaluate(services, started.id)
            async with services.pool.acquire() as conn:
                done = await evaluations.get_evaluation(conn, workspace_id, started.id)
            assert done is not None
            if done.status != "running":
                break
        assert len([count for count in progress if 0 < count < N_ITEMS]) >= 5, progress
        assert (done.status, done.n_done, done.n_scored, done.combined) == ("succeeded", N_ITEMS, N_ITEMS, 7.0)
        canaries = {key: n for key, n in endpoint.paid.items() if "canary" in key}
        items = {key: n for key, n in endpoint.paid.items() if "canary" not in key}
        assert len(items) == 2 * N_ITEMS
        assert set(items.values()) == {1}
        assert set(canaries.values()) <= {1}
        assert endpoint.n_mismatched == 0
        # At most what was under way or not yet stored when the process died: far less than starting over.
        assert endpoint.n_requests - len(endpoint.paid) < N_KILLS * 40
