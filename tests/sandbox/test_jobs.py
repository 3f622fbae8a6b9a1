import csv
import io

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob
from tests.sandbox.driving import count_right, create_job, upload, wait_for
from tests.sandbox.synthetic import make_rows, to_jsonl

HELD_OUT = make_rows(40, seed=3)


async def read_results(client: openai.AsyncOpenAI, file_id: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((await client.files.content(file_id)).text)))


async def test_a_job_trains_a_model_that_beats_the_untuned_one(client: openai.AsyncOpenAI) -> None:
    job = await create_job(client, n_examples=160, n_epochs=5, learning_rate_multiplier=0.3)
    assert job.status == "queued"
    done = await wait_for(client, job.id)
    assert done.status == "succeeded"
    assert done.fine_tuned_model is not None
    tuned = await count_right(client, done.fine_tuned_model, HELD_OUT)
    assert tuned >= await count_right(client, "sandbox-base", HELD_OUT) + 15


async def test_a_finished_job_reports_what_auto_became(client: openai.AsyncOpenAI) -> None:
    file = await upload(client, to_jsonl(make_rows(20, seed=1)))
    job = await client.fine_tuning.jobs.create(
        model="sandbox-small",
        training_file=file.id,
        suffix="mine",
        metadata={"run": "R1"},
        extra_body={"trainingType": "Standard", "hyperparameters": {"n_epochs": "auto"}},
    )
    assert job.hyperparameters.n_epochs == "auto"
    done = await wait_for(client, job.id)
    found = done.hyperparameters
    assert (found.n_epochs, found.batch_size, found.learning_rate_multiplier) == (5, 2, 1.0)
    assert done.method
    assert done.method.supervised
    assert done.method.supervised.hyperparameters
    assert done.method.supervised.hyperparameters.n_epochs == 5
    assert done.fine_tuned_model == f"ft:sandbox-small:sandbox:mine:{job.id[-8:]}"
    assert (done.metadata, done.error, done.validation_file) == ({"run": "R1"}, None, None)
    assert done.trained_tokens
    assert done.finished_at
    assert done.finished_at >= done.created_at
    rows = await read_results(client, done.result_files[0])
    assert {row["valid_loss"] + row["full_valid_loss"] for row in rows} == {""}


async def test_the_result_file_has_a_row_a_step_and_empty_cells_where_nothing_was_measured(
    client: openai.AsyncOpenAI, trained: FineTuningJob
) -> None:
    file = await client.files.retrieve(trained.result_files[0])
    assert file.purpose == "fine-tune-results"
    rows = await read_results(client, file.id)
    assert list(rows[0]) == [
        "step",
        "train_loss",
        "train_mean_token_accuracy",
        "valid_loss",
        "valid_mean_token_accuracy",
        "full_valid_loss",
        "full_valid_mean_token_accuracy",
    ]
    assert [row["step"] for row in rows] == [str(step) for step in range(1, 51)]
    assert [row["step"] for row in rows if row["full_valid_loss"]] == ["10", "20", "30", "40", "50"]
    assert all(float(row["train_loss"]) > 0 for row in rows)


async def test_events_come_newest_first_and_paged_with_a_metric_a_step(
    client: openai.AsyncOpenAI, trained: FineTuningJob
) -> None:
    events = [event async for event in client.fine_tuning.jobs.list_events(trained.id, limit=7)]
    assert len({event.id for event in events}) == len(events)
    assert events[0].message == "The job has successfully completed"
    assert events[-1].message == f"Created fine-tuning job: {trained.id}"
    steps = [event.data["step"] for event in events if event.type == "metrics"]  # type: ignore[index]
    assert steps == list(range(50, 0, -1))


async def test_only_the_last_three_checkpoints_are_kept_and_answer(
    client: openai.AsyncOpenAI, trained: FineTuningJob
) -> None:
    kept = [item async for item in client.fine_tuning.jobs.checkpoints.list(trained.id, limit=2)]
    assert [item.step_number for item in kept] == [50, 40, 30]
    assert trained.fine_tuned_model
    for item in kept:
        assert item.fine_tuned_model_checkpoint == f"{trained.fine_tuned_model}:ckpt-step-{item.step_number}"
        assert item.metrics.full_valid_loss
        await count_right(client, item.fine_tuned_model_checkpoint, HELD_OUT[:1])
    with pytest.raises(openai.NotFoundError):
        await count_right(client, f"{trained.fine_tuned_model}:ckpt-step-20", HELD_OUT[:1])
    last = await count_right(client, kept[0].fine_tuned_model_checkpoint, HELD_OUT)
    assert last == await count_right(client, trained.fine_tuned_model, HELD_OUT)


async def test_jobs_are_paged_and_filtered_by_metadata(client: openai.AsyncOpenAI) -> None:
    file = await upload(client, to_jsonl(make_rows(10, seed=1)))
    made = []
    for number in ("1", "2", "3"):
        job = await client.fine_tuning.jobs.create(
            model="sandbox-small",
            training_file=file.id,
            metadata={"loop": "paging", "number": number},
            hyperparameters={"n_epochs": 1},
        )
        made.append(job.id)
    listed = [job.id async for job in client.fine_tuning.jobs.list(metadata={"loop": "paging"}, limit=2)]
    assert listed == made[::-1]
    one = await client.fine_tuning.jobs.list(metadata={"loop": "paging", "number": "2"})
    assert [job.id for job in one.data] == [made[1]]
    after = await client.fine_tuning.jobs.list(metadata={"loop": "paging"}, after=made[1])
    assert [job.id for job in after.data] == [made[0]]
    for job_id in made:
        assert (await wait_for(client, job_id)).hyperparameters.n_epochs == 1


async def test_a_rate_beyond_the_numbers_fails_the_job_and_keeps_the_curve(client: openai.AsyncOpenAI) -> None:
    job = await wait_for(client, (await create_job(client, learning_rate_multiplier=1e40)).id)
    assert job.status == "failed"
    assert job.error
    assert job.error.code == "training_diverged"
    assert job.fine_tuned_model is None
    rows = await read_results(client, job.result_files[0])
    assert rows[-1]["train_loss"] in ("NaN", "inf")
    events = await client.fine_tuning.jobs.list_events(job.id)
    assert events.data[0].level == "error"


@pytest.mark.parametrize(
    ("content", "param"),
    [(to_jsonl(make_rows(9, seed=1)), "training_file"), (b"{}\n", "training_file")],
    ids=["too few", "malformed"],
)
async def test_a_file_that_cannot_train_fails_the_job(client: openai.AsyncOpenAI, content: bytes, param: str) -> None:
    file = await upload(client, content)
    job = await client.fine_tuning.jobs.create(model="sandbox-base", training_file=file.id)
    failed = await wait_for(client, job.id)
    assert failed.status == "failed"
    assert failed.error
    assert (failed.error.code, failed.error.param) == (f"invalid_{param}", param)
    assert failed.result_files == []


async def test_what_no_job_can_be_made_of_is_refused(client: openai.AsyncOpenAI) -> None:
    file = await upload(client, to_jsonl(make_rows(10, seed=1)))
    create = client.fine_tuning.jobs.create
    with pytest.raises(openai.NotFoundError) as missing:
        await create(model="gpt-4.1-mini", training_file=file.id)
    assert missing.value.code == "model_not_found"
    refused = [
        create(model="sandbox-base", training_file="file-none"),
        create(model="sandbox-base", training_file=file.id, validation_file="file-none"),
        create(model="sandbox-base", training_file=file.id, method={"type": "dpo"}),
        create(model="sandbox-base", training_file=file.id, hyperparameters={"n_epochs": 0}),
        create(model="sandbox-base", training_file=file.id, hyperparameters={"learning_rate_multiplier": -1.0}),
        create(model="sandbox-base", training_file=file.id, extra_body={"seed": "x"}),
        client.post("/fine_tuning/jobs", cast_to=object, content=b"{", options={}),
    ]
    for call in refused:
        with pytest.raises(openai.BadRequestError):
            await call
    with pytest.raises(openai.NotFoundError):
        await client.fine_tuning.jobs.retrieve("ftjob-none")


async def test_an_ended_job_takes_no_orders(client: openai.AsyncOpenAI, trained: FineTuningJob) -> None:
    jobs = client.fine_tuning.jobs
    for order in (jobs.cancel, jobs.pause, jobs.resume):
        with pytest.raises(openai.BadRequestError):
            await order(trained.id)
    assert (await jobs.retrieve(trained.id)).status == "succeeded"
