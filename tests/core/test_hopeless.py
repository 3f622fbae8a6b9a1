"""Stopping an evaluation whose subject is worse than its reference."""

import random

from whatnext_service.core.hopeless import FALSE_STOP, hopeless

Pairs = tuple[tuple[float | None, float | None], ...]


def drawn(seed: int, n: int, gain: float) -> Pairs:
    draw = random.Random(seed)
    pairs = []
    for _ in range(n):
        level = draw.gauss(6.0, 1.5)
        pairs.append(tuple(min(10.0, max(1.0, level + draw.gauss(0.0, 1.0) + up)) for up in (gain, 0.0)))
    return tuple(pairs)  # type: ignore[arg-type]


def stopped_at(pairs: Pairs) -> int | None:
    return next((n for n in range(1, len(pairs) + 1) if hopeless(pairs[:n], spread=9.0)), None)


def test_an_equal_candidate_is_seldom_stopped_however_often_one_looks() -> None:
    stopped = sum(stopped_at(drawn(seed, 120, 0.0)) is not None for seed in range(200))
    assert stopped / 200 <= FALSE_STOP


def test_a_clearly_worse_candidate_is_stopped_long_before_the_end() -> None:
    places = [stopped_at(drawn(seed, 200, -2.0)) for seed in range(50)]
    found = sorted(place for place in places if place is not None)
    assert len(found) >= 48
    assert found[len(found) // 2] <= 60


def test_nothing_is_said_before_ten_pairs() -> None:
    worst: Pairs = ((1.0, 10.0),) * 9
    assert not hopeless(worst, spread=9.0)
    assert hopeless(worst * 2, spread=9.0)


def test_items_without_a_score_say_nothing() -> None:
    assert not hopeless(((None, 10.0), (1.0, None)) * 50, spread=9.0)


def test_where_less_is_better_more_is_hopeless() -> None:
    more: Pairs = ((9.0, 2.0),) * 40
    assert hopeless(more, spread=9.0, direction="down")
    assert not hopeless(more, spread=9.0)
