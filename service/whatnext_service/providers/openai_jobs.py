"""A fine-tuning job in the platform's terms and in the service's."""

import json
import re
from typing import assert_never, cast

from openai.types.fine_tuning.job_create_params import Method

from whatnext_service.core.runs import RunConfig
from whatnext_service.errors import ProviderError
from whatnext_service.providers.openai_wire import MAX_STEP, WireCheckpoint, WireJob, mapping, number, whole
from whatnext_service.providers.port import Job, JobCheckpoint

MARKER_KEY = "whatnext_run"
SHORTEST_TELLING_SUFFIX = 12
LONGEST_ERROR = 2_000
MAX_EPOCHS = 100_000
MAX_RATE = 1e6
MAX_BATCH = 10**12
MAX_SEED = 2**63 - 1
"""What may be told of an external run; a platform is believed no more."""
MAX_TRAINED_TOKENS = 10**15


def method_of(config: RunConfig) -> Method:
    """The `method` member of a job's creation; what is null is left out, and so left to the platform ("auto")."""
    hyperparameters: dict[str, object] = {
        "n_epochs": config.n_epochs,
        "learning_rate_multiplier": config.learning_rate_multiplier,
        "batch_size": config.batch_size,
    }
    match config.method:
        case "sft":
            return _method("supervised", hyperparameters)
        case "dpo":
            hyperparameters |= {"beta": config.beta, "l2_multiplier": config.l2_multiplier}
            return _method("dpo", hyperparameters)
        case "rft":
            hyperparameters |= {
                "compute_multiplier": config.compute_multiplier,
                "reasoning_effort": config.reasoning_effort,
                "eval_interval": config.eval_interval,
                "eval_samples": config.eval_samples,
            }
            return _method("reinforcement", hyperparameters, {"grader": _grader(config.grader)})
        case _:
            assert_never(config.method)


def suffix_of(marker: str, max_chars: int) -> str:
    """The marker as a model suffix: letters, digits and hyphens, the end of it where it is too long.

    An id ends in its random part, so that its last 16 characters still tell it from every other.
    """
    return re.sub(r"[^A-Za-z0-9]+", "-", marker)[-max_chars:].strip("-")


def carries(job: WireJob, marker: str, suffix: str) -> bool:
    """Whether this job was created for this marker, by its metadata, its suffix or its model's name."""
    if mapping(job.metadata).get(MARKER_KEY) == marker:
        return True
    if suffix and suffix in (job.suffix, job.user_provided_suffix):
        return True
    return len(suffix) >= SHORTEST_TELLING_SUFFIX and suffix in (job.fine_tuned_model or "")


def job_of(job: WireJob) -> Job:
    """A job as the flows see it; a value that is not resolved yet ("auto", -1), or that no job can have, is null."""
    method = job.method
    own = mapping(getattr(method, method.type or "", None)) if method else {}
    sources = (mapping(own.get("hyperparameters")), mapping(job.hyperparameters))

    def resolved(name: str, most: float) -> float | None:
        found = (number(source.get(name)) for source in sources)
        return next((value for value in found if value is not None and 0 < value <= most), None)

    return Job(
        id=job.id,
        status=job.status,
        model=job.fine_tuned_model or None,
        base_model=job.model or "",
        n_epochs=whole(resolved("n_epochs", MAX_EPOCHS), 1, MAX_EPOCHS),
        learning_rate_multiplier=resolved("learning_rate_multiplier", MAX_RATE),
        batch_size=whole(resolved("batch_size", MAX_BATCH), 1, MAX_BATCH),
        seed=whole(job.seed, 0, MAX_SEED),
        trained_tokens=whole(job.trained_tokens, 0, MAX_TRAINED_TOKENS),
        result_files=tuple(file for file in map(_file_id, job.result_files or ()) if file),
        error=_error(job.error),
    )


def checkpoint_of(checkpoint: WireCheckpoint) -> JobCheckpoint | None:
    """A checkpoint as the flows see it; null for one that has no model to serve, or lies at no step."""
    step = whole(checkpoint.step_number, 0, MAX_STEP)
    if step is None or not checkpoint.fine_tuned_model_checkpoint:
        return None
    metrics = checkpoint.metrics
    return JobCheckpoint(
        id=checkpoint.id,
        step=step,
        model=checkpoint.fine_tuned_model_checkpoint,
        train_loss=number(metrics.train_loss) if metrics else None,
        valid_loss=number(metrics.valid_loss) if metrics else None,
        full_valid_loss=number(metrics.full_valid_loss) if metrics else None,
        full_valid_mean_token_accuracy=_share(metrics.full_valid_mean_token_accuracy) if metrics else None,
    )


def _share(value: object) -> float | None:
    found = number(value)
    return found if found is not None and 0.0 <= found <= 1.0 else None


def _method(kind: str, hyperparameters: dict[str, object], rest: dict[str, object] | None = None) -> Method:
    given = {name: value for name, value in hyperparameters.items() if value is not None}
    return cast(Method, {"type": kind, kind: {"hyperparameters": given, **(rest or {})}})


def _grader(text: str | None) -> object:
    try:
        return json.loads(text or "")
    except ValueError:
        detail = "reinforcement fine-tuning needs a grader, as JSON"
        raise ProviderError("refused", detail, retryable=False, sent=False) from None


def _file_id(file: object) -> str | None:
    found = mapping(file).get("id", file)
    return found if isinstance(found, str) else None


def _error(error: object) -> str | None:
    members = mapping(error)
    words = [error] if isinstance(error, str) else [members.get("code"), members.get("message")]
    return ": ".join(word for word in words if isinstance(word, str) and word)[:LONGEST_ERROR] or None
