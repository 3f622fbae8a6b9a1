"""Learning dynamics, as an advisor would meet them."""

import math

import pytest
from tests.sandbox.synthetic import make_rows, mislabel, to_examples

from whatnext_service.sandbox.base_models import BASE_MODELS, BaseModel, find_base_model
from whatnext_service.sandbox.messages import Example
from whatnext_service.sandbox.training import Step, Training, resolve

TRAIN = make_rows(160, seed=1)
VALID = make_rows(80, seed=2)
HELD_OUT = to_examples(make_rows(120, seed=3))


def base_model(name: str) -> BaseModel:
    base = find_base_model(name)
    assert base
    return base


def train(
    name: str,
    rows: list[tuple[str, str]],
    *,
    epochs: int,
    rate: float,
    valid: list[tuple[str, str]] = VALID,
    seed: int = 0,
) -> tuple[Training, list[Step]]:
    base = base_model(name)
    hyper = resolve(base, n_examples=len(rows), n_epochs=epochs, batch_size=None, learning_rate_multiplier=rate)
    training = Training(base, to_examples(rows), to_examples(valid), hyper, seed)
    return training, list(training.steps())


def accuracy(training: Training, examples: list[Example] = HELD_OUT) -> float:
    right = [training.network.answer(example.prompt, max_tokens=8)[0] == example.answer for example in examples]
    return sum(right) / len(right)


def full_losses(steps: list[Step]) -> list[float]:
    return [step.full_valid_loss for step in steps if step.full_valid_loss is not None]


@pytest.mark.parametrize("name", [base.name for base in BASE_MODELS])
def test_every_base_model_learns_the_task(name: str) -> None:
    training, steps = train(name, TRAIN, epochs=10, rate=1.0)
    assert full_losses(steps)[-1] < full_losses(steps)[0]
    assert accuracy(training) > 0.5


def test_too_few_steps_underfit() -> None:
    short, steps_short = train("sandbox-small", TRAIN, epochs=2, rate=0.3)
    long, steps_long = train("sandbox-small", TRAIN, epochs=10, rate=1.0)
    assert full_losses(steps_short)[-1] > 1.5 * full_losses(steps_long)[-1]
    assert accuracy(long) > accuracy(short) + 0.2


def test_a_far_too_high_rate_diverges() -> None:
    training, steps = train("sandbox-base", TRAIN, epochs=3, rate=30.0)
    assert full_losses(steps)[-1] > 3 * steps[0].train_loss
    assert accuracy(training) < 0.3


def test_a_rate_beyond_the_numbers_ends_the_training_at_the_step_that_is_not_finite() -> None:
    _, steps = train("sandbox-base", TRAIN, epochs=3, rate=1e40)
    assert not math.isfinite(steps[-1].train_loss)
    assert all(math.isfinite(step.train_loss) for step in steps[:-1])
    assert len(steps) < steps[-1].n_steps


def test_too_many_epochs_on_few_mislabelled_examples_overfit() -> None:
    few, valid = mislabel(TRAIN[:80], 0.3), mislabel(VALID, 0.3)
    _, steps = train("sandbox-base", few, epochs=15, rate=1.0, valid=valid)
    losses = full_losses(steps)
    assert losses[-1] > 1.2 * min(losses)
    assert losses.index(min(losses)) < 5
    assert steps[-1].train_loss < 0.1


def test_the_hot_base_model_gains_from_a_lower_rate_on_noisy_labels() -> None:
    noisy, valid = mislabel(TRAIN, 0.3), mislabel(VALID, 0.3)
    _, at_default = train("sandbox-base", noisy, epochs=5, rate=1.0, valid=valid)
    _, lower = train("sandbox-base", noisy, epochs=5, rate=0.2, valid=valid)
    assert min(full_losses(lower)) < 0.9 * min(full_losses(at_default))


def test_contradictory_labels_hurt() -> None:
    contradictory = TRAIN + [(text, "press") for text, _ in TRAIN[::2]]
    clean, steps_clean = train("sandbox-base", TRAIN + TRAIN[::2], epochs=5, rate=0.3)
    torn, steps_torn = train("sandbox-base", contradictory, epochs=5, rate=0.3)
    assert accuracy(clean) > accuracy(torn) + 0.1
    assert full_losses(steps_torn)[-1] > 1.2 * full_losses(steps_clean)[-1]


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    first, second, other = (train("sandbox-base", TRAIN, epochs=1, rate=1.0, seed=seed)[1] for seed in (5, 5, 6))
    assert first == second
    assert first != other


def test_validation_is_measured_now_and_then_and_in_full_at_epoch_ends() -> None:
    _, steps = train("sandbox-base", TRAIN, epochs=2, rate=1.0)
    assert [step.step for step in steps if step.full_valid_loss is not None] == [20, 40]
    assert [step.step for step in steps if step.valid_loss is not None] == [1, 10, 20, 30, 40]
    assert [step.epoch for step in steps] == [1] * 20 + [2] * 20


def test_without_validation_nothing_is_made_up() -> None:
    _, steps = train("sandbox-base", TRAIN, epochs=1, rate=1.0, valid=[])
    assert {step.valid_loss for step in steps} | {step.full_valid_loss for step in steps} == {None}


@pytest.mark.parametrize(
    ("n_examples", "epochs", "batch"), [(10, 10, 1), (20, 5, 2), (33, 4, 3), (34, 3, 3), (500, 3, 8)]
)
def test_auto_becomes_more_epochs_and_smaller_batches_for_small_files(n_examples: int, epochs: int, batch: int) -> None:
    found = resolve(
        BASE_MODELS[0], n_examples=n_examples, n_epochs=None, batch_size=None, learning_rate_multiplier=None
    )
    assert (found.n_epochs, found.batch_size, found.learning_rate_multiplier) == (epochs, batch, 1.0)
