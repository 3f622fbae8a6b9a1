"""Change a loop, and name its baseline."""

from decimal import Decimal
from typing import TypeVar

import msgspec
from msgspec import UNSET

from whatnext_service.contract.loops import BudgetPatch, Loop, LoopPatch, NewBaseline
from whatnext_service.contract.thresholds import ThresholdsPatch
from whatnext_service.core.loops import Budget, check_loop
from whatnext_service.core.thresholds import DEFAULT, CurveThresholds
from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.read_curves import read_loop_again
from whatnext_service.store import loops

S = TypeVar("S", bound=msgspec.Struct)


async def change_loop(tx: Tx, ref: str, patch: LoopPatch, if_version: int | None) -> Loop:
    """Merge a patch into a loop: what is absent stays, null clears."""
    loop = await look_up.lock_loop(tx, ref)
    look_up.check_version("loop", loop.version, if_version)
    if patch.dataset_id:
        await look_up.find_dataset(tx, str(patch.dataset_id), "/dataset_id")
    if patch.validation_version_id:
        await look_up.find_version(tx, str(patch.validation_version_id), "/validation_version_id")
    changed = msgspec.structs.replace(
        _merged(loop, msgspec.structs.replace(patch, rules=UNSET, budget=UNSET, choices=UNSET, thresholds=UNSET)),
        rules=_merged(loop.rules, patch.rules),
        budget=_merged_budget(loop.budget, patch.budget),
        choices=_merged(loop.choices, patch.choices),
        thresholds=_merged_thresholds(loop.thresholds, patch.thresholds),
    )
    if changed == loop:
        return loop
    check_loop(changed.metric, changed.rules, changed.choices, changed.thresholds)
    await loops.update_loop(tx.conn, tx.workspace_id, changed, tx.now)
    if changed.thresholds != loop.thresholds:
        await read_loop_again(tx, loop.id)
    tx.loop_moved(loop.id)
    tx.tell("loop.changed", loop.id, loop.version + 1, loop_id=loop.id)
    await tx.close()
    return await look_up.find_loop(tx, loop.id)


async def name_baseline(tx: Tx, ref: str, new: NewBaseline, if_version: int | None = None) -> Loop:
    """Name the finished evaluation of an untuned model that everything is compared with."""
    loop = await look_up.lock_loop(tx, ref)
    look_up.check_version("loop", loop.version, if_version)
    evaluation = await look_up.find_evaluation(tx, new.evaluation_id, "/evaluation_id")
    fault = None
    if evaluation.loop_id != loop.id:
        fault = "belongs to another loop"
    elif evaluation.subject != "base_model":
        fault = "is not of an untuned base model"
    elif evaluation.status != "succeeded" or evaluation.combined is None:
        fault = f"is {evaluation.status}, and has no score to compare with"
    if fault:
        raise DomainError(
            "invalid_baseline",
            f"The evaluation {fault}.",
            errors=(FieldError(pointer="/evaluation_id", message=fault),),
        )
    if loop.baseline_evaluation_id == evaluation.id:
        return loop
    await loops.set_baseline(tx.conn, tx.workspace_id, loop.id, evaluation.id, tx.now)
    tx.loop_moved(loop.id)
    tx.tell("loop.baseline_named", loop.id, loop.version + 1, loop_id=loop.id)
    await tx.close()
    return await look_up.find_loop(tx, loop.id)


def _merged(old: S, patch: object) -> S:
    if patch is UNSET:
        return old
    given = {name: getattr(patch, name) for name in getattr(patch, "__struct_fields__", ())}
    return msgspec.structs.replace(old, **{name: value for name, value in given.items() if value is not UNSET})


def _merged_budget(old: Budget, patch: BudgetPatch | msgspec.UnsetType) -> Budget:
    merged = _merged(old, patch)
    cost = merged.max_cost
    return msgspec.structs.replace(merged, max_cost=Decimal(cost) if isinstance(cost, str) else cost)


def _merged_thresholds(old: CurveThresholds, patch: ThresholdsPatch | msgspec.UnsetType | None) -> CurveThresholds:
    """Null resets one threshold, or all of them."""
    if patch is None:
        return DEFAULT
    merged = _merged(old, patch)
    reset = {name: getattr(DEFAULT, name) for name in merged.__struct_fields__ if getattr(merged, name) is None}
    return msgspec.structs.replace(merged, **reset)
