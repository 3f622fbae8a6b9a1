import numpy as np
import pytest
from tests.sandbox.synthetic import make_rows, to_examples

from whatnext_service.sandbox.base_models import BASE_MODELS
from whatnext_service.sandbox.messages import Example, Message
from whatnext_service.sandbox.network import Network, build_vocabulary

SMALL = BASE_MODELS[0]


def start(examples: list[Example]) -> Network:
    return Network.start(SMALL, build_vocabulary(examples))


def test_gradients_agree_with_finite_differences() -> None:
    examples = [
        Example(prompt=(Message(role="user", text="red green blue"),), answer="one two two"),
        Example(prompt=(Message(role="user", text="green yellow"),), answer="two"),
    ]
    network = start(examples)
    random = np.random.default_rng(0)
    for name, values in network.params.items():
        network.params[name] = values.astype(np.float64) + random.normal(0, 0.1, values.shape)  # type: ignore[assignment]
    batch = [network.encode(example) for example in examples]
    _, gradients = network.gradients(batch)
    for name, (rows, values) in gradients.items():
        for place in np.ndindex(values.shape):
            if random.random() > 0.2:
                continue
            where = place if rows is None else (int(rows[place[0]]), *place[1:])
            kept = network.params[name][where]
            losses = []
            for nudge in (1e-5, -1e-5):
                network.params[name][where] = kept + nudge
                losses.append(network.score(batch).loss)
            network.params[name][where] = kept
            slope = (losses[0] - losses[1]) / 2e-5
            assert values[place] == pytest.approx(slope, abs=1e-4), f"{name}{where}"


def test_a_stored_network_answers_as_before(tmp_path) -> None:
    examples = to_examples(make_rows(24, seed=1))
    network = start(examples)
    network.save(tmp_path / "model.npz")
    again = Network.load(tmp_path / "model.npz")
    for example in examples:
        assert again.answer(example.prompt, max_tokens=4) == network.answer(example.prompt, max_tokens=4)
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_an_answer_stops_at_the_limit_of_tokens() -> None:
    examples = [Example(prompt=(Message(role="user", text="count"),), answer="one two three four five six")] * 10
    network = start(examples)
    network.params["out"][:, 0] = 0
    network.params["bias"][0] = -100
    text, ended = network.answer(examples[0].prompt, max_tokens=3)
    assert not ended
    assert len(text.split()) == 3


def test_a_prompt_without_words_is_answered() -> None:
    network = start(to_examples(make_rows(16, seed=1)))
    text, _ = network.answer((Message(role="user", text="?!"),), max_tokens=2)
    assert isinstance(text, str)
    assert network.score([network.encode(Example(prompt=(), answer="billing"))]).loss > 0
