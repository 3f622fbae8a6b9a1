"""Make new dataset versions by operations on another one."""

import asyncio

import msgspec

from whatnext_service.contract.datasets import (
    Dataset,
    DatasetOperation,
    DatasetVersion,
    Derivation,
    DerivedPart,
    NewDataset,
    NewDerivation,
)
from whatnext_service.core.dataset_lines import iter_rows
from whatnext_service.core.dataset_reader import DatasetReader
from whatnext_service.core.datasets import DatasetFacts
from whatnext_service.core.derivation_preview import TouchedRow, show_touched
from whatnext_service.core.derive import Plan, carry_out, index_rows, plan_derivation
from whatnext_service.core.dropped_rows import DerivationSource
from whatnext_service.core.loops import Method
from whatnext_service.core.operations import Operation
from whatnext_service.errors import DomainError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.upload import Spool, add_version, create_dataset
from whatnext_service.flows.version_content import stream_version
from whatnext_service.store import datasets, quality, recommendations, row_judgings

MAX_BYTES = 2**31
MAX_NAME = 128


async def derive_version(tx: Tx, version_id: str, new: NewDerivation) -> Derivation:
    """Plan the operations, show what they do, and unless it is a dry run store what comes of them with its lineage.

    What is left is checked as if it were uploaded. A split stores each part as the next version of the dataset
    `<dataset>-<part>`, so that no part is taken for training data of a loop that trains on the whole.
    """
    version = await look_up.find_version(tx, version_id)
    if new.recommendation_id:
        await look_up.find_recommendation(tx, new.recommendation_id, "/recommendation_id")
    operations = tuple(_operation(each) for each in new.operations)
    stored = await quality.derivation_source(tx.conn, tx.workspace_id, version.id)
    if any(each.min_judge_score is not None for each in operations):
        judged = await row_judgings.judge_scores(tx.conn, version.id)
        stored = msgspec.structs.replace(stored, judge_scores=judged.scores if judged and judged.resists else None)
    with Spool(MAX_BYTES) as source:
        async for chunk in stream_version(tx, version):
            await asyncio.to_thread(source.write, chunk)
        plan, touched = await asyncio.to_thread(_plan, stored, source, operations)
        made = () if new.dry_run else await _store(tx, version, source, plan)
    if made and new.recommendation_id:
        await recommendations.carried_out(tx.conn, tx.workspace_id, new.recommendation_id, made[0].id, tx.now)
    return Derivation(
        version=made[0] if made else None,
        parts=tuple(
            DerivedPart(name=name, n_examples=count, version=made[at] if made else None)
            for at, (name, count) in enumerate(zip(plan.part_names, plan.part_counts, strict=True))
        ),
        n_before=plan.effects[0].n_before,
        n_after=plan.effects[-1].n_after,
        effects=plan.effects,
        touched=touched,
        dropped_lines=tuple(row.line for row in touched if row.line),
    )


def _operation(asked: DatasetOperation) -> Operation:
    examples = tuple(msgspec.Raw(msgspec.json.encode(row)) for row in asked.examples) if asked.examples else None
    return Operation(
        kind=asked.kind,
        near=asked.near,
        ids=asked.ids,
        lines=asked.lines,
        checks=asked.checks,
        min_score=asked.min_score,
        min_judge_score=asked.min_judge_score,
        examples=examples,
        parts=asked.parts,
        method=asked.method,
        answer_field=asked.answer_field,
    )


def _plan(
    stored: DerivationSource, source: Spool, operations: tuple[Operation, ...]
) -> tuple[Plan, tuple[TouchedRow, ...]]:
    if not stored.lines:
        read = index_rows(iter_rows(source.chunks()))
        stored = msgspec.structs.replace(
            stored,
            row_hashes=read.row_hashes,
            prompt_hashes=read.prompt_hashes,
            reversed_hashes=read.reversed_hashes,
            lines=read.lines,
        )
    plan = plan_derivation(stored, operations)
    return plan, show_touched(plan, iter_rows(source.chunks()))


async def _store(tx: Tx, version: DatasetVersion, source: Spool, plan: Plan) -> tuple[DatasetVersion, ...]:
    if not plan.changes_rows:
        raise DomainError("invalid_derivation", "The operations change no row: the new version would be the old one.")
    whole = await look_up.find_dataset(tx, version.dataset_id)
    announced: Method = plan.method or msgspec.convert(version.method, Method)
    made = []
    for part, name in enumerate(plan.part_names):
        dataset = whole if len(plan.part_names) == 1 else await _part_dataset(tx, f"{whole.name}-{name}")
        with Spool(MAX_BYTES) as spool:
            facts = await asyncio.to_thread(_write, spool, source, plan, part, announced)
            stored, _ = await add_version(
                tx,
                dataset.id,
                spool,
                facts,
                parent_id=version.id,
                derived_by=tuple(dict.fromkeys(plan.derived_by)),
            )
        made.append(stored)
    return tuple(made)


async def _part_dataset(tx: Tx, name: str) -> Dataset:
    if len(name) > MAX_NAME:
        raise DomainError("invalid_derivation", f"The name of the part's dataset would be too long: {name[:64]}...")
    return await datasets.dataset_by_name(tx.conn, tx.workspace_id, name) or await create_dataset(
        tx, NewDataset(name=name)
    )


def _write(spool: Spool, source: Spool, plan: Plan, part: int, announced: Method) -> DatasetFacts:
    reader = DatasetReader(announced)
    for line in carry_out(plan, iter_rows(source.chunks()), part):
        spool.write(line)
        reader.feed(line)
    return reader.finish()
