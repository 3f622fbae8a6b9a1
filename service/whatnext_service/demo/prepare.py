"""What a user does once, before asking: a loop, its data, its two suites."""

import time

import msgspec

from whatnext import Client
from whatnext.params import WeightedGrader
from whatnext_service.demo.corpus import Corpus

MAX_RUNS = 10
BASE_MODELS = ("sandbox-base", "sandbox-large", "sandbox-small")
GRADER = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "reference": "{{item.reference_answer}}",
    "operation": "eq",
}


class Goal(msgspec.Struct, kw_only=True, frozen=True):
    """The loop to be driven."""

    slug: str
    n_training: int
    n_duplicates: int
    n_contradictions: int
    n_selection: int
    n_final: int


def prepare(client: Client, corpus: Corpus) -> Goal:
    """Create the loop, upload the corpus's four parts, define the selection suite and the sealed final test."""
    slug = f"module-names-{time.strftime('%Y%m%d-%H%M%S')}"
    client.loops.create(
        slug=slug,
        task="Name the standard library module that a docstring is from.",
        budget={"max_runs": MAX_RUNS},
        choices={"base_models": list(BASE_MODELS)},
    )
    validation = _upload(client, f"{slug}-validation", corpus.validation)
    client.loops.update(slug, validation_version_id=validation)
    selection = _upload(client, f"{slug}-selection", corpus.selection)
    final = _upload(client, f"{slug}-final", corpus.final_test)
    graders: list[WeightedGrader] = [{"name": "exact", "grader": GRADER}]
    suite = client.eval_suites.create(
        loop_id=slug, name="selection", role="selection", dataset_version_id=selection, graders=graders
    )
    sealed = client.eval_suites.create(
        loop_id=slug, name="final", role="final_test", dataset_version_id=final, graders=graders
    )
    dataset = client.datasets.create(name=f"{slug}-training", loop_id=slug)
    version = client.datasets.upload_version(dataset.id, file=corpus.training)
    return Goal(
        slug=slug,
        n_training=version.n_examples,
        n_duplicates=version.n_duplicates,
        n_contradictions=version.n_contradictions,
        n_selection=suite.n_items,
        n_final=sealed.n_items,
    )


def _upload(client: Client, name: str, content: bytes) -> str:
    dataset = client.datasets.create(name=name)
    return client.datasets.upload_version(dataset.id, file=content).id
