"""Have a judge score rows of training data; a killed go continues where it was, and buys no score twice.

Each request carries a key made from the version, the round and the row's content. What was under way when a worker
died, or answered in the last `FLUSH_S` before, is asked again under the same keys and with the same bytes.
"""

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from whatnext_service.contract.evaluations import ErrorCount, ItemError, Pause
from whatnext_service.core.early_end import EndedEarly, Spent, cap_reached, cost_of, failing
from whatnext_service.core.row_hashes import HASH_BYTES
from whatnext_service.core.row_judge import (
    HIGHEST,
    LOWEST,
    RowFault,
    how_it_ended,
    judged_row,
    pick_rows,
    row_dimensions,
)
from whatnext_service.flows.ask import Line, PutOff
from whatnext_service.flows.canaries import try_canaries
from whatnext_service.flows.context import Services
from whatnext_service.flows.evaluate import PATIENCE
from whatnext_service.flows.grade import Graders, ModelLine
from whatnext_service.flows.version_content import read_rows
from whatnext_service.store import blobs, quality, row_judgings
from whatnext_service.store.evaluation_items import without_waiting
from whatnext_service.store.leases import lease
from whatnext_service.store.row_judgings import JudgingWork, NewJudgement
from whatnext_service.store.transaction import connection

BATCH = 250
"""Rows whose texts are in memory at a time."""
FLUSH_S = 0.1
"""Seconds between two stores of judgements."""


async def judge_rows(services: Services, version_id: str) -> None:
    """Bring a judging to its end, then have the quality report made again with its scores."""
    async with lease(services.pool, f"judging {version_id}") as mine:
        if not mine:
            return
        async with connection(services.pool) as conn:
            work = await row_judgings.open_work(conn, version_id)
        if work is None:
            return
        run = RowRun(services, work)
        try:
            await run.run()
        except PutOff as pause:
            async with services.begin(work.workspace_id) as tx:
                waiting = Pause(until=tx.now + timedelta(seconds=pause.wait_s), reason=str(pause))
                await row_judgings.put_off(tx.conn, version_id, waiting, tx.now)
                await tx.defer("judge_rows", version_id, delay_s=pause.wait_s)
            return
        await run.close()


async def give_up(services: Services, version_id: str, reason: str) -> None:
    """Fail a judging whose job kept failing for a reason of our own."""
    async with connection(services.pool) as conn:
        work = await row_judgings.open_work(conn, version_id)
    if work is not None:
        await RowRun(services, work).close(failure=reason)


class RowRun:
    """One go at the rows that are left."""

    def __init__(self, services: Services, work: JudgingWork) -> None:
        self._services = services
        self._work = work
        self._judge: ModelLine | None = None
        if services.judge is not None:
            patient = work.started_at is None or services.clock() - work.started_at < PATIENCE
            self._judge = Line(services.judge.models.complete, services.evaluation_concurrency, patient=patient)
        dimensions = row_dimensions(work.dimensions, work.model)
        self._graders = Graders(dimensions, LOWEST, HIGHEST, work.secret, judge=self._judge, embeddings=None)
        self._places = pick_rows(work.row_hashes, work.n_rows)
        self._scores: dict[int, float | None] = {}
        self._errors: dict[int, ItemError] = {}
        self._new: list[NewJudgement] = []
        self._spent = work.spent
        self._ended: EndedEarly | None = "cancelled" if work.cancel_requested else None
        self._pause: PutOff | None = None

    async def run(self) -> None:
        """Judge until nothing is left, or until there is a reason to stop; raises `PutOff` to be called again later."""
        if self._judge is None:
            raise RuntimeError("no judge is configured")
        left = await self._begin()
        for start in range(0, len(left), BATCH):
            if self._ended is not None:
                return
            batch = await self._read(left[start : start + BATCH])
            if start == 0 and self._work.canaries is None:
                await self._try_judge(batch[0][1])
            await self._judge_all(batch)
            if self._pause is not None and self._ended is None:
                raise self._pause

    async def close(self, failure: str | None = None) -> None:
        """Sum up what is stored, and let the quality report take it in."""
        work = self._work
        async with self._services.begin(work.workspace_id) as tx:
            self._take_known(await row_judgings.known_rows(tx.conn, work))
            known = [score for score in self._scores.values() if score is not None]
            first_error = next((f"{error.code}: {error.message}" for error in self._errors.values()), None)
            status, reason = how_it_ended(self._ended, len(known), len(self._places), first_error)
            counts = Counter(error.code for error in self._errors.values())
            spent = await row_judgings.spent(tx.conn, work.version_id)
            result = row_judgings.JudgingResult(
                status="failed" if failure else status,
                n_done=len(self._scores),
                n_scored=len(known),
                mean_score=round(sum(known) / len(known), 6) if known else None,
                cost=cost_of(spent, work.token_prices) if work.token_prices else None,
                ended_early=self._ended,
                errors=tuple(ErrorCount(code=code, n=n) for code, n in counts.most_common()),
                failure=failure or reason,
            )
            version = await row_judgings.finish(tx.conn, work.version_id, result, tx.now)
            if version is None:
                return
            tx.tell("dataset_version.judged", work.version_id, version)
            if known and await quality.make_anew(tx.conn, work.version_id, tx.now) is not None:
                await tx.defer("report_quality", work.version_id)

    async def _begin(self) -> list[int]:
        """Mark it running; returns the rows that have neither a score nor, in this round, an error."""
        work = self._work
        async with self._services.begin(work.workspace_id) as tx:
            await row_judgings.begin(tx.conn, work.version_id, len(self._places), tx.now)
            self._take_known(await row_judgings.known_rows(tx.conn, work))
        return [place for place in self._places if place not in self._scores]

    def _take_known(self, known: Sequence[row_judgings.KnownRow]) -> None:
        places = {self._hash(place): place for place in self._places}
        for row in known:
            if row.row_hash in places and (row.score is not None or row.asked_now):
                self._settle(places[row.row_hash], row.score, row.error)

    def _settle(self, place: int, score: float | None, error: ItemError | None) -> None:
        self._scores[place] = score
        self._errors.pop(place, None)
        if error is not None:
            self._errors[place] = error

    def _hash(self, place: int) -> bytes:
        return self._work.row_hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES]

    async def _read(self, places: Sequence[int]) -> list[tuple[int, bytes]]:
        """The rows at these places, in their order."""
        wanted, found, row = set(places), dict[int, bytes](), itertools.count()

        def take(_line: int, raw: bytes) -> None:
            if (place := next(row)) in wanted:
                found[place] = raw

        async for _ in read_rows(
            blobs.read_blob(self._services.pool, self._work.workspace_id, self._work.sha256), take
        ):
            if len(found) == len(wanted):
                break
        return [(place, found[place]) for place in places]

    async def _try_judge(self, raw: bytes) -> None:
        shown = judged_row(raw)
        if isinstance(shown, RowFault):
            return
        key = f"{self._work.version_id}-judge{self._work.round}"
        reading, spent = await try_canaries(self._graders, shown[0], key)
        self._spent = self._spent.plus(spent)
        if reading is not None:
            async with self._services.begin(self._work.workspace_id) as tx:
                await row_judgings.keep_canaries(tx.conn, self._work.version_id, reading, spent, tx.now)

    async def _judge_all(self, batch: Sequence[tuple[int, bytes]]) -> None:
        waiting, all_done = deque(batch), asyncio.Event()

        async def work() -> None:
            while waiting and self._ended is None and self._pause is None:
                place, raw = waiting.popleft()
                try:
                    await self._one_row(place, raw)
                except PutOff as pause:
                    self._pause = pause

        width = min(self._services.evaluation_concurrency, len(batch))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._store(all_done))
                await asyncio.gather(*(group.create_task(work()) for _ in range(width)))
                all_done.set()
        finally:
            await self._flush()

    async def _one_row(self, place: int, raw: bytes) -> None:
        shown, row_hash = judged_row(raw), self._hash(place)
        if isinstance(shown, RowFault):
            error = ItemError(code=shown.code, message=shown.detail)
            made = NewJudgement(row_hash=row_hash, score=None, judgements=(), error=error, spent=Spent())
        else:
            key = f"{self._work.version_id}-judge{self._work.round}-{row_hash.hex()}"
            grading = await self._graders.grade(*shown, key)
            made = NewJudgement(
                row_hash=row_hash,
                score=grading.combined,
                judgements=grading.judgements,
                error=grading.error,
                spent=grading.spent,
            )
        self._new.append(made)
        self._spent = self._spent.plus(made.spent)
        self._settle(place, made.score, made.error)
        if self._ended is None:
            self._ended = cap_reached(
                self._spent,
                max_tokens=self._work.max_tokens,
                max_cost=self._work.max_cost,
                prices=self._work.token_prices,
            )

    async def _store(self, all_done: asyncio.Event) -> None:
        """Store what has come in, again and again until all is done, and look whether to go on."""
        while not all_done.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(all_done.wait(), FLUSH_S)
            await self._flush()
            self._look_whether_all_fail()

    async def _flush(self) -> None:
        new, self._new = self._new, []
        n_scored = sum(score is not None for score in self._scores.values())
        async with self._services.begin(self._work.workspace_id) as tx:
            await without_waiting(tx.conn)
            if await row_judgings.keep(tx.conn, self._work, new, len(self._scores), n_scored, tx.now):
                self._ended = "cancelled"

    def _look_whether_all_fail(self) -> None:
        errors = (self._errors.get(place) for place in self._scores)
        if self._ended is None and failing(tuple(error.code if error else None for error in errors)):
            self._ended = "failing"
