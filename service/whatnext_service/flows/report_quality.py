"""Make the quality report of a dataset version, and make it again when there is more to hold the version against."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext

from whatnext_service.contract.datasets import ComparedSet
from whatnext_service.core import quality_report
from whatnext_service.core.corpus import Corpus, CorpusBuilder
from whatnext_service.core.quality import JudgeScores, OtherSet, QualityReport
from whatnext_service.flows.context import Services
from whatnext_service.flows.data_process import OtherFile, ReportOrder, Tell, make_report
from whatnext_service.flows.version_content import read_raw_rows
from whatnext_service.store import blobs, loops, quality, row_judgings
from whatnext_service.store.leases import lease
from whatnext_service.store.transaction import connection

LARGE_BYTES = 4 * 2**20
"""A report of a version larger than this is made by a process of its own, one at a time of each worker."""
LATER_S = 2.0
PROGRESS_EVERY = 4
"""Chunks of the file between two notes of progress."""


async def report_quality(services: Services, version_id: str, large: asyncio.Lock) -> None:
    """Read the version and the sets it must stay apart from, check it, and store what was found."""
    async with connection(services.pool) as conn:
        work = await quality.open_work(conn, version_id)
    if work is None:
        return
    is_large = work.n_bytes > LARGE_BYTES
    if is_large and large.locked():
        async with services.begin(work.workspace_id) as tx:
            await tx.defer("report_quality", version_id, delay_s=LATER_S)
        return
    async with large if is_large else nullcontext(), lease(services.pool, f"quality {version_id}") as mine:
        if mine:
            await _report(services, work)


async def _report(services: Services, work: quality.QualityWork) -> None:
    async with connection(services.pool) as conn:
        if await quality.take(conn, work.version_id, services.clock()) is None:
            return
        apart = await quality.sets_apart(conn, work.dataset_id, work.version_id)
        judged = await row_judgings.judge_scores(conn, work.version_id)

    def read(sha256: bytes) -> AsyncIterator[bytes]:
        return blobs.read_blob(services.pool, work.workspace_id, sha256)

    async def tell(n_rows: int) -> None:
        async with connection(services.pool) as conn:
            await quality.show_progress(conn, work.version_id, n_rows, services.clock())

    n_bytes = work.n_bytes + sum(each.n_bytes for each in apart)
    make = _make_elsewhere if n_bytes > LARGE_BYTES else _make_here
    findings = await make(apart, judged, [read(work.sha256), *(read(each.sha256) for each in apart)], tell)
    async with services.begin(work.workspace_id) as tx:
        version = await quality.finish(tx.conn, work.version_id, findings, _compared(apart), tx.now)
        if version is None:
            return
        for loop_id in await loops.loops_of_dataset(tx.conn, work.dataset_id):
            tx.loop_moved(loop_id)
        tx.tell("dataset_version.quality_ready", work.version_id, version)


async def refresh_quality(services: Services, loop_id: str) -> None:
    """Have the newest version of a loop's training data looked at again if it was held against other sets than now."""
    async with connection(services.pool) as conn:
        newest = await quality.newest_of_loop(conn, loop_id)
        if newest is None or newest.status != "ready":
            return
        apart = await quality.sets_apart(conn, newest.dataset_id, newest.version_id)
        workspace_id = await loops.workspace_of(conn, loop_id)
    if set(_compared(apart)) == set(newest.compared_with):
        return
    async with services.begin(workspace_id) as tx:
        if await quality.ask_again(tx.conn, newest.version_id, tx.now) is not None:
            await tx.defer("report_quality", newest.version_id)


async def give_up(services: Services, version_id: str, reason: str) -> None:
    """End a report whose job kept failing."""
    async with connection(services.pool) as conn:
        work = await quality.open_work(conn, version_id)
    if work is None:
        return
    async with services.begin(work.workspace_id) as tx:
        version = await quality.fail(tx.conn, version_id, reason, tx.now)
        tx.tell("dataset_version.quality_failed", version_id, version or 1)


async def _make_here(
    apart: tuple[quality.SetApart, ...], judged: JudgeScores | None, files: list[AsyncIterator[bytes]], tell: Tell
) -> QualityReport:
    """In a thread of this process: a small version's report takes no longer than another process to start."""
    corpus = await build_corpus(files[0], tell)
    others = [
        OtherSet(role=each.role, name=each.name, corpus=await build_corpus(file))
        for each, file in zip(apart, files[1:], strict=True)
    ]
    return await asyncio.to_thread(quality_report.report_quality, corpus, tuple(others), judged=judged)


async def _make_elsewhere(
    apart: tuple[quality.SetApart, ...], judged: JudgeScores | None, files: list[AsyncIterator[bytes]], tell: Tell
) -> QualityReport:
    order = ReportOrder(others=tuple(OtherFile(role=each.role, name=each.name) for each in apart), judged=judged)
    return await make_report(order, files, tell)


async def build_corpus(chunks: AsyncIterator[bytes], tell: Tell | None = None) -> Corpus:
    """The rows of an accepted file as numbers; `tell` hears now and then how many rows were read."""
    builder = CorpusBuilder()
    n_chunks = 0
    async for n_rows in read_raw_rows(chunks, builder.add_raw):
        n_chunks += 1
        if tell is not None and n_chunks % PROGRESS_EVERY == 0:
            await tell(n_rows)
    return await asyncio.to_thread(builder.build)


def _compared(apart: tuple[quality.SetApart, ...]) -> tuple[ComparedSet, ...]:
    return tuple(ComparedSet(role=each.role, name=each.name, version_id=each.version_id) for each in apart)
