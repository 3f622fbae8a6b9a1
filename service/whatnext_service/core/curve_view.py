"""A curve as arrays, with the questions every rule asks of it."""

import math

import msgspec
import numpy as np
import numpy.typing as npt

from whatnext_service.core.curve_noise import LARGEST, noise_sd
from whatnext_service.core.curve_points import Floats, Ints
from whatnext_service.core.curves import Curve
from whatnext_service.core.thresholds import CurveThresholds

EVIDENCE = ("train_loss", "full_valid_loss", "valid_loss", "train_mean_reward", "full_valid_mean_reward")


class Points(msgspec.Struct, kw_only=True, frozen=True):
    """A column as arrays."""

    steps: Ints
    values: Floats

    @property
    def n(self) -> int:
        return int(self.values.size)

    def usable(self) -> npt.NDArray[np.bool_]:
        """Which values are numbers to reckon with: not NaN, not infinite, not beyond 1e12."""
        return np.abs(self.values) <= LARGEST

    def finite(self) -> "Points":
        """The usable values alone."""
        kept = self.usable()
        return self if bool(kept.all()) else Points(steps=self.steps[kept], values=self.values[kept])

    def after_start(self) -> "Points":
        """Without the evaluation at step 0, which is that of the untuned model (hazards 9)."""
        return self if self.n == 0 or self.steps[0] > 0 else Points(steps=self.steps[1:], values=self.values[1:])

    def until(self, step: int) -> "Points":
        n = int(np.searchsorted(self.steps, step, side="right"))
        return Points(steps=self.steps[:n], values=self.values[:n])

    def ends(self, thresholds: CurveThresholds) -> tuple[float, float]:
        """Mean of the first and of the last tenth of the values (at least one each)."""
        window = max(1, int(self.n * thresholds.neighbour_share))
        return float(self.values[:window].mean()), float(self.values[-window:].mean())

    def doubt(self, thresholds: CurveThresholds) -> float:
        """What noise alone may put between the two means of `ends`."""
        window = max(1, int(self.n * thresholds.neighbour_share))
        return thresholds.noise_factor * (noise_sd(self.values) or 0.0) * math.sqrt(2.0 / window)

    def near_end(self, step: int, thresholds: CurveThresholds) -> float | None:
        """Mean of the values neighbouring a step: a tenth of the series, at least three, up to that step."""
        before = self.until(step)
        if before.n == 0:
            return None
        return float(before.values[-max(3, int(self.n * thresholds.neighbour_share)) :].mean())


class RunFacts(msgspec.Struct, kw_only=True, frozen=True):
    """What is known of a run beside its curve; null where it is not."""

    n_examples: int | None
    n_validation: int | None
    batch_size: int | None
    n_epochs: int | None
    deployable_steps: tuple[int, ...] | None
    requested_learning_rate: float | None
    planned_steps: int | None
    running: bool

    def whole_steps(self) -> int | None:
        """Steps of the whole run: as planned, or while it runs ceil(examples / batch) x epochs (evidence 3)."""
        if self.planned_steps is not None or not self.running:
            return self.planned_steps
        if self.n_examples is None or self.batch_size is None or self.n_epochs is None:
            return None
        return math.ceil(self.n_examples / self.batch_size) * self.n_epochs

    def validation_batches(self) -> int | None:
        """Evaluations after which a per-step validation loss has walked through the validation file (hazards a)."""
        if self.n_validation is None:
            return None
        return math.ceil(self.n_validation / (self.batch_size or 1))


class CurveView:
    """Columns by name, read once."""

    def __init__(self, curve: Curve) -> None:
        self._series = {series.name: series for series in curve.series}
        self._points: dict[str, Points] = {}

    def points(self, name: str) -> Points:
        """The column; empty when there is none."""
        known = self._points.get(name)
        if known is None:
            series = self._series.get(name)
            known = Points(
                steps=np.array(series.steps if series else (), dtype=np.int64),
                values=np.array(series.values if series else (), dtype=np.float64),
            )
            self._points[name] = known
        return known

    def names(self) -> tuple[str, ...]:
        return tuple(self._series)

    def n_points(self) -> int:
        """Distinct steps at which a loss or a reward was logged."""
        steps = [self._series[name].steps for name in EVIDENCE if name in self._series]
        return len(set().union(*steps)) if steps else 0

    def last_step(self) -> int:
        return max((self._series[name].steps[-1] for name in EVIDENCE if name in self._series), default=0)

    def accuracy(self) -> float | None:
        """The last known token accuracy: of training, else of a full pass, else of a batch."""
        for name in ("train_mean_token_accuracy", "full_valid_mean_token_accuracy", "valid_mean_token_accuracy"):
            finite = self.points(name).finite()
            if finite.n:
                return float(finite.values[-3:].mean())
        return None
