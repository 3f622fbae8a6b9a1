"""Start one run for each of two or three base models, all else equal."""

from whatnext_service.contract.runs import MultiModelRuns, NewMultiModel, NewRun, Run
from whatnext_service.core.multi_model import plan_multi_model
from whatnext_service.core.runs import RunConfig
from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.start_run import start_run
from whatnext_service.store import state


async def start_multi_model(tx: Tx, loop_ref: str, new: NewMultiModel) -> MultiModelRuns:
    """Plan the set of runs, then start all of them, or none."""
    loop = await look_up.lock_loop(tx, loop_ref)
    found = await state.load_state(tx.conn, loop.id, tx.services.catalogue)
    provider = new.provider or tx.services.default_provider
    version = next((each for each in found.versions if each.id == new.dataset_version_id), None)
    if version is None:
        message = "is no version of the loop's training dataset"
        pointer = FieldError(pointer="/dataset_version_id", message=message)
        raise DomainError("unknown_reference", f"dataset_version_id {message}.", errors=(pointer,))
    plan = plan_multi_model(
        RunConfig(
            base_model=new.base_models[0] if new.base_models else "any",
            dataset_version_id=version.id,
            method=new.method,
            n_epochs=new.n_epochs,
            learning_rate_multiplier=new.learning_rate_multiplier,
            batch_size=new.batch_size,
        ),
        version,
        found.catalogue,
        found.loop.choices,
        today=found.as_of.date(),
        base_models=new.base_models,
        provider=provider,
    )
    started: list[Run] = []
    for each in plan.runs:
        run = NewRun(loop_id=loop.id, provider=new.provider, config=each.config, note=each.reason)
        started.append((await start_run(tx, run))[0])
    return MultiModelRuns(statement=plan.statement, runs=tuple(started))
