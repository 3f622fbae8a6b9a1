"""Put a model into service, take it out again, and clean up what is left over."""

from whatnext_service.contract.deployments import Cleanup, Deployment, Leftover, NewCleanup, NewDeployment
from whatnext_service.contract.runs import Run
from whatnext_service.core.shipping import check_shippable
from whatnext_service.errors import DomainError, FieldError, ProviderError
from whatnext_service.flows import look_up
from whatnext_service.flows.advice_taken import carried_out_already, led_to
from whatnext_service.flows.context import Services, Tx
from whatnext_service.store import deployments, recommendations, runs, state


async def ship(tx: Tx, new: NewDeployment) -> tuple[Deployment, bool]:
    """Deploy a run's model: refused unless it is better than the baseline, or a person gives a reason.

    Returns the deployment, and whether it is new: the same request for the same advice gets the one that came of it.
    """
    loop = await look_up.lock_loop(tx, new.loop_id, "/loop_id")
    run = await look_up.find_run(tx, new.run_id, "/run_id")
    checkpoint = await look_up.find_checkpoint(tx, new.checkpoint_id, "/checkpoint_id") if new.checkpoint_id else None
    if run.loop_id != loop.id:
        raise _elsewhere("/run_id", "belongs to another loop")
    if checkpoint is not None and checkpoint.run_id != run.id:
        raise _elsewhere("/checkpoint_id", "belongs to another run")
    if made := await led_to(tx, new.recommendation_id, loop.id):
        return await _made_before(tx, made, new, run), False
    model = checkpoint.model if checkpoint else run.model
    if model is None or (checkpoint is not None and not checkpoint.deployable):
        raise DomainError("not_served", "There is no served model of this run or checkpoint to deploy.")
    if new.override_reason is None:
        found = await state.load_state(tx.conn, loop.id, tx.services.catalogue)
        check_shippable(found, run.id, checkpoint.id if checkpoint else None)
    deployment_id = tx.new_id("dep")
    await deployments.insert_deployment(
        tx.conn,
        tx.workspace_id,
        Deployment(
            id=deployment_id,
            loop_id=loop.id,
            run_id=run.id,
            checkpoint_id=new.checkpoint_id,
            provider=run.provider,
            model=model,
            status="live",
            override_reason=new.override_reason,
            recommendation_id=new.recommendation_id,
            version=1,
            created_at=tx.now,
            deleted_at=None,
            updated_at=tx.now,
        ),
    )
    if new.recommendation_id:
        await recommendations.carried_out(tx.conn, tx.workspace_id, new.recommendation_id, deployment_id, tx.now)
    tx.loop_moved(loop.id)
    tx.tell("deployment.created", deployment_id, 1, loop_id=loop.id)
    return await look_up.find_deployment(tx, deployment_id), True


async def _made_before(tx: Tx, made: str, new: NewDeployment, run: Run) -> Deployment:
    found = await deployments.get_deployment(tx.conn, tx.workspace_id, made)
    if found is None or (found.run_id, found.checkpoint_id, found.status) != (run.id, new.checkpoint_id, "live"):
        raise carried_out_already(made)
    return found


def _elsewhere(pointer: str, message: str) -> DomainError:
    return DomainError(
        "unknown_reference", f"{pointer} {message}.", errors=(FieldError(pointer=pointer, message=message),)
    )


async def unship(tx: Tx, deployment_id: str, if_version: int | None) -> Deployment:
    """Take a model out of service; its run and checkpoints stay."""
    await look_up.lock_loop(tx, (await look_up.find_deployment(tx, deployment_id)).loop_id)
    deployment = await look_up.find_deployment(tx, deployment_id)
    look_up.check_version("deployment", deployment.version, if_version)
    if deployment.status == "deleted":
        return deployment
    await deployments.delete_deployment(tx.conn, tx.workspace_id, deployment.id, tx.now)
    tx.loop_moved(deployment.loop_id)
    tx.tell("deployment.deleted", deployment.id, deployment.version + 1, loop_id=deployment.loop_id)
    return await look_up.find_deployment(tx, deployment_id)


async def clean_up(tx: Tx, new: NewCleanup) -> Cleanup:
    """List the models this service had trained that a shipped loop no longer uses; ask for their deletion only when
    `dry_run` is false."""
    loop_id = (await look_up.find_loop(tx, new.loop_id, "/loop_id")).id if new.loop_id else None
    found = await deployments.leftovers(tx.conn, tx.workspace_id, loop_id)
    if not new.dry_run:
        for each in found:
            await tx.defer("delete_model", each.run_id)
    return Cleanup(
        dry_run=new.dry_run,
        leftovers=tuple(
            Leftover(
                loop_id=each.loop_id,
                run_id=each.run_id,
                run_name=each.run_name,
                model=each.model,
                reason="The loop has shipped another model.",
            )
            for each in found
        ),
        n_deleting=0 if new.dry_run else len(found),
    )


async def delete_model(services: Services, run_id: str) -> None:
    """Delete a left-over model at its provider; looked at again first, because a plan may be out of date."""
    async with services.pool.acquire() as conn:
        run = await runs.lock_work(conn, run_id)
        found = await deployments.leftovers(conn, run.workspace_id, run.loop_id) if run else ()
    model = next((each for each in found if each.run_id == run_id), None)
    if run is None or model is None:
        return
    try:
        await services.providers[model.provider].platform.delete_model(model.model)
    except ProviderError as error:
        if error.retryable:
            async with services.begin(run.workspace_id) as tx:
                await tx.defer("delete_model", run_id, delay_s=error.retry_after_s or 30.0)
            return
        raise
    async with services.begin(run.workspace_id, run.loop_id) as tx:
        await deployments.forget_model(tx.conn, run_id, tx.now)
        tx.loop_moved(run.loop_id)
        tx.tell("run.model_deleted", run_id, run.version + 1, loop_id=run.loop_id)
