"""Surfaces redrawn from given ones, so that a rule is judged by many splits and shapes and not by the one at hand.

Every redrawn surface is made of real results: the held-out items are dealt anew into what the advisor sees and what
judges it, and the shape of the task is changed in ways that another task could have.
"""

import random
from typing import Any

import numpy as np
from tests.bench.surfaces import Surface

SHAPES = ("split", "few", "cool", "warm", "swapped", "mixed")
"""What is redrawn: `split` the items alone; `few` leaves half of the items to the advisor; `cool` and `warm` move the
rates by one rung, so that the default lies lower or higher; `swapped` deals the base models' names anew among those of
the scenario `full`; `mixed` draws each of these by chance."""


class ResampledSurface(Surface):
    """A surface whose held-out items, rates and base-model names are dealt anew by a seed."""

    def __init__(self, source: Surface, shape: str, seed: int) -> None:
        draw = random.Random(f"{source.name} {shape} {seed}")
        few = shape == "few" or (shape == "mixed" and draw.random() < 0.5)
        shift = {"cool": 1, "warm": -1}.get(shape, draw.choice((-1, 0, 0, 1)) if shape == "mixed" else 0)
        names = ["ft", "frozen", "bag"]
        if shape in ("swapped", "mixed"):
            draw.shuffle(names)
        rename = {**dict(zip(("ft", "frozen", "bag"), names, strict=True)), "hot": "hot"}
        n_dev, n_test = source.data["n_dev"], source.data["n_test"]
        dealt = list(range(n_dev + n_test))
        draw.shuffle(dealt)
        seen = np.array(dealt[: n_dev // 2 if few else n_dev])
        kept = np.array(dealt[n_dev:])
        rates: list[float] = sorted(source.data["grid"]["lr"])
        moved = {rate: rates[at + shift] for at, rate in enumerate(rates) if 0 <= at + shift < len(rates)}

        def redrawn(row: dict[str, Any]) -> dict[str, Any]:
            items = source.pooled(row)
            dev_x, test_x = items[seen], items[kept]
            return {**row, "dev_x": dev_x, "test_x": test_x, "dev": float(dev_x.mean()), "test": float(test_x.mean())}

        self.name = source.name
        self.draw_number = seed
        self.sequence = source.sequence
        self.data = {**source.data, "n_dev": seen.size, "n_test": kept.size}
        self.baseline = {rename[model]: redrawn(row) for model, row in source.baseline.items()}
        self.epochs = source.epochs
        self.runs = {
            (rename[model], version, moved[rate], batch): {
                number: {**run, "lr": moved[rate], "ck": [redrawn(row) for row in run["ck"]]}
                for number, run in seeds.items()
            }
            for (model, version, rate, batch), seeds in source.runs.items()
            if rate in moved
        }
        self._index()

    def item_scores(self, packed: Any, n: int) -> Any:
        """Items are kept as arrays here."""
        return packed
