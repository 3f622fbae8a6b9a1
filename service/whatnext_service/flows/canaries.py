"""Try judges on answers that contain nothing but an attack."""

import asyncio

from whatnext_service.core.early_end import Spent
from whatnext_service.core.grader_types import Score
from whatnext_service.core.json_values import JsonObject
from whatnext_service.core.judge_canaries import CANARIES, CanaryReading, read_canaries
from whatnext_service.flows.grade import Graders, judged_parts


async def try_canaries(graders: Graders, item: JsonObject, key: str) -> tuple[CanaryReading | None, Spent]:
    """Let every judge grade the canaries on one item; null when none of them gave a score: then they were not tried.

    All have answered when `PutOff` is raised.
    """
    asked = await asyncio.gather(
        *(
            graders.ask_judge(part.grader, item, canary, f"{key}-canary{n}-{dimension.name}-{part.key}")
            for dimension in graders.dimensions
            for part in judged_parts(dimension)
            for n, canary in enumerate(CANARIES)
        ),
        return_exceptions=True,
    )
    answers = []
    for each in asked:
        if isinstance(each, BaseException):
            raise each
        answers.append(each)
    outcomes = tuple(outcome for outcome, _ in answers)
    spent = Spent()
    for _, used in answers:
        spent = spent.plus(used)
    tried = any(isinstance(outcome, Score) for outcome in outcomes)
    return read_canaries(outcomes) if tried else None, spent
