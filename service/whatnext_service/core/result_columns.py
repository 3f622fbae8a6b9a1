"""Column names: what trainers and platforms call a metric, and the one name it has here (method 3, hazards 2)."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
import numpy as np

from whatnext_service.core.curve_points import Floats, Ints, series_from_points
from whatnext_service.core.curves import Curve, Series
from whatnext_service.core.malformed import malformed

MAX_COLUMNS = 512
LONGEST_NAME = 128
LARGEST_STEP = 2**53

STEP_NAMES = (
    "step",
    "global_step",
    "train/global_step",
    "current_steps",
    "step_number",
    "steps",
    "iteration",
    "iter",
    "_step",
)
"""What a step is called, the most trustworthy first: W&B's `_step` counts its rows."""

ALIASES = MappingProxyType(
    {
        "train_loss": ("train_loss", "training_loss", "loss", "train/loss", "lm_loss", "train_mean_nll"),
        "train_mean_token_accuracy": (
            "train_mean_token_accuracy",
            "train_accuracy",
            "training_token_accuracy",
            "train/mean_token_accuracy",
            "train/accuracy",
            "mean_token_accuracy",
            "train_acc",
            "training_accuracy",
            "accuracy",
            "acc",
        ),
        "valid_loss": ("valid_loss",),
        "valid_mean_token_accuracy": (
            "valid_mean_token_accuracy",
            "validation_mean_token_accuracy",
            "validation_token_accuracy",
            "valid_accuracy",
        ),
        "full_valid_loss": (
            "full_valid_loss",
            "full_validation_loss",
            "eval_loss",
            "eval/loss",
            "val_loss",
            "val/loss",
        ),
        "full_valid_mean_token_accuracy": (
            "full_valid_mean_token_accuracy",
            "full_validation_mean_token_accuracy",
            "eval_mean_token_accuracy",
            "eval/mean_token_accuracy",
            "eval_accuracy",
            "eval/accuracy",
            "val_accuracy",
            "val_acc",
        ),
        "train_mean_reward": (
            "train_mean_reward",
            "train_reward_mean",
            "scores.train_reward_mean",
            "reward",
            "train/reward",
        ),
        "full_valid_mean_reward": (
            "full_valid_mean_reward",
            "valid_reward_mean",
            "scores.valid_reward_mean",
            "eval_reward",
            "eval/reward",
        ),
        "completion_tokens_mean": (
            "completion_tokens_mean",
            "completions/mean_length",
            "train/completions/mean_length",
            "completion_length",
        ),
        "reasoning_tokens_mean": ("reasoning_tokens_mean", "usage.samples.train_reasoning_tokens_mean"),
        "mean_unresponsive_rewards": ("mean_unresponsive_rewards",),
        "train_sample_parse_error_count": ("train_sample_parse_error_count",),
        "train_other_error_count": ("train_other_error_count",),
        "learning_rate": ("learning_rate", "lr", "train/learning_rate"),
        "grad_norm": ("grad_norm", "train/grad_norm"),
        "epoch": ("epoch", "epochs", "train/epoch"),
    }
)
"""Canonical name: the names it goes by, the most trustworthy first."""

FULL_PASS_ALIASES = MappingProxyType(
    {
        "full_valid_loss": ("validation_loss", "valid_loss"),
        "full_valid_mean_token_accuracy": ("validation_accuracy", "valid_accuracy", "accuracy"),
    }
)
"""In a table printed by a trainer these columns are full passes over the validation set."""

OLD_API_ALIASES = MappingProxyType({"valid_loss": ("validation_loss",)})
"""The old API's validation loss is one batch (hazards 2)."""

EVIDENCE_COLUMNS = frozenset(
    {"train_loss", "valid_loss", "full_valid_loss", "train_mean_reward", "full_valid_mean_reward"}
)
"""A file without any of these is no training record."""

PLAIN_ALIASES = MappingProxyType({"full_valid_loss": ("validation_loss",)})
"""Elsewhere `validation_loss` is a trainer's full pass."""

_RANKED = MappingProxyType(
    {
        alias: (canonical, rank)
        for canonical, aliases in ALIASES.items()
        for rank, alias in enumerate((*aliases, *PLAIN_ALIASES.get(canonical, ())))
    }
)
"""Name of a single metric: its canonical name, and how far down it stands among the names of that one."""
_NAMED_EVAL_LOSS = re.compile(r"eval_(.+)_loss")


class RawColumn(msgspec.Struct, kw_only=True, frozen=True):
    """A column as it stood in the file: its own name, and the points it has, in the file's order."""

    name: str
    steps: Ints
    values: Floats


def is_bookkeeping(name: str) -> bool:
    """Whether a column is a tracker's own and no metric, such as W&B's `_runtime`."""
    return name.startswith("_")


def plain_name(name: str) -> str:
    """Lower case, without the file's own punctuation: `Valid. Loss` is `valid_loss`."""
    return re.sub(r"[.\s]*\s[.\s]*", "_", name.strip().lower())


def canonical_metric(name: str) -> str:
    """The canonical name of one metric on its own; an unknown one keeps its name."""
    return _RANKED.get(plain_name(name), (name, 0))[0]


def point_names(names: Sequence[str]) -> tuple[str | None, ...]:
    """The canonical names of the metrics of one point; null for the run's average among them.

    Of several names of one metric the most trustworthy takes it and the others stay as sent. Beside `train_runtime`,
    in a Hugging Face summary, `train_loss` is the average of the whole run and no point of the curve (hazards 9).
    """
    ranked = [_RANKED.get(plain_name(name), (name, 0)) for name in names]
    held: dict[str, tuple[int, int]] = {}
    for place, (canonical, rank) in enumerate(ranked):
        held[canonical] = min(held.get(canonical, (rank, place)), (rank, place))
    summary = "train_runtime" in names
    return tuple(
        None if summary and name == "train_loss" else canonical if held[canonical][1] == place else name
        for place, (name, (canonical, _)) in enumerate(zip(names, ranked, strict=True))
    )


def canonical_names(names: Sequence[str]) -> tuple[str, ...]:
    """The canonical name of every column of one file; a name is given once, to the most trustworthy column."""
    keys = [plain_name(name) for name in names]
    aliases = {canonical: list(known) for canonical, known in ALIASES.items()}
    if "elapsed_tokens" in keys:
        extra: Mapping[str, tuple[str, ...]] = OLD_API_ALIASES
    elif any(" " in name.strip() for name in names):
        extra = FULL_PASS_ALIASES
        aliases["valid_loss"] = []
        aliases["train_mean_token_accuracy"] = ["training_accuracy"]
    else:
        extra = PLAIN_ALIASES
    for canonical, more in extra.items():
        aliases[canonical] += more
    if not any(key in aliases["full_valid_loss"] for key in keys):
        aliases["full_valid_loss"] += [key for key in keys if _NAMED_EVAL_LOSS.fullmatch(key)][:1]
    given = list(names)
    for canonical, known in aliases.items():
        held_by = next((keys.index(alias) for alias in known if alias in keys), None)
        if held_by is not None:
            given[held_by] = canonical
    seen: set[str] = set()
    for index, name in enumerate(given):
        while name in seen:
            name += "_again"
        given[index] = name
        seen.add(name)
    return tuple(given)


def require_evidence(canonical: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a file of which no column is a loss or a reward: a look-alike, no training record (hazards 11)."""
    if EVIDENCE_COLUMNS.isdisjoint(canonical):
        seen = ", ".join(name[:40] for name in names[:8] if name) or "none"
        malformed(f"no training record: no column is a loss or a reward (columns: {seen})")


def curve_of(columns: Sequence[RawColumn], notes: list[str]) -> Curve:
    """The curve under canonical names; what was renamed, repeated or left out is added to `notes`."""
    filled = [column for column in columns if column.values.size and len(column.name) <= LONGEST_NAME]
    if n_endless := sum(len(column.name) > LONGEST_NAME for column in columns):
        notes.append(f"{n_endless} columns with names of more than {LONGEST_NAME} characters left out")
    if len(filled) > MAX_COLUMNS:
        notes.append(f"{len(filled) - MAX_COLUMNS} of {len(filled)} columns left out")
        filled = filled[:MAX_COLUMNS]
    names = canonical_names([column.name for column in filled])
    renamed = [f"{column.name} as {name}" for column, name in zip(filled, names, strict=True) if column.name != name]
    if renamed:
        notes.append("columns read: " + ", ".join(renamed))
    n_repeated = max((_repeats(column) for column in filled), default=0)
    if n_repeated:
        notes.append(f"{n_repeated} steps come again with another value: the later one counts")
    if any(bool(np.any(column.steps[1:] < column.steps[:-1])) for column in filled):
        notes.append("steps were not in order: sorted")
    named_evals = [column.name for column in filled if _NAMED_EVAL_LOSS.fullmatch(column.name)]
    if len(named_evals) > 1:
        notes.append(f"{len(named_evals)} evaluation sets; validation loss is that of the first, {named_evals[0]}")
    series: list[Series] = []
    for column, name in zip(filled, names, strict=True):
        series.append(series_from_points(name, column.steps, column.values, series[0] if series else None))
    return Curve(series=tuple(series))


def row_numbers(n_rows: int, notes: list[str]) -> Ints:
    """Steps of a file that names none."""
    notes.append("no step column: rows are numbered from 1")
    return np.arange(1, n_rows + 1, dtype=np.int64)


def step_numbers(values: Floats, notes: list[str]) -> Ints:
    """Whole steps; -1 where a row has none (NaN). Steps that are no whole numbers are replaced by row numbers."""
    known = np.isfinite(values)
    if bool(np.any((values[known] < 0) | (values[known] > LARGEST_STEP))):
        malformed("a step is negative or too large")
    if bool(np.any(values[known] != np.floor(values[known]))):
        notes.append("the steps are no whole numbers")
        return row_numbers(values.size, notes)
    if not bool(known.all()):
        notes.append(f"{int((~known).sum())} rows without a step left out")
    return np.where(known, np.nan_to_num(values), -1.0).astype(np.int64)


def _repeats(column: RawColumn) -> int:
    """How many steps come again with another value."""
    if bool(np.all(column.steps[1:] > column.steps[:-1])):
        return 0
    order = np.argsort(column.steps, kind="stable")
    steps, values = column.steps[order], column.values[order]
    differs = (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))
    return int(np.count_nonzero((steps[1:] == steps[:-1]) & differs))
