"""What every test of the sandbox does with a client: upload, train, wait."""

import asyncio
import time

import openai
from openai.types import FileObject
from openai.types.fine_tuning import FineTuningJob
from tests.sandbox.synthetic import make_rows, to_jsonl, to_messages

_DEADLINE_S = 20
_POLL_S = 0.02


async def upload(client: openai.AsyncOpenAI, content: bytes, *, filename: str = "data.jsonl") -> FileObject:
    file = await client.files.create(file=(filename, content), purpose="fine-tune")
    return await client.files.wait_for_processing(file.id, poll_interval=_POLL_S)


async def create_job(
    client: openai.AsyncOpenAI,
    *,
    model: str = "sandbox-base",
    n_examples: int = 80,
    n_epochs: int = 2,
    learning_rate_multiplier: float = 1.0,
    seed: int = 7,
) -> FineTuningJob:
    training = await upload(client, to_jsonl(make_rows(n_examples, seed=1)))
    validation = await upload(client, to_jsonl(make_rows(40, seed=2)))
    return await client.fine_tuning.jobs.create(
        model=model,
        training_file=training.id,
        validation_file=validation.id,
        seed=seed,
        method={
            "type": "supervised",
            "supervised": {
                "hyperparameters": {"n_epochs": n_epochs, "learning_rate_multiplier": learning_rate_multiplier}
            },
        },
    )


async def wait_for(client: openai.AsyncOpenAI, job_id: str, *statuses: str) -> FineTuningJob:
    """The job once it has one of the statuses (by default, once it has ended)."""
    wanted = statuses or ("succeeded", "failed", "cancelled")
    give_up = time.monotonic() + _DEADLINE_S
    while True:
        job = await client.fine_tuning.jobs.retrieve(job_id)
        if job.status in wanted:
            return job
        assert time.monotonic() < give_up, f"{job_id} is still {job.status}"
        await asyncio.sleep(_POLL_S)


async def count_right(client: openai.AsyncOpenAI, model: str, rows: list[tuple[str, str]]) -> int:
    answers = [await client.chat.completions.create(model=model, messages=to_messages(text)) for text, _ in rows]  # type: ignore[arg-type]
    return sum(answer.choices[0].message.content == label for answer, (_, label) in zip(answers, rows, strict=True))
