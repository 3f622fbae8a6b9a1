"""What holds for every loop, whatever its results: driven through the planner's own answers."""

import math
import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.loop_states import (
    a_checkpoint,
    a_config,
    a_loop,
    a_model,
    a_reading,
    a_run,
    a_state,
    a_version,
    an_evaluation,
    cleaned_version,
)

from whatnext_service.core.advice import Answer
from whatnext_service.core.lineage import apply_overrides, changed_variables
from whatnext_service.core.loops import Budget, Choices, Range
from whatnext_service.core.plan import what_next
from whatnext_service.core.runs import RunConfig
from whatnext_service.core.state import Decline, LoopState

ENDS = ("ship", "stop", "review")

choices = st.builds(
    Choices,
    base_models=st.sampled_from([None, ("a",), ("a", "b"), ("b", "c", "a")]),
    methods=st.sampled_from([None, ("sft",)]),
    learning_rate_multiplier=st.sampled_from(
        [None, Range(min=0.1, max=2.0), Range(min=0.2, max=0.25), Range(min=0.02, max=0.2), Range(min=1, max=1)]
    ),
    n_epochs=st.sampled_from([None, Range(min=1, max=3), Range(min=2, max=2)]),
    batch_size=st.sampled_from([None, Range(min=4, max=16), Range(min=1, max=1)]),
)


def start(limits: Choices, max_runs: int | None) -> LoopState:
    versions = (
        a_version(),
        cleaned_version(2, 320),
        a_version(3, 900, parent_id="dsv_1", derived_by=("add_examples",)),
    )
    return a_state(
        loop=a_loop(choices=limits, budget=Budget(max_runs=max_runs)),
        versions=versions,
        catalogue=(a_model("a"), a_model("b"), a_model("c", methods=("sft", "rft"))),
    )


def carry_out(state: LoopState, answer: Answer, rng: random.Random) -> LoopState:
    """Do what the answer says, with an arbitrary result; now and then decline it instead."""
    action = answer.action
    if action.request is None or rng.random() < 0.15:
        refused = Decline(recommendation_id=action.recommendation_id, fingerprint=action.fingerprint, reason=None)
        return msgspec.structs.replace(state, version=state.version + 1, declines=(*state.declines, refused))
    body = action.request.body
    assert body is not None
    if action.kind in ("start_run", "repeat_run"):
        for config in asked(state, answer):
            state = msgspec.structs.replace(state, runs=(*state.runs, trained(state, config, body.parent_run_id, rng)))
        return msgspec.structs.replace(state, version=state.version + 1)
    run = None if body.subject == "base_model" else int((body.checkpoint_id or body.run_id or "").split("_")[1])
    step = int(body.checkpoint_id.rsplit("_", 1)[1]) if body.checkpoint_id else None
    score = rng.uniform(4.0, 9.0)
    measured = an_evaluation(
        score,
        run=run,
        step=step,
        role="final_test" if body.suite_id == "suite_final_test" else "selection",
        items=[min(10.0, max(1.0, rng.gauss(score, 1.5))) for _ in range(50)],
    )
    return msgspec.structs.replace(state, version=state.version + 1, evaluations=(*state.evaluations, measured))


def trained(state: LoopState, config: RunConfig, parent_id: str | None, rng: random.Random):
    number = len(state.runs) + 1
    failed = rng.random() < 0.1
    first, last = rng.uniform(0.5, 1.5), rng.uniform(0.3, 2.0)
    best = min(first, last, rng.uniform(0.3, 1.0))
    points = tuple(
        msgspec.structs.replace(a_checkpoint(number, step, final=step == 30), full_valid_loss=rng.uniform(best, 2.0))
        for step in (10, 20, 30)
    )
    return a_run(
        number,
        config,
        parent_id=parent_id,
        status="failed" if failed else "succeeded",
        failure=rng.choice(["loss is nan", "server error"]) if failed else None,
        checkpoints=() if failed else points,
        reading=a_reading(
            trend="above_first" if last > first else "risen" if last > 1.04 * best else "falling",
            first_valid_loss=first,
            best_valid_loss=best,
            last_valid_loss=last,
            rise=last / best,
            best_is_last=math.isclose(last, best),
        ),
    )


def asked(state: LoopState, answer: Answer) -> list[RunConfig]:
    """What the call trains: one configuration, or one for each of several base models."""
    body = answer.action.request.body
    if body.config is not None:
        return [body.config]
    if body.base_models is not None:
        plan = a_config(
            dataset_version_id=body.dataset_version_id,
            n_epochs=body.n_epochs,
            learning_rate_multiplier=body.learning_rate_multiplier,
        )
        return [msgspec.structs.replace(plan, base_model=name) for name in body.base_models]
    parent = next(run for run in state.runs if run.id == body.parent_run_id)
    return [apply_overrides(parent.config, body.overrides)]


def check(state: LoopState, answer: Answer) -> None:
    limits = state.loop.choices
    assert answer.headline
    assert answer.rationale
    assert len(answer.markdown) <= 3000
    assert msgspec.json.encode(answer) == msgspec.json.encode(what_next(state))
    assert answer.action.fingerprint not in {each.fingerprint for each in state.declines} or answer.action.kind == (
        "review"
    )
    if answer.action.kind not in ("start_run", "repeat_run"):
        assert answer.change is None
        return
    configs, body = asked(state, answer), answer.action.request.body
    if answer.action.kind == "start_run":
        tried = [msgspec.structs.replace(run.config, seed=None) for run in state.runs]
        assert not [config for config in configs if msgspec.structs.replace(config, seed=None) in tried]
    if body.parent_run_id is not None:
        parent = next(run for run in state.runs if run.id == body.parent_run_id)
        changed = changed_variables(parent.config, configs[0])
        assert changed == (() if answer.change is None else (answer.change.variable,))
        expects = answer.change.expects if answer.change else None
        known = expects is not None and expects.effect is not None
        assert not known or expects.effect_low <= expects.effect <= expects.effect_high
    for config in configs:
        assert limits.base_models is None or config.base_model in limits.base_models
        for name in ("learning_rate_multiplier", "n_epochs", "batch_size"):
            allowed, value = getattr(limits, name), getattr(config, name)
            assert allowed is None or value is None or allowed.min <= value <= allowed.max
    if state.loop.budget.max_runs is not None:
        assert len(state.runs) + len(configs) <= state.loop.budget.max_runs


@settings(max_examples=60, deadline=None)
@given(limits=choices, max_runs=st.sampled_from([None, 1, 4]), seed=st.integers(0, 2**32))
def test_every_answer_keeps_the_promises_and_every_loop_ends(limits: Choices, max_runs: int | None, seed: int) -> None:
    """Contract: no configuration twice, one change, within choices and budget, always an answer, and an end."""
    rng = random.Random(seed)
    state = start(limits, max_runs)
    for _ in range(200):
        answer = what_next(state)
        check(state, answer)
        if answer.action.kind in ENDS:
            return
        state = carry_out(state, answer, rng)
    raise AssertionError("the loop does not end")
