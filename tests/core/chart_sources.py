"""Runs to be drawn."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from tests.core.loop_states import a_config, a_reading

from whatnext_service.core.chart import Saved, Source
from whatnext_service.core.curve_points import series_from_points
from whatnext_service.core.curves import Series
from whatnext_service.core.read_curve import read_curve


def a_series(name: str, values: Sequence[float], steps: Sequence[int] | None = None) -> Series:
    return series_from_points(name, steps if steps is not None else range(1, len(values) + 1), values)


def a_source(*series: Series, **changes: object) -> Source:
    source = Source(
        loop="support-bot",
        run="R3",
        status="succeeded",
        config=a_config(),
        effective=None,
        n_examples=335,
        reading=a_reading(best_step=None) if series else None,
        saved=(),
        ships_final=False,
        series=series,
        chosen=False,
    )
    return msgspec.structs.replace(source, **changes)


def a_saved(step: int, **changes: object) -> Saved:
    return msgspec.structs.replace(Saved(step=step, epoch=None, deployable=True, shipped=False), **changes)


def noisy(n: int, *, seed: int = 1, noise: float = 0.3) -> list[float]:
    """A loss that falls from 2.3 to 0.3 under noise; never below 0.001."""
    at = np.arange(n)
    values = 0.3 + 2.0 * np.exp(-5.0 * at / n) + np.random.default_rng(seed).normal(0.0, noise, n)
    return [float(value) for value in np.maximum(values, 0.001)]


def collapsed() -> list[float]:
    return [*noisy(120, noise=0.02), 3.0, 9.0, 50.0, 4000.0, math.inf, *[math.nan] * 75]


def read(source: Source, method: str = "sft") -> Source:
    """The source with the reading that its curve gets."""
    from whatnext_service.core.curves import Curve

    reading = read_curve(
        Curve(series=source.series),
        method=method,  # type: ignore[arg-type]
        n_examples=335,
        n_validation=None,
        batch_size=None,
        n_epochs=None,
        deployable_steps=None,
        running=False,
    )
    return msgspec.structs.replace(source, reading=reading)
