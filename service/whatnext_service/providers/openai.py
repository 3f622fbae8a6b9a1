"""Every OpenAI-compatible training platform, told apart by its settings alone."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable

from openai import AsyncOpenAI, Omit, omit

from whatnext_service.errors import ProviderError
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai_calls import Calls, RawAnswer
from whatnext_service.providers.openai_files import Files
from whatnext_service.providers.openai_jobs import (
    MARKER_KEY,
    carries,
    checkpoint_of,
    job_of,
    method_of,
    suffix_of,
)
from whatnext_service.providers.openai_metrics import metric_points
from whatnext_service.providers.openai_wire import WireCheckpoint, WireEvent, WireJob, WirePage
from whatnext_service.providers.port import Job, JobCheckpoint, JobSpec, MetricPoint

JOBS_A_PAGE = 100
UNKNOWN_MODEL = "model_not_found"
"""Told with 400, 403 or 404: the order itself is wrong."""


class OpenAIPlatform:
    """The fine-tuning API of one platform; implements `TrainingPlatform`."""

    def __init__(self, client: AsyncOpenAI, settings: PlatformSettings, now_s: Callable[[], float] = time.time) -> None:
        self._client = client
        self._settings = settings
        self._calls = Calls(settings, now_s)
        self._files = Files(self._client, self._calls, settings)

    async def find_file(self, filename: str) -> str | None:
        """The newest usable training file of this name."""
        return await self._files.find(filename)

    async def upload_file(self, filename: str, n_bytes: int, chunks: AsyncIterator[bytes]) -> str:
        """Upload a training file of exactly `n_bytes`; what `chunks` itself raises passes through as it is."""
        return await self._files.upload(filename, n_bytes, chunks)

    async def file_ready(self, file_id: str) -> bool:
        """Whether a job may use the file; `refused` when the platform rejected it."""
        return await self._files.ready(file_id)

    async def find_job(self, marker: str) -> Job | None:
        """The newest job of this marker.

        Asks with the metadata filter where the platform has one. That finding nothing proves nothing (a platform may
        ignore metadata it accepted), so every job is then looked at: a null answer may lead to a second paid job.
        """
        if self._settings.keeps_metadata:
            try:
                found = await self._first_job(marker, {MARKER_KEY: marker})
            except ProviderError as fault:
                if fault.fault != "refused":
                    raise
                found = None
            if found is not None:
                return found
        return await self._first_job(marker, omit)

    async def create_job(self, spec: JobSpec) -> Job:
        """Create a job; sent once, with the marker as idempotency key for a platform that honours one."""
        settings, config = self._settings, spec.config
        create = self._client.fine_tuning.jobs.with_raw_response.create(
            model=config.base_model,
            training_file=spec.training_file,
            validation_file=spec.validation_file or omit,
            method=method_of(config),
            seed=omit if config.seed is None else config.seed,
            suffix=suffix_of(spec.marker, settings.suffix_max_chars),
            metadata={MARKER_KEY: spec.marker} if settings.keeps_metadata else omit,
            extra_headers={"Idempotency-Key": spec.marker},
            extra_body={"trainingType": settings.training_type} if settings.training_type else None,
        )
        try:
            return job_of(await self._calls.ask(create, WireJob))
        except ProviderError as fault:
            if fault.code != UNKNOWN_MODEL:
                raise
            raise ProviderError("refused", fault.detail, retryable=False, code=fault.code) from None

    async def job(self, job_id: str) -> Job:
        """The job as it stands."""
        return job_of(await self._calls.ask(self._client.fine_tuning.jobs.with_raw_response.retrieve(job_id), WireJob))

    async def cancel_job(self, job_id: str) -> Job:
        """Ask for cancellation; a job for which it is refused, as it is once a job has ended, is returned as it is."""
        try:
            cancel = self._client.fine_tuning.jobs.with_raw_response.cancel(job_id)
            return job_of(await self._calls.ask(cancel, WireJob))
        except ProviderError as refusal:
            if refusal.fault not in ("refused", "not_found"):
                raise
            return await self.job(job_id)

    async def checkpoints(self, job_id: str) -> tuple[JobCheckpoint, ...]:
        """The checkpoints that can be served, in order of step."""

        def page(after: str | Omit) -> Awaitable[RawAnswer]:
            return self._client.fine_tuning.jobs.checkpoints.with_raw_response.list(job_id, after=after)

        listed = [checkpoint_of(found) async for found in self._calls.walk(page, WirePage[WireCheckpoint])]
        return tuple(sorted((found for found in listed if found is not None), key=lambda found: found.step))

    async def metrics(self, job_id: str) -> tuple[MetricPoint, ...]:
        """The points of all the job's events, in order of step, under the platform's names."""

        def page(after: str | Omit) -> Awaitable[RawAnswer]:
            return self._client.fine_tuning.jobs.with_raw_response.list_events(job_id, after=after, limit=100)

        return metric_points([event async for event in self._calls.walk(page, WirePage[WireEvent])])

    async def result_file(self, file_id: str) -> bytes:
        """The result file's bytes as they came, base64 or not."""
        return await self._files.content(file_id)

    async def delete_model(self, model: str) -> None:
        """Delete a fine-tuned model; one that is gone already is no error."""
        try:
            async with self._calls.within(self._settings.deadline_s):
                await self._client.models.with_raw_response.delete(model)
        except ProviderError as fault:
            if fault.fault != "not_found":
                raise

    async def _first_job(self, marker: str, metadata: dict[str, str] | Omit) -> Job | None:
        suffix = suffix_of(marker, self._settings.suffix_max_chars)

        def page(after: str | Omit) -> Awaitable[RawAnswer]:
            jobs = self._client.fine_tuning.jobs.with_raw_response
            return jobs.list(after=after, limit=JOBS_A_PAGE, metadata=metadata)

        async for job in self._calls.walk(page, WirePage[WireJob]):
            if carries(job, marker, suffix):
                return job_of(job)
        return None
