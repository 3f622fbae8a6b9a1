"""The model: a prompt's features and the answer so far, through one hidden layer, to the next answer token.

    hidden = tanh(prompt @ embed + position[i] + previous[token i-1] + before[token i-2])
    logits = hidden @ out + bias

A base model's `embed` is a fixed random projection, the same for everyone. A fine-tuned model starts from it, with
`out` set to the projections of the answer tokens' own features, so that it begins by preferring tokens that look
like the prompt: what the untuned model does with the words it is given.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from whatnext_service.sandbox.base_models import BaseModel, find_base_model
from whatnext_service.sandbox.messages import Example, Message
from whatnext_service.sandbox.tokens import Floats, Ints, Prompt, encode_prompt, features, hashed, tokens

_SPECIAL = ("<end>", "<unknown>")
_END, _UNKNOWN = 0, 1
MAX_VOCABULARY = 8_000
MAX_ANSWER_TOKENS = 512
N_POSITIONS = 24
_CHUNK = 64
_ENDING_STRENGTH = 1.5

Params = dict[str, Floats]


class Gradient(NamedTuple):
    """A parameter's gradient; `rows` where only some of its rows have one."""

    rows: Ints | None
    values: Floats


class Encoded(msgspec.Struct, kw_only=True, frozen=True):
    """An example ready for the network: per answer token its position, its two predecessors and itself."""

    prompt: Prompt
    position: Ints
    previous: Ints
    before: Ints
    target: Ints


class Activation(NamedTuple):
    """A batch on its way through the network; one row per answer token unless said otherwise."""

    buckets: Ints
    """The prompt buckets the batch touches."""
    prompts: Floats
    """One row per example, one column per touched bucket."""
    owner: Ints
    """The example each row belongs to."""
    position: Ints
    previous: Ints
    before: Ints
    hidden: Floats
    log_p: Floats


class Score(NamedTuple):
    """Mean loss in nats and accuracy over answer tokens, the end token included."""

    loss: float
    accuracy: float


def read_prompt(base: BaseModel, messages: tuple[Message, ...]) -> Prompt:
    return encode_prompt(messages, buckets=base.buckets, bigrams=base.bigrams, grams=base.grams)


def project(base: BaseModel, embed: Floats, text: str) -> Floats:
    """A text in the hidden space of the untuned model."""
    seen = hashed(features(text, bigrams=base.bigrams, grams=base.grams), base.buckets)
    return seen.weights @ embed[seen.buckets]


def pretrained_embed(base: BaseModel) -> Floats:
    return _random(base, "embed").normal(0, base.width**-0.5, (base.buckets, base.width)).astype(np.float32)


def _ending(base: BaseModel) -> Floats:
    """The direction in which every base model keeps "the answer has begun, it may end"."""
    direction = _random(base, "ending").normal(0, 1, base.width).astype(np.float32)
    return direction * np.float32(_ENDING_STRENGTH / np.linalg.norm(direction))


def _random(base: BaseModel, purpose: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{base.name} {purpose}".encode()))


def build_vocabulary(examples: Sequence[Example]) -> tuple[str, ...]:
    """The answer tokens, most frequent first, ties by their text."""
    counts: dict[str, int] = {}
    for example in examples:
        for token in tokens(example.answer):
            counts[token] = counts.get(token, 0) + 1
    ranked = sorted(counts, key=lambda token: (-counts[token], token))
    return (*_SPECIAL, *ranked[:MAX_VOCABULARY])


class Network:
    """A model in memory. Changed only by its trainer."""

    def __init__(self, base: BaseModel, vocabulary: tuple[str, ...], params: Params) -> None:
        self.base = base
        self.vocabulary = vocabulary
        self.params = params
        self._ids = {token: index for index, token in enumerate(vocabulary) if index > _UNKNOWN}

    @classmethod
    def start(cls, base: BaseModel, vocabulary: tuple[str, ...]) -> "Network":
        embed, ending = pretrained_embed(base), _ending(base)
        size, width = len(vocabulary), base.width
        out = np.zeros((width, size), np.float32)
        out[:, _END] = ending
        for index, token in enumerate(vocabulary[2:], start=2):
            out[:, index] = project(base, embed, token)
        position = np.tile(ending, (N_POSITIONS, 1))
        position[0] = -ending
        params = {
            "embed": embed,
            "position": position,
            "previous": np.zeros((size + 1, width), np.float32),
            "before": np.zeros((size + 1, width), np.float32),
            "out": out,
            "bias": np.zeros(size, np.float32),
        }
        return cls(base, vocabulary, params)

    def save(self, path: Path) -> None:
        """Writes the model whole or not at all."""
        draft = path.with_suffix(".part")
        with draft.open("wb") as file:
            labels = {"base": self.base.name.encode(), "vocabulary": msgspec.json.encode(self.vocabulary)}
            stored = {name: np.frombuffer(label, np.uint8) for name, label in labels.items()}
            np.savez(file, allow_pickle=False, **stored, **self.params)
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Network":
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        base = find_base_model(arrays.pop("base").tobytes().decode())
        if base is None:
            raise ValueError(f"{path} belongs to an unknown base model")
        vocabulary = msgspec.json.decode(arrays.pop("vocabulary").tobytes(), type=tuple[str, ...])
        return cls(base, vocabulary, arrays)

    def encode(self, example: Example) -> Encoded:
        found = tokens(example.answer)[:MAX_ANSWER_TOKENS]
        target = np.array([*(self._ids.get(token, _UNKNOWN) for token in found), _END], np.int64)
        start = len(self.vocabulary)
        return Encoded(
            prompt=read_prompt(self.base, example.prompt),
            position=np.minimum(np.arange(len(target)), N_POSITIONS - 1),
            previous=np.concatenate(([start], target[:-1])),
            before=np.concatenate(([start, start], target[:-2]))[: len(target)],
            target=target,
        )

    def score(self, items: Sequence[Encoded]) -> Score:
        loss = right = 0.0
        count = 0
        for start in range(0, len(items), _CHUNK):
            batch = items[start : start + _CHUNK]
            target = np.concatenate([item.target for item in batch])
            log_p = self._forward(batch).log_p
            loss -= float(log_p[np.arange(len(target)), target].sum())
            right += float((log_p.argmax(axis=1) == target).sum())
            count += len(target)
        return Score(loss / count, right / count)

    def gradients(self, batch: Sequence[Encoded]) -> tuple[Score, dict[str, Gradient]]:
        """The batch's score and the slope of its loss in every parameter it touches."""
        seen = self._forward(batch)
        target = np.concatenate([item.target for item in batch])
        picked = np.arange(len(target)), target
        score = Score(-float(seen.log_p[picked].mean()), float((seen.log_p.argmax(axis=1) == target).mean()))
        slope = np.exp(seen.log_p)
        slope[picked] -= 1
        slope /= len(target)
        back = (slope @ self.params["out"].T) * (1 - seen.hidden**2)
        starts = np.flatnonzero(np.diff(seen.owner, prepend=-1))
        return score, {
            "embed": Gradient(seen.buckets, seen.prompts.T @ np.add.reduceat(back, starts, axis=0)),
            "position": _by_row(seen.position, back),
            "previous": _by_row(seen.previous, back),
            "before": _by_row(seen.before, back),
            "out": Gradient(None, seen.hidden.T @ slope),
            "bias": Gradient(None, slope.sum(axis=0)),
        }

    def answer(self, messages: tuple[Message, ...], *, max_tokens: int) -> tuple[str, bool]:
        """The most likely answer, token by token, and whether it ended by itself within `max_tokens`."""
        params = self.params
        prompt = read_prompt(self.base, messages)
        seen = prompt.weights @ params["embed"][prompt.buckets]
        previous = before = len(self.vocabulary)
        found: list[str] = []
        with np.errstate(all="ignore"):
            while len(found) < max_tokens:
                position = params["position"][min(len(found), N_POSITIONS - 1)]
                hidden = np.tanh(seen + position + params["previous"][previous] + params["before"][before])
                logits = hidden @ params["out"] + params["bias"]
                logits[_UNKNOWN] = -np.inf
                chosen = int(np.argmax(logits))
                if chosen == _END:
                    return "".join(found), True
                found.append(self.vocabulary[chosen])
                before, previous = previous, chosen
        return "".join(found), False

    def _forward(self, batch: Sequence[Encoded]) -> Activation:
        params = self.params
        buckets, prompts = _gather([item.prompt for item in batch])
        owner = np.repeat(np.arange(len(batch)), [len(item.target) for item in batch])
        position = np.concatenate([item.position for item in batch])
        previous = np.concatenate([item.previous for item in batch])
        before = np.concatenate([item.before for item in batch])
        context = params["position"][position] + params["previous"][previous] + params["before"][before]
        hidden = np.tanh((prompts @ params["embed"][buckets])[owner] + context)
        logits = hidden @ params["out"] + params["bias"]
        logits -= logits.max(axis=1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return Activation(buckets, prompts, owner, position, previous, before, hidden, log_p)


def _gather(prompts: Sequence[Prompt]) -> tuple[Ints, Floats]:
    """The buckets the prompts touch, and the prompts as a dense matrix over just those."""
    buckets, place = np.unique(np.concatenate([prompt.buckets for prompt in prompts]), return_inverse=True)
    dense = np.zeros((len(prompts), len(buckets)), np.float32)
    owner = np.repeat(np.arange(len(prompts)), [len(prompt.buckets) for prompt in prompts])
    dense[owner, place] = np.concatenate([prompt.weights for prompt in prompts])
    return buckets, dense


def _by_row(index: Ints, values: Floats) -> Gradient:
    rows, place = np.unique(index, return_inverse=True)
    summed = np.zeros((len(rows), values.shape[1]), values.dtype)
    np.add.at(summed, place, values)
    return Gradient(rows, summed)
