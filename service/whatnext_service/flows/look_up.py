"""Find what a reference means, in the caller's workspace: another workspace's ids do not exist."""

from collections.abc import Sequence
from typing import NoReturn, TypeVar

from whatnext_service.contract.advice import Diagnosis, Recommendation
from whatnext_service.contract.datasets import Dataset, DatasetVersion
from whatnext_service.contract.deployments import Deployment
from whatnext_service.contract.evaluations import EvalSuite, Evaluation
from whatnext_service.contract.loops import Loop
from whatnext_service.contract.runs import Checkpoint, Run
from whatnext_service.contract.workspace import Key
from whatnext_service.core.ids import parse_run_ref
from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows.context import Tx
from whatnext_service.store import (
    checkpoints,
    datasets,
    deployments,
    diagnoses,
    evaluations,
    loops,
    recommendations,
    runs,
    suites,
    workspaces,
)

T = TypeVar("T")


async def find_loop(tx: Tx, ref: str, pointer: str | None = None) -> Loop:
    """A loop by id or slug."""
    return found(await loops.get_loop(tx.conn, tx.workspace_id, ref), "loop", ref, pointer)


async def find_loop_ids(tx: Tx, refs: Sequence[str] | None) -> list[str] | None:
    """The ids of the loops that a list is filtered by; null for no filter."""
    return [(await find_loop(tx, ref)).id for ref in refs] if refs else None


async def lock_loop(tx: Tx, ref: str, pointer: str | None = None) -> Loop:
    """A loop by id or slug, held against other writers until the transaction ends."""
    return found(await loops.lock_loop(tx.conn, tx.workspace_id, ref), "loop", ref, pointer)


async def find_run(tx: Tx, ref: str, pointer: str | None = None) -> Run:
    """A run by id, or by `{loop slug}/R3`."""
    if named := parse_run_ref(ref):
        return found(await runs.run_by_number(tx.conn, tx.workspace_id, *named), "run", ref, pointer)
    return found(await runs.get_run(tx.conn, tx.workspace_id, ref), "run", ref, pointer)


async def find_dataset(tx: Tx, ref: str, pointer: str | None = None) -> Dataset:
    return found(await datasets.get_dataset(tx.conn, tx.workspace_id, ref), "dataset", ref, pointer)


async def find_version(tx: Tx, ref: str, pointer: str | None = None) -> DatasetVersion:
    return found(await datasets.get_version(tx.conn, tx.workspace_id, ref), "dataset version", ref, pointer)


async def find_checkpoint(tx: Tx, ref: str, pointer: str | None = None) -> Checkpoint:
    return found(await checkpoints.get_checkpoint(tx.conn, tx.workspace_id, ref), "checkpoint", ref, pointer)


async def find_suite(tx: Tx, ref: str, pointer: str | None = None) -> EvalSuite:
    return found(await suites.get_suite(tx.conn, tx.workspace_id, ref), "eval suite", ref, pointer)


async def find_evaluation(tx: Tx, ref: str, pointer: str | None = None) -> Evaluation:
    return found(await evaluations.get_evaluation(tx.conn, tx.workspace_id, ref), "evaluation", ref, pointer)


async def find_diagnosis(tx: Tx, ref: str) -> Diagnosis:
    return found(await diagnoses.get_diagnosis(tx.conn, tx.workspace_id, ref), "diagnosis", ref)


async def find_recommendation(tx: Tx, ref: str, pointer: str | None = None) -> Recommendation:
    there = await recommendations.get_recommendation(tx.conn, tx.workspace_id, ref)
    return found(there, "recommendation", ref, pointer)


async def find_advice(tx: Tx, ref: str, loop_id: str) -> Recommendation:
    """The recommendation of this loop that a request says it carries out."""
    there = await recommendations.get_recommendation(tx.conn, tx.workspace_id, ref)
    return found(there if there and there.loop_id == loop_id else None, "recommendation", ref, "/recommendation_id")


async def find_deployment(tx: Tx, ref: str) -> Deployment:
    return found(await deployments.get_deployment(tx.conn, tx.workspace_id, ref), "deployment", ref)


async def find_key(tx: Tx, ref: str) -> Key:
    return found(await workspaces.get_key(tx.conn, tx.workspace_id, ref), "key", ref)


def check_version(noun: str, version: int, wanted: int | None) -> None:
    """Refuse a change of another version than the one that If-Match names."""
    if wanted is not None and wanted != version:
        raise DomainError("version_mismatch", f"The {noun} is at version {version}, not {wanted}.")


def found(value: T | None, noun: str, ref: str, pointer: str | None = None) -> T:
    """The thing that a reference means; refused where there is none."""
    if value is None:
        _missing(noun, ref, pointer)
    return value


def _missing(noun: str, ref: str, pointer: str | None) -> NoReturn:
    """A missing resource named in the path is a 404; one named in the body is a fault of the body."""
    detail = f"There is no {noun} {ref[:128]!r} in this workspace."
    if pointer is None:
        raise DomainError("not_found", detail)
    raise DomainError("unknown_reference", detail, errors=(FieldError(pointer=pointer, message=detail),))
