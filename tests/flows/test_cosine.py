"""Answers graded by the likeness of vectors, from the sandbox's embedding model."""

import dataclasses
import json
from collections.abc import Callable

import pytest
from tests.flows.endpoint import Endpoint, Json, serving
from tests.flows.preparing import EXACT, make_suite
from tests.flows.test_evaluate import items_of, run, suite_of
from tests.flows.wiring import Wire

from whatnext_service.contract.evaluations import NewTokenPrices, WeightedGrader
from whatnext_service.errors import DomainError
from whatnext_service.flows.context import Embeddings, Services
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai_models import OpenAIModels
from whatnext_service.sandbox.embedding import EMBEDDING_MODEL
from whatnext_service.sandbox.serving import Served

QUESTIONS = {
    "What happened to the parcel?": "The parcel was sent on Monday.",
    "When is the refund paid?": "The refund is paid within ten days.",
    "Who repairs the lamp?": "Our workshop repairs the lamp.",
}
ANSWERS = {
    "What happened to the parcel?": "The parcel was sent on Monday.",
    "When is the refund paid?": "Within ten days the refund is paid.",
    "Who repairs the lamp?": "Bananas grow in bunches.",
}


def suite_rows() -> bytes:
    turns = [
        [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        for question, answer in QUESTIONS.items()
    ]
    return "\n".join(json.dumps({"messages": each}) for each in turns).encode() + b"\n"


def alike(**fields: object) -> WeightedGrader:
    grader = {
        "type": "text_similarity",
        "name": "alike",
        "input": "{{sample.output_text}}",
        "reference": "{{item.reference_answer}}",
        "evaluation_metric": "cosine",
    }
    return WeightedGrader(name="alike", grader=grader | fields)


def answered(asked: Json) -> str:
    return ANSWERS[asked["messages"][-1]["content"]]


Embedded = Callable[[Services], Services]


@pytest.fixture
def embedded(services: Services) -> Embedded:
    """Wire the sandbox's embedding model in."""
    models = services.providers["sandbox"].models
    assert isinstance(models, OpenAIModels)
    return lambda wired: dataclasses.replace(wired, embeddings=Embeddings(models=models, model=EMBEDDING_MODEL))


async def test_likeness_of_vectors_is_the_score_and_its_tokens_are_counted(
    wire: Wire, workspace: str, embedded: Embedded
) -> None:
    wired, _ = wire(answered)
    services = embedded(wired)
    suite = await make_suite(services, workspace, 3, content=suite_rows(), graders=(alike(pass_threshold=0.9),))
    assert suite.graders[0].grader["embedding_model"] == EMBEDDING_MODEL
    assert (suite.judged, suite.regrade_sd) == (False, 0.0)
    prices = NewTokenPrices(prompt="0", completion="0", embedding="1000000")
    done = await run(services, workspace, suite, prices=prices)
    same, near, far = [item.combined for item in await items_of(services, workspace, done)]
    assert (done.status, done.n_scored, same) == ("succeeded", 3, 10.0)
    assert near is not None
    assert far is not None
    assert 6.0 < near < 10.0
    assert 1.0 <= far < 3.0
    # Equal texts are alike without being asked about.
    assert done.embedding_tokens == done.cost
    assert done.embedding_tokens > 0
    assert done.judge_tokens == 0


async def test_a_missing_vector_is_a_typed_reason_and_no_score(wire: Wire, workspace: str) -> None:
    wired, _ = wire(answered)
    with serving(Endpoint(answer=lambda asked: (400, {}))) as refusing:
        models = OpenAIModels(PlatformSettings(base_url=refusing.base_url, api_key="none"))
        services = dataclasses.replace(wired, embeddings=Embeddings(models=models, model="vectors"))
        suite = await make_suite(services, workspace, 3, content=suite_rows(), graders=(alike(),))
        done = await run(services, workspace, suite)
        await models.close()
    assert (done.status, done.n_scored, done.combined) == ("succeeded", 1, 10.0)
    assert [(each.code, each.n) for each in done.errors] == [("embedding_error", 2)]
    scores = [item.combined for item in await items_of(services, workspace, done)]
    assert scores == [10.0, None, None]


async def test_without_an_embedding_model_the_suite_is_refused(wire: Wire, workspace: str) -> None:
    services, _ = wire(answered)
    refusals = {
        "unnamed": (alike(), "needs an embedding model"),
        "named": (alike(embedding_model="vectors"), "needs an embedding model"),
        "pointless": (alike(evaluation_metric="bleu", embedding_model="vectors"), "goes with the metric cosine only"),
    }
    for slug, (grader, reason) in refusals.items():
        with pytest.raises(DomainError, match=reason):
            await make_suite(services, workspace, 3, slug=slug, content=suite_rows(), graders=(grader,))


async def test_the_model_a_grader_names_is_asked_and_stays_when_another_is_configured(
    wire: Wire, workspace: str, embedded: Embedded, trainer: Served
) -> None:
    wired, _ = wire(answered)
    services = embedded(wired)
    suite = await make_suite(services, workspace, 3, content=suite_rows(), graders=(alike(), EXACT))
    known = services.embeddings
    assert known is not None
    other = dataclasses.replace(services, embeddings=Embeddings(models=known.models, model="another"))
    assert (await run(other, workspace, suite)).n_scored == 3
    unknown = await make_suite(
        other, workspace, 3, slug="other", content=suite_rows(), graders=(alike(embedding_model="unknown"),)
    )
    assert (await suite_of(other, workspace, unknown.id)).graders[0].grader["embedding_model"] == "unknown"
    done = await run(other, workspace, unknown)
    assert [(each.code, each.n) for each in done.errors] == [("embedding_error", 2)]
