"""What a picture of a run is drawn from."""

from whatnext_service.core.chart import Saved, Source
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.read_curves import curve_of
from whatnext_service.store import checkpoints, datasets, deployments

MOST_CHECKPOINTS = 100


async def chart_source(tx: Tx, run_ref: str, names: list[str] | None) -> Source:
    """A run with its curves, all or those named, and its newest checkpoints."""
    run = await look_up.find_run(tx, run_ref)
    loop = await look_up.find_loop(tx, run.loop_id)
    version = await datasets.get_version(tx.conn, tx.workspace_id, run.config.dataset_version_id)
    shipped = await deployments.shipped_of(tx.conn, tx.workspace_id, run.id)
    kept = (await checkpoints.list_checkpoints(tx.conn, run.id, None, MOST_CHECKPOINTS)).data
    return Source(
        loop=loop.slug,
        run=run.name,
        status=run.status,
        config=run.config,
        effective=run.effective,
        n_examples=version.n_examples if version else None,
        reading=run.reading,
        saved=tuple(
            Saved(step=each.step, epoch=each.epoch, deployable=each.deployable, shipped=each.id in shipped)
            for each in kept
        ),
        ships_final=None in shipped,
        series=(await curve_of(tx, run.id, names)).series,
        chosen=names is not None,
    )
