"""Create an eval suite from a held-out dataset version."""

import msgspec

from whatnext_service.contract.datasets import DatasetVersion
from whatnext_service.contract.evaluations import EvalSuite, NewEvalSuite, WeightedGrader
from whatnext_service.contract.loops import Loop
from whatnext_service.core.admission import check_overlap
from whatnext_service.core.dataset_lines import iter_rows
from whatnext_service.core.default_judge import default_dimensions
from whatnext_service.core.eval_rows import EvalItem, cluster_numbers, read_eval_row
from whatnext_service.core.grader_json import parse_grader, with_embedding_model
from whatnext_service.core.json_values import JsonValue
from whatnext_service.core.scores import GradedDimension
from whatnext_service.core.suite_fingerprint import EvalSampling, suite_fingerprint
from whatnext_service.core.suites import check_guardrails, check_suite, is_binary
from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.grade import judged_parts
from whatnext_service.flows.version_content import read_version
from whatnext_service.store import datasets, suites


async def create_suite(tx: Tx, new: NewEvalSuite) -> EvalSuite:
    """Store an immutable suite; its items must not occur in the loop's training or validation data (method 4)."""
    loop = await look_up.lock_loop(tx, new.loop_id, "/loop_id")
    version = await look_up.find_version(tx, new.dataset_version_id, "/dataset_version_id")
    dimensions = _dimensions(tx, new)
    items = await _items(tx, version)
    check_suite(
        items,
        dimensions,
        new.scale.min,
        new.scale.max,
        loop.metric,
        has_judge=tx.services.judge is not None,
        has_embeddings=tx.services.embeddings is not None,
    )
    check_guardrails(tuple(each.name for each in new.guardrails), dimensions)
    hashes = await datasets.prompt_hashes(tx.conn, tx.workspace_id, version.id)
    await _check_held_out(tx, loop, hashes, new.name)
    judge = tx.services.judge.model if tx.services.judge else None
    judged = any(judged_parts(each) for each in dimensions)
    suite = EvalSuite(
        id=tx.new_id("suite"),
        loop_id=loop.id,
        name=new.name,
        role=new.role,
        dataset_version_id=version.id,
        graders=tuple(
            WeightedGrader(name=each.name, weight=each.weight, grader=msgspec.to_builtins(each.grader))
            for each in dimensions
        ),
        scale=new.scale,
        sampling=new.sampling,
        fingerprint=suite_fingerprint(
            items,
            dimensions,
            EvalSampling(
                temperature=new.sampling.temperature,
                max_completion_tokens=new.sampling.max_completion_tokens,
                seed=new.sampling.seed,
            ),
            scale_min=new.scale.min,
            scale_max=new.scale.max,
            judge=judge,
        ),
        n_items=len(items),
        n_looks=0,
        created_at=tx.now,
        judged=judged,
        guardrails=new.guardrails,
        canaries=None,
        regrade_sd=None if judged else 0.0,
        regrade=None,
    )
    await suites.insert_suite(
        tx.conn,
        tx.workspace_id,
        suite,
        [
            suites.SuiteItem(
                idx=place,
                messages=item.messages,
                reference=item.reference,
                item=item.fields,
                tags=item.tags,
                tools=_json(item.tools),
            )
            for place, item in enumerate(items)
        ],
        is_binary=is_binary(dimensions),
        clusters=cluster_numbers(items),
        prompt_hashes=hashes,
    )
    tx.loop_moved(loop.id)
    tx.tell("eval_suite.created", suite.id, 1, loop_id=loop.id)
    return suite


def _json(tools: JsonValue) -> bytes | None:
    return msgspec.json.encode(tools) if tools is not None else None


def _dimensions(tx: Tx, new: NewEvalSuite) -> tuple[GradedDimension, ...]:
    """The graders given, or the default judge."""
    embedding_model = tx.services.embeddings.model if tx.services.embeddings else None
    if new.graders is not None:
        return tuple(
            GradedDimension(
                name=each.name,
                weight=each.weight,
                grader=with_embedding_model(
                    parse_grader(msgspec.json.encode(each.grader), f"/graders/{place}/grader"), embedding_model
                ),
            )
            for place, each in enumerate(new.graders)
        )
    if tx.services.judge is None:
        message = "name graders: the default one needs a judge model, and none is configured"
        raise DomainError(
            "judge_not_configured", f"{message}.", errors=(FieldError(pointer="/graders", message=message),)
        )
    return default_dimensions(tx.services.judge.model)


async def _items(tx: Tx, version: DatasetVersion) -> tuple[EvalItem, ...]:
    return tuple(read_eval_row(row) for _, row in iter_rows(await read_version(tx, version)))


async def _check_held_out(tx: Tx, loop: Loop, suite_hashes: bytes, name: str) -> None:
    trained_on = [loop.validation_version_id] if loop.validation_version_id else []
    if loop.dataset_id:
        page = await datasets.list_versions(tx.conn, tx.workspace_id, None, 100, dataset_id=loop.dataset_id)
        trained_on += [each.id for each in page.data]
    for version_id in trained_on:
        hashes = await datasets.prompt_hashes(tx.conn, tx.workspace_id, version_id)
        check_overlap(hashes, suite_hashes, "/dataset_version_id", name)
