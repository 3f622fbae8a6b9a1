"""The structs that the OpenAPI document describes: everything the contract defines, and what it refers to."""

from typing import Any

import msgspec

from whatnext_service.api.problem import Problem
from whatnext_service.contract import (
    advice,
    common,
    datasets,
    deployments,
    evaluations,
    history,
    judging,
    loops,
    row_judging,
    runs,
    webhooks,
    workspace,
)
from whatnext_service.core.compare import Comparison
from whatnext_service.core.state import BaseModel

_MODULES = (advice, datasets, deployments, evaluations, history, judging, loops, row_judging, runs, webhooks, workspace)
_ABSTRACT = (msgspec.Struct, common.Body, common.Resource, common.Page)


def _defined(module: Any) -> list[type[msgspec.Struct]]:
    found = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    return [each for each in found if each not in _ABSTRACT]


STRUCTS: tuple[type[msgspec.Struct], ...] = tuple(
    dict.fromkeys([*(kind for module in _MODULES for kind in _defined(module)), Comparison, BaseModel, Problem])
)
PAGES: tuple[Any, ...] = tuple(
    common.Page[kind]  # type: ignore[valid-type]
    for kind in (
        advice.Diagnosis,
        advice.Recommendation,
        BaseModel,
        datasets.Dataset,
        datasets.DatasetVersion,
        datasets.ScoredRow,
        deployments.Deployment,
        evaluations.EvalSuite,
        evaluations.Evaluation,
        evaluations.EvaluationItem,
        judging.JudgeCalibration,
        loops.Loop,
        runs.Checkpoint,
        runs.Run,
        webhooks.WebhookDelivery,
        webhooks.WebhookEndpoint,
        workspace.Event,
        workspace.Key,
    )
)
