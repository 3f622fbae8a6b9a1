"""Training: minibatch Adam on a network, the losses on the way, and what the provider makes of "auto"."""

import math
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from whatnext_service.sandbox.base_models import BaseModel
from whatnext_service.sandbox.messages import Example
from whatnext_service.sandbox.network import Encoded, Gradient, Network, Params, build_vocabulary

_MOMENTUM = 0.9
_SPREAD = 0.99
_EPSILON = 1e-8
VALID_EVERY = 10
"""Steps between two validation minibatches; the first step and the last of an epoch have one, too."""


class Hyperparameters(msgspec.Struct, kw_only=True, frozen=True):
    """What a job trains with, after "auto" was resolved."""

    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float


class Step(msgspec.Struct, kw_only=True, frozen=True, tag="step"):
    """One optimiser step. Training values are of the step's minibatch before its update; `valid_*` of one validation
    minibatch and `full_valid_*` of the whole validation file after it. Null where not measured."""

    step: int
    n_steps: int
    epoch: int
    """From 1."""
    ends_epoch: bool
    train_loss: float
    train_mean_token_accuracy: float
    valid_loss: float | None
    valid_mean_token_accuracy: float | None
    full_valid_loss: float | None
    full_valid_mean_token_accuracy: float | None


def resolve(
    base: BaseModel,
    *,
    n_examples: int,
    n_epochs: int | None,
    batch_size: int | None,
    learning_rate_multiplier: float | None,
) -> Hyperparameters:
    """Null stands for "auto": three epochs, more (to 25) below 34 examples so that about 100 are seen; the base
    model's batch size, less where that would leave under ten steps an epoch; the base model's multiplier."""
    return Hyperparameters(
        n_epochs=n_epochs or min(25, max(3, math.ceil(100 / n_examples))),
        batch_size=min(n_examples, batch_size) if batch_size else max(1, min(base.batch_size, n_examples // 10)),
        learning_rate_multiplier=learning_rate_multiplier or base.learning_rate_multiplier,
    )


class Adam:
    """Adam whose moments move only for the rows that have a gradient."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._mean = {name: np.zeros_like(values) for name, values in params.items()}
        self._square = {name: np.zeros_like(values) for name, values in params.items()}
        self._n_updates = 0

    def update(self, gradients: dict[str, Gradient], rate: float) -> None:
        self._n_updates += 1
        warm_mean = 1 - _MOMENTUM**self._n_updates
        warm_square = 1 - _SPREAD**self._n_updates
        for name, (rows, values) in gradients.items():
            where = slice(None) if rows is None else rows
            mean = self._mean[name][where] * _MOMENTUM + (1 - _MOMENTUM) * values
            square = self._square[name][where] * _SPREAD + (1 - _SPREAD) * values * values
            self._mean[name][where] = mean
            self._square[name][where] = square
            self._params[name][where] -= (
                np.float32(rate) * (mean / warm_mean) / (np.sqrt(square / warm_square) + _EPSILON)
            )


class Training:
    """A network on its way from a base model; deterministic for a seed."""

    def __init__(
        self,
        base: BaseModel,
        examples: Sequence[Example],
        validation: Sequence[Example],
        hyper: Hyperparameters,
        seed: int,
    ) -> None:
        self.network = Network.start(base, build_vocabulary(examples))
        self._items = [self.network.encode(example) for example in examples]
        self._validation = [self.network.encode(example) for example in validation]
        self._hyper = hyper
        self._rate = base.learning_rate * hyper.learning_rate_multiplier
        self._random = np.random.default_rng(seed)
        self.n_steps = math.ceil(len(examples) / hyper.batch_size) * hyper.n_epochs

    def steps(self) -> Iterator[Step]:
        """Trains as it is consumed; the network then holds the state after the step just given. Ends early after
        a step whose training loss is not finite."""
        adam = Adam(self.network.params)
        number = 0
        with np.errstate(all="ignore"):
            for epoch in range(1, self._hyper.n_epochs + 1):
                batches = self._batches()
                for index, batch in enumerate(batches, start=1):
                    number += 1
                    score, gradients = self.network.gradients([self._items[item] for item in batch])
                    adam.update(gradients, self._rate)
                    step = self._measure(number, epoch, index == len(batches), score.loss, score.accuracy)
                    yield step
                    if not math.isfinite(step.train_loss):
                        return

    def _batches(self) -> list[NDArray[np.int64]]:
        order = self._random.permutation(len(self._items))
        size = self._hyper.batch_size
        return [order[start : start + size] for start in range(0, len(order), size)]

    def _measure(self, number: int, epoch: int, ends_epoch: bool, loss: float, accuracy: float) -> Step:
        valid = full = None
        if self._validation:
            if number == 1 or number % VALID_EVERY == 0 or ends_epoch:
                valid = self.network.score(self._validation_batch(number))
            if ends_epoch:
                full = self.network.score(self._validation)
        return Step(
            step=number,
            n_steps=self.n_steps,
            epoch=epoch,
            ends_epoch=ends_epoch,
            train_loss=loss,
            train_mean_token_accuracy=accuracy,
            valid_loss=valid and valid.loss,
            valid_mean_token_accuracy=valid and valid.accuracy,
            full_valid_loss=full and full.loss,
            full_valid_mean_token_accuracy=full and full.accuracy,
        )

    def _validation_batch(self, number: int) -> list[Encoded]:
        """The minibatches walk through the validation file and start again at its end."""
        size = min(self._hyper.batch_size, len(self._validation))
        start = (number - 1) * size
        return [self._validation[(start + index) % len(self._validation)] for index in range(size)]
