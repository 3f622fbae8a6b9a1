"""What an evaluation is of, and where that is served."""

import msgspec

from whatnext_service.contract.evaluations import NewEvaluation
from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx


class Subject(msgspec.Struct, kw_only=True, frozen=True):
    """A base model, a run or a checkpoint of the loop, and the name under which it is served."""

    kind: str
    base_model: str | None = None
    run_id: str | None = None
    checkpoint_id: str | None = None
    provider: str | None = None
    model: str | None = None


async def find_subject(tx: Tx, loop_id: str, new: NewEvaluation, *, served: bool) -> Subject:
    """Exactly the field that the subject names; `served` when it will have to be asked."""
    if new.subject is None:
        raise invalid("/subject", "is needed")
    field = "base_model" if new.subject == "base_model" else f"{new.subject}_id"
    for name in ("base_model", "run_id", "checkpoint_id"):
        if (getattr(new, name) is not None) != (name == field):
            fault = "is needed" if name == field else f"does not go with subject {new.subject}"
            raise invalid(f"/{name}", fault)
    if new.base_model is not None:
        provider = new.provider or tx.services.default_provider
        return Subject(kind=new.subject, base_model=new.base_model, provider=provider, model=new.base_model)
    if new.run_id is not None:
        run = await look_up.find_run(tx, new.run_id, "/run_id")
        subject = Subject(kind=new.subject, run_id=run.id, provider=run.provider, model=run.model)
    else:
        checkpoint = await look_up.find_checkpoint(tx, str(new.checkpoint_id), "/checkpoint_id")
        run = await look_up.find_run(tx, checkpoint.run_id)
        if served and not checkpoint.deployable:
            raise invalid("/checkpoint_id", "is no longer kept by the provider")
        subject = Subject(
            kind=new.subject,
            run_id=run.id,
            checkpoint_id=checkpoint.id,
            provider=run.provider,
            model=checkpoint.model,
        )
    if run.loop_id != loop_id:
        raise invalid(f"/{field}", "belongs to another loop")
    return subject


def check_served(tx: Tx, subject: Subject) -> None:
    """Refuse a subject that no configured provider answers for."""
    if subject.provider not in tx.services.providers:
        raise DomainError(
            "provider_not_configured",
            f"The service cannot reach models of {subject.provider!r}; register the result with items instead.",
        )
    if subject.model is None:
        raise DomainError("not_served", "The subject has no served model yet: wait until its run has succeeded.")


def invalid(pointer: str, message: str) -> DomainError:
    """A fault of the request's body."""
    return DomainError(
        "invalid_evaluation", f"{pointer} {message}.", errors=(FieldError(pointer=pointer, message=message),)
    )
