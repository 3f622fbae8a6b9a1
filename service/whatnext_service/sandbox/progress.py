"""A training step as the dialect tells it: as metrics and as a sentence."""

from whatnext_service.sandbox import wire
from whatnext_service.sandbox.training import Step


def to_metrics(step: Step) -> wire.Metrics:
    return wire.Metrics(
        step=step.step,
        total_steps=step.n_steps,
        train_loss=step.train_loss,
        train_mean_token_accuracy=step.train_mean_token_accuracy,
        valid_loss=step.valid_loss,
        valid_mean_token_accuracy=step.valid_mean_token_accuracy,
        full_valid_loss=step.full_valid_loss,
        full_valid_mean_token_accuracy=step.full_valid_mean_token_accuracy,
    )


def describe_step(step: Step) -> str:
    losses = {
        "training loss": step.train_loss,
        "validation loss": step.valid_loss,
        "full validation loss": step.full_valid_loss,
    }
    measured = ", ".join(f"{name}={loss:.2f}" for name, loss in losses.items() if loss is not None)
    return f"Step {step.step}/{step.n_steps}: {measured}"
