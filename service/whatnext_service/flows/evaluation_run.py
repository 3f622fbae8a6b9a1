"""The items of one evaluation: asked and graded side by side, their results stored in small batches.

An item is recorded as intended before it is sent and carries an idempotency key of its own, so a run that was killed
asks only for what has no stored answer, under the same keys and with the same bytes. A platform that honours the key
is never paid twice. One that ignores it is paid again for what was in doubt: the requests under way when the process
died (at most the concurrency) and the answers of the last `FLUSH_S`; after a crash of the database, of half a second.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from whatnext_service.contract.evaluations import EvalSuite, ItemError
from whatnext_service.core.early_end import EndedEarly, Spent, cap_reached, failing
from whatnext_service.core.grader_types import Sample
from whatnext_service.core.hopeless import hopeless
from whatnext_service.core.json_values import parse_json
from whatnext_service.core.loops import Direction
from whatnext_service.flows.ask import Line, PutOff, Refused
from whatnext_service.flows.context import Services
from whatnext_service.flows.grade import Graders
from whatnext_service.providers.port import CompletionRequest, Message
from whatnext_service.store import evaluation_items, evaluations
from whatnext_service.store.evaluation_items import ItemAnswer, ItemResult, PendingItem, StoredItem
from whatnext_service.store.evaluations import EvaluationWork

FLUSH_S = 0.05
"""Seconds between two stores of results."""
PROGRESS_S = 1.0
"""Seconds between two counts of progress, and two looks whether it was cancelled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """An evaluation, and what is left of it."""

    work: EvaluationWork
    suite: EvalSuite
    graders: Graders
    items: Sequence[PendingItem]
    done: Sequence[StoredItem]
    spent: Spent
    rival: tuple[float | None, ...] | None
    """Scores of the evaluation against which this one may turn out hopeless."""
    direction: Direction
    patient: bool
    """Whether it comes back after a platform's long pause."""


class ItemRun:
    """One go at the items that are left."""

    def __init__(self, services: Services, plan: Plan) -> None:
        self._services = services
        self._plan = plan
        self._width = max(1, min(services.evaluation_concurrency, len(plan.items)))
        provider = services.providers.get(str(plan.work.provider))
        self._model = Line(provider.models.complete, self._width, patient=plan.patient) if provider else None
        self._order = _order(plan)
        self._ready: asyncio.Queue[PendingItem | None] = asyncio.Queue(2 * self._width)
        self._answers: list[ItemAnswer] = []
        self._results: list[ItemResult] = []
        self._scores = {item.idx: item.combined for item in plan.done}
        self._codes = [item.error.code if item.error else None for item in plan.done]
        self._spent = plan.spent
        self._ended: EndedEarly | None = None
        self._pause: PutOff | None = None
        self._version = plan.work.version

    async def run(self) -> EndedEarly | None:
        """Ask and grade until nothing is left, or until there is a reason to stop; that is returned.

        Raises `PutOff` when a platform is to be left alone for long: what is left is for another run.
        """
        all_done = asyncio.Event()
        self._look_for_an_end()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._store_results(all_done))
                group.create_task(self._feed())
                await asyncio.gather(*(group.create_task(self._work()) for _ in range(self._width)))
                all_done.set()
        finally:
            await self._flush(counting=False)
        if self._pause is not None and self._ended is None:
            raise self._pause
        return self._ended

    async def _feed(self) -> None:
        """Hand items out, each batch recorded as intended before its first item is sent."""
        by_place = {item.idx: item for item in self._plan.items}
        waiting = deque(by_place[place] for place in self._order if place in by_place)
        while waiting and self._going_on():
            batch = [waiting.popleft() for _ in range(min(self._width, len(waiting)))]
            unasked = [item.idx for item in batch if not item.answered]
            if unasked:
                async with self._services.begin(self._plan.work.workspace_id) as tx:
                    await evaluation_items.without_waiting(tx.conn)
                    await evaluation_items.intend(tx.conn, self._plan.work.id, unasked, tx.now)
            for item in batch:
                await self._ready.put(item)
        for _ in range(self._width):
            await self._ready.put(None)

    async def _work(self) -> None:
        while (item := await self._ready.get()) is not None:
            if self._going_on():
                try:
                    await self._one_item(item)
                except PutOff as pause:
                    self._pause = pause

    def _going_on(self) -> bool:
        return self._ended is None and self._pause is None

    async def _one_item(self, item: PendingItem) -> None:
        answer = _stored(item) if item.answered else await self._ask(item)
        if answer is None:
            return
        sample = Sample(
            output_text=answer.output, output_tools=parse_json(answer.tool_calls) if answer.tool_calls else None
        )
        key = f"{self._plan.work.id}-{item.idx}"
        gradings = [
            await self._plan.graders.grade(item.item, sample, key if n == 0 else f"{key}-again{n}")
            for n in range(self._plan.work.n_gradings)
        ]
        known = [one.combined for one in gradings if one.combined is not None]
        best = next((one for one in gradings if one.combined is not None), gradings[0])
        spent = Spent()
        for one in gradings:
            spent = spent.plus(one.spent)
        scores = best.scores
        if len(known) > 1:
            whole = [one.scores for one in gradings if one.combined is not None]
            scores = {name: _mean([each[name] for each in whole]) for name in best.scores}
        result = ItemResult(
            idx=item.idx,
            scores=scores,
            combined=_mean(list(known)),
            gradings=tuple(known) if len(gradings) > 1 else (),
            judgements=best.judgements,
            judge_prompt_tokens=spent.judge_prompt_tokens,
            judge_completion_tokens=spent.judge_completion_tokens,
            embedding_tokens=spent.embedding_tokens,
            error=best.error,
        )
        self._finish(result, spent)

    async def _ask(self, item: PendingItem) -> ItemAnswer | None:
        """The model's answer, kept at once; null when it gave none, and the item is finished with the reason."""
        if self._model is None:
            raise RuntimeError(f"no provider {self._plan.work.provider!r} is configured")
        try:
            asked = await self._model.ask(_request(self._plan, item))
        except Refused as refused:
            fault = ItemError(code=refused.error.fault, message=refused.error.detail)
            nothing: dict[str, float | None] = {each.name: None for each in self._plan.graders.dimensions}
            self._finish(
                ItemResult(idx=item.idx, scores=nothing, combined=None, n_repeats=refused.n_repeats, error=fault),
                Spent(),
            )
            return None
        answer = ItemAnswer(
            idx=item.idx,
            output=asked.answer.text.replace("\0", "\N{REPLACEMENT CHARACTER}"),
            finish_reason=asked.answer.finish_reason,
            tool_calls=asked.answer.tool_calls,
            prompt_tokens=asked.answer.prompt_tokens,
            completion_tokens=asked.answer.completion_tokens,
            latency_s=asked.answer.latency_s,
            n_repeats=asked.n_repeats,
        )
        self._answers.append(answer)
        self._spent = self._spent.plus(
            Spent(prompt_tokens=answer.prompt_tokens or 0, completion_tokens=answer.completion_tokens or 0)
        )
        return answer

    def _finish(self, result: ItemResult, spent: Spent) -> None:
        self._results.append(result)
        self._scores[result.idx] = result.combined
        self._codes.append(result.error.code if result.error else None)
        self._spent = self._spent.plus(spent)

    def _look_for_an_end(self) -> None:
        work = self._plan.work
        if self._ended is not None:
            return
        self._ended = cap_reached(self._spent, max_tokens=work.max_tokens, max_cost=work.max_cost, prices=work.prices)
        if self._ended is None and failing(tuple(self._codes)):
            self._ended = "failing"
        if self._ended is None and self._plan.rival is not None:
            pairs = []
            for place in self._order:
                if place not in self._scores:
                    break
                pairs.append((self._scores[place], self._plan.rival[place] if place < len(self._plan.rival) else None))
            scale = self._plan.suite.scale
            if len(pairs) < len(self._order) and hopeless(
                tuple(pairs), spread=scale.max - scale.min, direction=self._plan.direction
            ):
                self._ended = "hopeless"

    async def _store_results(self, all_done: asyncio.Event) -> None:
        """Store what has come in, again and again until all is done."""
        loop = asyncio.get_running_loop()
        counted_s = loop.time()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(all_done.wait(), FLUSH_S)
            last = all_done.is_set()
            counting = loop.time() - counted_s >= PROGRESS_S
            if counting:
                counted_s = loop.time()
            await self._flush(counting=counting)
            self._look_for_an_end()
            if last:
                return

    async def _flush(self, *, counting: bool) -> None:
        """Store what has come in, unless another, who took over when the lease was lost here, closed the evaluation."""
        answers, self._answers = self._answers, []
        results, self._results = self._results, []
        work = self._plan.work
        if not (answers or results or counting):
            return
        async with self._services.begin(work.workspace_id) as tx:
            await evaluation_items.without_waiting(tx.conn)
            if not await evaluations.hold_open(tx.conn, work.id):
                return
            if answers:
                await evaluation_items.keep_answers(tx.conn, work.id, answers, tx.now)
            if results:
                await evaluation_items.finish(tx.conn, work.id, results, tx.now)
            if counting and (seen := await evaluations.count_done(tx.conn, work.id, tx.now)) is not None:
                if seen.version != self._version:
                    tx.tell("evaluation.progress", work.id, seen.version, loop_id=work.loop_id)
                self._version = seen.version
                if seen.cancel_requested:
                    self._ended = "cancelled"


def _order(plan: Plan) -> tuple[int, ...]:
    """The suite's order; drawn by lot, the same each time, where it is watched whether going on is hopeless: the items
    seen so far must then stand for the rest."""
    places = sorted({item.idx for item in plan.items} | {item.idx for item in plan.done})
    if plan.rival is None:
        return tuple(places)
    seed = plan.work.id.encode()
    return tuple(sorted(places, key=lambda place: hashlib.sha256(seed + b"%d" % place).digest()))


def _request(plan: Plan, item: PendingItem) -> CompletionRequest:
    sampling = plan.suite.sampling
    return CompletionRequest(
        model=str(plan.work.model),
        messages=tuple(
            Message(role=str(turn["role"]), content=turn["content"])
            if set(turn) == {"role", "content"} and isinstance(turn["content"], str)
            else Message(role=str(turn["role"]), content="", raw=msgspec.json.encode(turn))
            for turn in item.messages
        ),
        idempotency_key=f"{plan.work.id}-{item.idx}",
        temperature=sampling.temperature,
        max_completion_tokens=sampling.max_completion_tokens,
        seed=sampling.seed,
        tools=item.tools,
    )


def _stored(item: PendingItem) -> ItemAnswer:
    return ItemAnswer(
        idx=item.idx,
        output=item.output or "",
        finish_reason=item.finish_reason,
        tool_calls=item.tool_calls,
        prompt_tokens=item.prompt_tokens,
        completion_tokens=item.completion_tokens,
        latency_s=item.latency_s,
        n_repeats=0,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 9) if known else None
