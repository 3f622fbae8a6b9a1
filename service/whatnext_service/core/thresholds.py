"""Every threshold of curve reading, with its source; a loop may override any of them."""

import hashlib
import itertools
from typing import Annotated

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]
Factor = Annotated[float, Meta(ge=1, le=1_000_000)]
Positive = Annotated[float, Meta(gt=0, le=1_000_000)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]

THRESHOLDS_VERSION = "2026.11"


class CurveThresholds(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The numbers every rule of curve reading compares with. "Measured" is measured on labelled real curves."""

    ratio_mild: Factor = 1.2
    """Validation over training loss from which overfitting is at least mild (method 3)."""
    ratio_moderate: Factor = 1.5
    """The same, moderate (method 3)."""
    ratio_severe: Factor = 2.0
    """The same, severe (method 3)."""
    rise_mild: Factor = 1.02
    """Last over best validation loss below which nothing rises (measured: readers call +1.3 % healthy, +2.2 % mild)."""
    rise_usable: Factor = 1.05
    """Last over best full-pass loss from which the rise says something about quality (evidence 8)."""
    rise_strong: Factor = 1.2
    """Last over best validation loss that is a sign of overfitting of its own (method 3)."""
    noise_factor: Positive = 2.5
    """Standard errors by which a rise must exceed the series' own noise (evidence 2; measured on simulated healthy
    runs: 2.5 raises 1.5 % false alarms, 2 raises 4 %, 3 raises 0.4 % and misses more of the real rises)."""
    noise_points: Annotated[int, Meta(ge=4, le=1_000_000)] = 8
    """Evaluated points from which the noise of a full-pass series is estimated from its differences, and below which
    from its highest peak (measured)."""
    noisy: Positive = 0.02
    """Noise of a single full-pass value, relative to the best level, from which the series is smoothed (measured)."""
    early_share: Share = 0.3
    """Share of the planned training in which no alarm is raised (evidence 2)."""
    neighbour_share: Share = 0.1
    """Share of the training points averaged around an evaluated step (method 3: "the neighbouring steps")."""
    min_points: Count = 5
    """Logged points below which a curve is too short to read (measured)."""
    min_steps: Count = 10
    """Steps below which a curve with fewer than three evaluations is too short to read (measured)."""
    plateau_change: Share = 0.01
    """Relative change of validation loss, after the first fifth of training, that counts as none (measured)."""
    plateau_from: Share = 0.2
    """Share of training after which a plateau is looked for (method 3: "flat after epoch 1")."""
    hides_anything: Positive = 0.25
    """Noise of a level, relative to it, from which a series can be called neither flat nor healthy (measured)."""
    barely_falls: Share = 0.9
    """Last over first training loss above which it "barely falls" (method 3, evidence 8)."""
    near_zero: Positive = 0.05
    """Training loss below which the ratio means nothing (method 3: 0.02/0.008 and nothing is wrong)."""
    crashed: Share = 0.01
    """Training loss that counts as "about 0" (method 3 calls a ratio at 0.008 misleading)."""
    diverged_train: Factor = 1.5
    """Last over first training loss from which training has diverged (method 3: "loss explodes")."""
    zero_tail: Annotated[int, Meta(ge=2, le=1_000_000)] = 3
    """Exact zeros at the end of a loss that must be explained: collapse, memorisation or saturation (hazards g)."""
    abrupt: Share = 0.3
    """Loss before the zeros, over the first loss, above which they came at once: a collapse (hazards g; measured)."""
    oscillation: Positive = 0.05
    """Noise of a full-pass value, relative to its level, from which validation loss oscillates (measured)."""
    scale_mismatch: Share = 0.67
    """Validation over training loss, at first and at last, below which the two are on different scales (hazards c)."""
    initial_gap: Factor = 1.5
    """Validation over training loss in the first tenth of training that is a large gap from the start (method 3)."""
    best_early: Share = 0.1
    """Share of training before which a best step says that training was far too long (evidence 3)."""
    leak_level: Share = 0.1
    """Last over first loss below which validation as low as training looks like a leak (hazards e; measured)."""
    chance_band: Share = 0.05
    """Relative distance from ln 2 within which a loss sits at the chance level of two classes (hazards h)."""
    period_strength: Share = 0.5
    """Autocorrelation from which a per-step validation loss is periodic (hazards a; measured)."""
    suspect_row: Factor = 3.0
    """Loss of one validation row over the median row from which the row is suspect (hazards a)."""
    learning_rate_max: Positive = 0.1
    """Logged learning rate from which a typing error is likely (hazards h: 5)."""
    multiplier_max: Positive = 4.0
    """Requested learning rate above which a typing error is likely: the widest multiplier advised (evidence 3)."""
    multiplier_min: Positive = 0.02
    """Requested learning rate below which it is no multiplier but absolute: the least advised (evidence 3)."""
    epochs_max: Positive = 20.0
    """Epochs, twice the method's widest range, that are an extreme (hazards h: 889)."""
    rate_mismatch: Factor = 1.5
    """Requested over logged learning rate, or the reverse, from which the change did not take (hazards f)."""
    same_curve: Positive = 0.005
    """Median relative difference of two curves below which they are the same (hazards f; measured)."""
    accuracy_gain: Share = 0.01
    """Gain of validation accuracy after the best loss from which loss and accuracy disagree (hazards d)."""
    accuracy_learned: Share = 0.9
    """Accuracy from which an exact zero of the loss is learning, not collapse (hazards g)."""
    accuracy_easy: Share = 0.95
    """Validation accuracy from which a training loss of about 0 means an easy task, no fault (method 3, hazards g)."""
    gap_watch: Positive = 0.05
    """RFT: train minus validation reward from which to watch (method 3)."""
    gap_hacking: Positive = 0.10
    """RFT: train minus validation reward from which reward hacking is likely (method 3)."""
    reward_flat: Positive = 0.05
    """RFT: change of the smoothed reward that counts as none (method 3 "flat"; the size of the watched gap)."""
    reward_near_zero: Positive = 0.05
    """RFT: a flat reward below it means a broken or too strict grader (method 3)."""
    reward_high: Positive = 0.9
    """RFT: a flat reward above it from the start means a grader too lenient (method 3)."""
    tokens_normal: Factor = 2.0
    """RFT: growth of completion tokens that is still normal (method 3)."""
    tokens_verbose: Factor = 3.0
    """RFT: growth of completion tokens that suggests a grader paying for verbosity (method 3)."""
    preference_chance: Share = 0.6
    """DPO: preference accuracy at the end below which nothing was learned; guessing gives 0.5 (evidence 2)."""

    @property
    def overrides(self) -> dict[str, float]:
        """What differs from the defaults, by name."""
        changed = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in changed.items() if value != getattr(DEFAULT, name)}

    @property
    def version(self) -> str:
        """The rules' version; with the fingerprint of the overrides where there are any."""
        if self == DEFAULT:
            return THRESHOLDS_VERSION
        digest = hashlib.sha256(msgspec.json.encode(list(self.overrides.items()))).hexdigest()
        return f"{THRESHOLDS_VERSION}+{digest[:8]}"

    def disordered(self) -> tuple[tuple[str, str], ...]:
        """Pairs of names (higher, lower) of which the first must not lie below the second, and does."""
        return tuple(
            (higher, lower)
            for names in _RISING
            for lower, higher in itertools.pairwise(names)
            if getattr(self, higher) < getattr(self, lower)
        )


DEFAULT = CurveThresholds()
_RISING = (
    ("ratio_mild", "ratio_moderate", "ratio_severe"),
    ("rise_mild", "rise_usable", "rise_strong"),
    ("multiplier_min", "multiplier_max"),
    ("gap_watch", "gap_hacking"),
    ("reward_near_zero", "reward_high"),
    ("tokens_normal", "tokens_verbose"),
)
