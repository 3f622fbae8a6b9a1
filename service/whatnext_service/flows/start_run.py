"""Start a run at a provider, or register one that trains elsewhere."""

import msgspec

from whatnext_service.contract.loops import Loop
from whatnext_service.contract.runs import NewRun, Run
from whatnext_service.core.admission import check_admission, check_overlap
from whatnext_service.core.lineage import apply_overrides, check_one_variable
from whatnext_service.core.runs import RunConfig
from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows import look_up
from whatnext_service.flows.advice_taken import carried_out_already, led_to
from whatnext_service.flows.change_run import effective_after
from whatnext_service.flows.context import Tx
from whatnext_service.store import datasets, loops, recommendations, runs, state, suites


async def start_run(tx: Tx, new: NewRun) -> tuple[Run, bool]:
    """Record the run; for a provider's run a job then submits it. Nothing is paid for inside the request.

    Returns it, and whether it is new: the same request that carries out the same advice gets the run that came of it.
    """
    loop = await look_up.lock_loop(tx, new.loop_id, "/loop_id")
    parent = await _parent(tx, loop, new)
    config = _config(new, parent)
    provider = new.provider or (parent.provider if parent else tx.services.default_provider)
    if made := await led_to(tx, new.recommendation_id, loop.id):
        return await _made_before(tx, made, parent, config, provider), False
    asked_at = "/config" if new.config is not None else "/overrides"
    version = await look_up.find_version(tx, config.dataset_version_id, f"{asked_at}/dataset_version_id")
    changed: tuple[str, ...] = ()
    if parent is not None:
        before = await look_up.find_version(tx, parent.config.dataset_version_id)
        methods = (before.method, version.method)
        changed = check_one_variable(
            parent.config,
            config,
            new.allow_confounded,
            dataset_methods=methods,  # type: ignore[arg-type]
        )
    _check_provider(tx, new, provider)
    await _check_data(tx, loop, config, f"{asked_at}/dataset_version_id")
    if provider != "external":
        check_admission(await state.load_state(tx.conn, loop.id, tx.services.catalogue), config)
    run_id = tx.new_id("run")
    status = (new.status or "running") if provider == "external" else "pending"
    await runs.insert_run(
        tx.conn,
        tx.workspace_id,
        runs.NewRunRow(
            id=run_id,
            loop_id=loop.id,
            number=await loops.next_run_number(tx.conn, loop.id),
            parent_id=parent.id if parent else None,
            provider=provider,
            status=status,
            config=config,
            effective=effective_after(None, new.effective) if new.effective else None,
            changed=changed,
            confounded_by=changed if len(changed) > 1 else (),
            validation_version_id=loop.validation_version_id,
            recommendation_id=new.recommendation_id,
            note=new.note,
            created_at=tx.now,
            started_at=tx.now if status != "pending" else None,
            finished_at=tx.now if status in ("succeeded", "failed", "cancelled") else None,
        ),
    )
    if new.recommendation_id:
        await recommendations.carried_out(tx.conn, tx.workspace_id, new.recommendation_id, run_id, tx.now)
    if provider != "external":
        await tx.defer("move_run", run_id)
    tx.loop_moved(loop.id)
    tx.tell("run.created", run_id, 1, loop_id=loop.id)
    return await look_up.find_run(tx, run_id), True


async def _made_before(tx: Tx, made: str, parent: Run | None, config: RunConfig, provider: str) -> Run:
    run = await runs.get_run(tx.conn, tx.workspace_id, made)
    asked = (parent.id if parent else None, config, provider)
    if run is None or (run.parent_run_id, run.config, run.provider) != asked:
        raise carried_out_already(made)
    return run


async def _parent(tx: Tx, loop: Loop, new: NewRun) -> Run | None:
    if new.parent_run_id is None:
        return None
    parent = await look_up.find_run(tx, new.parent_run_id, "/parent_run_id")
    if parent.loop_id != loop.id:
        raise DomainError(
            "unknown_reference",
            "The parent run belongs to another loop.",
            errors=(FieldError(pointer="/parent_run_id", message="belongs to another loop"),),
        )
    return parent


def _config(new: NewRun, parent: Run | None) -> RunConfig:
    """The configuration asked for: a whole one, or the parent's with overrides."""
    if new.config is not None and new.overrides is None:
        return new.config
    if new.overrides is not None and new.config is None and parent is not None:
        return _checked(apply_overrides(parent.config, new.overrides))
    raise DomainError(
        "invalid_run",
        "Give either config, or parent_run_id with overrides.",
        errors=(FieldError(pointer="/config" if parent is None else "/overrides", message="is needed"),),
    )


def _checked(config: RunConfig) -> RunConfig:
    """The configuration, its values within the bounds that a whole one is held to."""
    faults: list[FieldError] = []
    for field in msgspec.structs.fields(config):
        try:
            msgspec.convert(getattr(config, field.name), field.type)
        except msgspec.ValidationError as error:
            faults.append(FieldError(pointer=f"/overrides/{field.name}", message=str(error)))
    if faults:
        raise DomainError("invalid_run", "; ".join(f"{f.pointer}: {f.message}" for f in faults), errors=tuple(faults))
    return config


def _check_provider(tx: Tx, new: NewRun, provider: str) -> None:
    if provider == "external":
        return
    if provider not in tx.services.providers:
        raise DomainError(
            "provider_not_configured",
            f"The provider {provider!r} is not configured here.",
            errors=(FieldError(pointer="/provider", message="is not configured"),),
        )
    for name in ("status", "effective"):
        if getattr(new, name) is not None:
            raise DomainError(
                "invalid_run",
                f"{name} may be given for external runs only.",
                errors=(FieldError(pointer=f"/{name}", message="only for external runs"),),
            )


async def _check_data(tx: Tx, loop: Loop, config: RunConfig, asked_at: str) -> None:
    """Training and validation rows must not be in any eval suite of the loop (method 4)."""
    for pointer, version_id in (
        (asked_at, config.dataset_version_id),
        ("", loop.validation_version_id),
    ):
        if version_id is None:
            continue
        hashes = await datasets.prompt_hashes(tx.conn, tx.workspace_id, version_id)
        for suite in await suites.suites_of_loop(tx.conn, loop.id):
            check_overlap(hashes, suite.prompt_hashes, pointer, suite.name)
