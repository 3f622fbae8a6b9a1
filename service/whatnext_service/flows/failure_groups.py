"""What an evaluated model fails on, and how well the training data covers it."""

import asyncio

from whatnext_service.contract.datasets import DatasetVersion, Failures
from whatnext_service.contract.evaluations import Evaluation
from whatnext_service.core.corpus import CorpusBuilder
from whatnext_service.core.diversity import ScoredItem, group_failures
from whatnext_service.core.evaluations import unpack_scores
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.report_quality import build_corpus
from whatnext_service.flows.version_content import stream_version
from whatnext_service.store import datasets, evaluations, quality


async def find_failures(
    tx: Tx, evaluation_id: str, below: float | None = None, version_id: str | None = None
) -> Failures:
    """Group an evaluation's failing items, and count the training rows that are like them.

    An item fails below the middle of the suite's scale, unless `below` says otherwise. Coverage is counted in the
    version that the evaluated run was trained on, else in the newest one of the loop's dataset.
    """
    evaluation = await look_up.find_evaluation(tx, evaluation_id)
    suite = await look_up.find_suite(tx, evaluation.suite_id)
    version = await _trained_on(tx, evaluation, version_id)
    limit = below if below is not None else (suite.scale.min + suite.scale.max) / 2
    scores = unpack_scores(await evaluations.item_scores(tx.conn, evaluation.id))
    items = tuple(
        ScoredItem(item_id=str(place), prompt=item.prompt, tags=item.tags, failed=score < limit)
        for place, (item, score) in enumerate(zip(await quality.asked_items(tx.conn, suite.id), scores, strict=False))
        if score is not None
    )
    if version is None:
        corpus = CorpusBuilder().build()
    else:
        corpus = await build_corpus(stream_version(tx, version))
    return Failures(
        evaluation_id=evaluation.id,
        dataset_version_id=version.id if version else None,
        below=limit,
        n_scored=len(items),
        n_failed=sum(item.failed for item in items),
        n_training_rows=corpus.n_rows,
        groups=await asyncio.to_thread(group_failures, items, corpus),
    )


async def _trained_on(tx: Tx, evaluation: Evaluation, version_id: str | None) -> DatasetVersion | None:
    if version_id is not None:
        return await look_up.find_version(tx, version_id, "/dataset_version_id")
    if evaluation.run_id is not None:
        run = await look_up.find_run(tx, evaluation.run_id)
        return await look_up.find_version(tx, run.config.dataset_version_id)
    loop = await look_up.find_loop(tx, evaluation.loop_id)
    if loop.dataset_id is None:
        return None
    page = await datasets.list_versions(tx.conn, tx.workspace_id, None, 1, dataset_id=loop.dataset_id)
    return page.data[0] if page.data else None
