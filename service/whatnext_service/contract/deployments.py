"""Deployments on the wire."""

from typing import Annotated

from msgspec import Meta

from whatnext_service.contract.common import Body, Reference, Resource, UtcTime


class NewDeployment(Body, kw_only=True, frozen=True):
    """A model to be shipped. Refused unless it is better than the baseline, or a reason is given."""

    loop_id: Reference
    run_id: Reference
    checkpoint_id: Reference | None = None
    """Null: the run's final model."""
    override_reason: Annotated[str, Meta(min_length=1, max_length=4000)] | None = None
    recommendation_id: Reference | None = None


class NewCleanup(Body, kw_only=True, frozen=True):
    """What is left over; only listed unless `dry_run` is false."""

    loop_id: Reference | None = None
    dry_run: bool = True


class Leftover(Resource, kw_only=True, frozen=True):
    """A fine-tuned model that nothing uses any more."""

    loop_id: str
    run_id: str
    run_name: str
    model: str
    reason: str


class Cleanup(Resource, kw_only=True, frozen=True):
    """What was found, and what was asked to be deleted."""

    dry_run: bool
    leftovers: tuple[Leftover, ...]
    n_deleting: int


class Deployment(Resource, kw_only=True, frozen=True):
    """A served model."""

    id: str
    loop_id: str
    run_id: str
    checkpoint_id: str | None
    provider: str
    model: str
    status: str
    """`live` or `deleted`."""
    override_reason: str | None
    recommendation_id: str | None
    version: int
    created_at: UtcTime
    deleted_at: UtcTime | None
    updated_at: UtcTime
