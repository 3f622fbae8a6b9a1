"""The sandbox's embeddings: hashed words and parts of words, and honest about it."""

import numpy as np
import openai
import pytest

from whatnext_service.sandbox.embedding import DIMENSIONS, EMBEDDING_MODEL, MAX_TEXTS, embed


def cosine(first: str, second: str) -> float:
    return float(embed(first) @ embed(second))


async def test_vectors_come_in_order_of_unit_length_and_are_counted(client: openai.AsyncOpenAI) -> None:
    texts = ["The parcel is late.", "Where is my parcel?", "!"]
    answer = await client.embeddings.create(model=EMBEDDING_MODEL, input=texts)
    assert [each.index for each in answer.data] == [0, 1, 2]
    for each, text in zip(answer.data, texts, strict=True):
        assert len(each.embedding) == DIMENSIONS
        assert np.allclose(each.embedding, embed(text))
        assert np.linalg.norm(each.embedding) == pytest.approx(1.0)
    assert answer.usage.prompt_tokens == 5 + 5 + 1


async def test_numbers_and_packed_numbers_are_the_same(client: openai.AsyncOpenAI) -> None:
    plain = await client.embeddings.create(model=EMBEDDING_MODEL, input="late parcel", encoding_format="float")
    packed = await client.embeddings.create(model=EMBEDDING_MODEL, input="late parcel", encoding_format="base64")
    assert np.allclose(plain.data[0].embedding, embed("late parcel"))
    assert isinstance(packed.data[0].embedding, str)


def test_texts_are_alike_as_far_as_they_share_words_and_their_parts() -> None:
    assert cosine("Refund the order", "Refund the order") == pytest.approx(1.0)
    assert cosine("Refund the order", "Refunding an order") > 0.3
    assert cosine("Refund the order", "Refund the order today") > cosine("Refund the order", "Refund nothing today")
    assert abs(cosine("Refund the order", "Sunshine in Oslo")) < 0.25


async def test_the_model_is_listed_and_found(client: openai.AsyncOpenAI) -> None:
    assert EMBEDDING_MODEL in [model.id async for model in client.models.list()]
    assert (await client.models.retrieve(EMBEDDING_MODEL)).id == EMBEDDING_MODEL


@pytest.mark.parametrize("texts", ["", [], ["one", ""], ["x"] * (MAX_TEXTS + 1)])
async def test_no_text_and_too_many_are_refused(client: openai.AsyncOpenAI, texts: str | list[str]) -> None:
    with pytest.raises(openai.BadRequestError):
        await client.embeddings.create(model=EMBEDDING_MODEL, input=texts)


async def test_only_that_model_gives_vectors(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await client.embeddings.create(model="sandbox-base", input="late parcel")
