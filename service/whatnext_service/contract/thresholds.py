"""Changes to a loop's thresholds on the wire."""

from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, UnsetType

from whatnext_service.contract.common import Body
from whatnext_service.core.thresholds import Count, Factor, Positive, Share

ShareChange: TypeAlias = Share | None | UnsetType
FactorChange: TypeAlias = Factor | None | UnsetType
PositiveChange: TypeAlias = Positive | None | UnsetType
CountChange: TypeAlias = Count | None | UnsetType


class ThresholdsPatch(Body, kw_only=True, frozen=True):
    """Thresholds to change; what is absent stays, null resets to the default. `CurveThresholds` says what each is."""

    ratio_mild: FactorChange = UNSET
    ratio_moderate: FactorChange = UNSET
    ratio_severe: FactorChange = UNSET
    rise_mild: FactorChange = UNSET
    rise_usable: FactorChange = UNSET
    rise_strong: FactorChange = UNSET
    noise_factor: PositiveChange = UNSET
    noise_points: Annotated[int, Meta(ge=4, le=1_000_000)] | None | UnsetType = UNSET
    noisy: PositiveChange = UNSET
    early_share: ShareChange = UNSET
    neighbour_share: ShareChange = UNSET
    min_points: CountChange = UNSET
    min_steps: CountChange = UNSET
    plateau_change: ShareChange = UNSET
    plateau_from: ShareChange = UNSET
    hides_anything: PositiveChange = UNSET
    barely_falls: ShareChange = UNSET
    near_zero: PositiveChange = UNSET
    crashed: ShareChange = UNSET
    diverged_train: FactorChange = UNSET
    zero_tail: Annotated[int, Meta(ge=2, le=1_000_000)] | None | UnsetType = UNSET
    abrupt: ShareChange = UNSET
    oscillation: PositiveChange = UNSET
    scale_mismatch: ShareChange = UNSET
    initial_gap: FactorChange = UNSET
    best_early: ShareChange = UNSET
    leak_level: ShareChange = UNSET
    chance_band: ShareChange = UNSET
    period_strength: ShareChange = UNSET
    suspect_row: FactorChange = UNSET
    learning_rate_max: PositiveChange = UNSET
    multiplier_max: PositiveChange = UNSET
    multiplier_min: PositiveChange = UNSET
    epochs_max: PositiveChange = UNSET
    rate_mismatch: FactorChange = UNSET
    same_curve: PositiveChange = UNSET
    accuracy_gain: ShareChange = UNSET
    accuracy_learned: ShareChange = UNSET
    accuracy_easy: ShareChange = UNSET
    gap_watch: PositiveChange = UNSET
    gap_hacking: PositiveChange = UNSET
    reward_flat: PositiveChange = UNSET
    reward_near_zero: PositiveChange = UNSET
    reward_high: PositiveChange = UNSET
    tokens_normal: FactorChange = UNSET
    tokens_verbose: FactorChange = UNSET
    preference_chance: ShareChange = UNSET
