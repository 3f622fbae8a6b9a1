"""Curves written as tables."""

from collections.abc import Iterable, Mapping

from whatnext_service.core.curve_points import series_from_points
from whatnext_service.core.curves import Curve


def curve_from_columns(steps: Iterable[int], columns: Mapping[str, Iterable[float | None]]) -> Curve:
    """One list of steps, and a value or null a step for every column; a null is no point."""
    at = list(steps)
    points = {
        name: [(step, value) for step, value in zip(at, column, strict=True) if value is not None]
        for name, column in columns.items()
    }
    return Curve(
        series=tuple(
            series_from_points(name, [step for step, _ in kept], [value for _, value in kept])
            for name, kept in points.items()
            if kept
        )
    )
