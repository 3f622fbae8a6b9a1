"""Input types that fail, and their coverage in the training data."""

from tests.core.dataset_samples import TOPICS, chat, jsonl, labelled

from whatnext_service.core.dataset_formats import normalise_row
from whatnext_service.core.dataset_rows import Row
from whatnext_service.core.diversity import Coverage, FailureGroup, ScoredItem, describe_types, find_types


def items(topic: str, count: int, *, failed: bool, tags: tuple[str, ...] = ()) -> tuple[ScoredItem, ...]:
    texts = [text for text, label in labelled(200, seed=8) if label == topic][:count]
    return tuple(
        ScoredItem(item_id=f"{topic}{at}", prompt=text, tags=tags, failed=failed) for at, text in enumerate(texts)
    )


TRAINING = [normalise_row(jsonl(chat(text, label))) for text, label in labelled(200) if label != "music"]


def group_failures(items: tuple[ScoredItem, ...], training: list[Row]) -> tuple[FailureGroup, ...]:
    types = find_types(items)
    coverage = Coverage(tuple(each.weights for each in types))
    for row in training:
        coverage.add(row)
    return describe_types(types, coverage.counts, coverage.n_rows)


def test_failures_without_tags_are_grouped_by_their_words() -> None:
    groups = group_failures(
        (*items("music", 12, failed=True), *items("weather", 6, failed=True), *items("travel", 30, failed=False)),
        TRAINING,
    )
    music, weather = groups[0], groups[1]
    assert (music.n_failed, weather.n_failed) == (12, 6)
    assert set(music.terms[:3]) <= set(TOPICS["music"])
    assert set(weather.terms[:3]) <= set(TOPICS["weather"])
    assert music.n_training_rows < 10 < weather.n_training_rows
    assert "add examples" in music.statement


def test_failures_with_tags_are_grouped_by_tag() -> None:
    found = group_failures(
        (*items("music", 4, failed=True, tags=("songs",)), *items("travel", 6, failed=False, tags=("songs", "trips"))),
        TRAINING,
    )
    assert [(group.name, group.n_failed, group.n_items) for group in found] == [("songs", 4, 10)]


def test_no_failures_no_groups() -> None:
    assert group_failures(items("music", 4, failed=False), TRAINING) == ()
    assert group_failures((), []) == ()


def test_an_empty_training_set_covers_nothing() -> None:
    assert group_failures(items("music", 4, failed=True), [])[0].n_training_rows == 0
