"""The base models the sandbox offers, and their characters."""

import msgspec


class BaseModel(msgspec.Struct, kw_only=True, frozen=True):
    """A base model: how much it can hold, how it reads a prompt, and how fast it learns by default."""

    name: str
    buckets: int
    """Hash buckets for prompt features; fewer means more collisions."""
    width: int
    """Numbers in the hidden layer."""
    bigrams: bool
    """Whether it sees pairs of words."""
    grams: bool
    """Whether it sees parts of words."""
    learning_rate: float
    """The rate at multiplier 1.0."""
    batch_size: int
    """What `auto` becomes, unless the file is small."""
    learning_rate_multiplier: float
    """What `auto` becomes."""
    created: int
    """Unix seconds."""


BASE_MODELS = (
    # Small and slow: underfits at 1.0; more epochs or a higher rate help.
    BaseModel(
        name="sandbox-small",
        buckets=1024,
        width=12,
        bigrams=False,
        grams=False,
        learning_rate=0.01,
        batch_size=8,
        learning_rate_multiplier=1.0,
        created=1_767_225_600,
    ),
    # Capable, its default rate about three times too high: beats the untuned model at 1.0, better at 0.1 to 0.3.
    BaseModel(
        name="sandbox-base",
        buckets=8192,
        width=32,
        bigrams=True,
        grams=False,
        learning_rate=0.08,
        batch_size=8,
        learning_rate_multiplier=1.0,
        created=1_767_225_600,
    ),
    # The best, its default rate well set; reads parts of words.
    BaseModel(
        name="sandbox-large",
        buckets=16384,
        width=64,
        bigrams=True,
        grams=True,
        learning_rate=0.005,
        batch_size=8,
        learning_rate_multiplier=1.0,
        created=1_767_225_600,
    ),
)


def find_base_model(name: str) -> BaseModel | None:
    return next((model for model in BASE_MODELS if model.name == name), None)
