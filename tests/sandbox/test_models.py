import openai
import pytest
from openai.types.fine_tuning import FineTuningJob
from tests.sandbox.driving import create_job, wait_for

from whatnext_service.sandbox.base_models import BASE_MODELS

MESSAGES = [
    {"role": "system", "content": "Name the department. One of: billing, delivery, returns."},
    {"role": "user", "content": "Where is my delivery? It was promised for Monday."},
]


@pytest.mark.parametrize("base", BASE_MODELS, ids=lambda base: base.name)
async def test_an_untuned_model_names_an_option_and_always_the_same(client: openai.AsyncOpenAI, base) -> None:
    answers = [await client.chat.completions.create(model=base.name, messages=MESSAGES) for _ in range(2)]
    texts = [answer.choices[0].message.content for answer in answers]
    assert texts[0] == texts[1]
    assert texts[0] in ("billing", "delivery", "returns")


async def test_an_untuned_model_without_options_takes_a_word_of_the_prompt(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="sandbox-large", messages=MESSAGES[1:])
    assert answer.choices[0].message.content in ("Where", "delivery", "was", "promised", "for", "Monday")
    assert answer.choices[0].finish_reason == "stop"


async def test_usage_counts_prompt_and_answer(client: openai.AsyncOpenAI) -> None:
    short = await client.chat.completions.create(model="sandbox-base", messages=MESSAGES[1:], temperature=0.0)
    longer = await client.chat.completions.create(model="sandbox-base", messages=MESSAGES, temperature=0.0)
    assert short.usage
    assert longer.usage
    assert 0 < short.usage.prompt_tokens < longer.usage.prompt_tokens
    assert longer.usage.completion_tokens == 2
    assert longer.usage.total_tokens == longer.usage.prompt_tokens + 2


async def test_an_answer_cut_by_the_limit_says_so(client: openai.AsyncOpenAI, trained: FineTuningJob) -> None:
    assert trained.fine_tuned_model
    answer = await client.chat.completions.create(model=trained.fine_tuned_model, messages=MESSAGES, max_tokens=1)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage
    assert answer.usage.completion_tokens == 1


async def test_what_is_not_offered_is_refused(client: openai.AsyncOpenAI) -> None:
    create = client.chat.completions.create
    for call in (
        create(model="sandbox-base", messages=MESSAGES, stream=True),
        create(model="sandbox-base", messages=MESSAGES, n=2),
        create(model="sandbox-base", messages=[]),
    ):
        with pytest.raises(openai.BadRequestError):
            await call
    with pytest.raises(openai.NotFoundError) as missing:
        await create(model="ft:sandbox-base:sandbox::none", messages=MESSAGES)
    assert missing.value.code == "model_not_found"


async def test_a_fine_tuned_model_is_listed_until_it_is_deleted(client: openai.AsyncOpenAI) -> None:
    job = await wait_for(client, (await create_job(client, n_epochs=1)).id)
    name = job.fine_tuned_model
    assert name
    listed = [model.id async for model in client.models.list()]
    assert name in listed
    assert [base.name for base in BASE_MODELS] == listed[: len(BASE_MODELS)]
    assert (await client.models.retrieve(name)).id == name
    assert (await client.models.delete(name)).deleted
    for call in (client.models.retrieve, client.models.delete):
        with pytest.raises(openai.NotFoundError):
            await call(name)
    checkpoint = (await client.fine_tuning.jobs.checkpoints.list(job.id)).data[0].fine_tuned_model_checkpoint
    await client.chat.completions.create(model=checkpoint, messages=MESSAGES)


async def test_a_base_model_cannot_be_deleted(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        await client.models.delete("sandbox-base")
    await client.models.retrieve("sandbox-base")
