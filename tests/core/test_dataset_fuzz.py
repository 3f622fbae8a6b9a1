"""No bytes crash the reading of a dataset, and what is accepted can be read again and reported on."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.dataset_samples import corpus_of, read_dataset

from whatnext_service.core.dataset_formats import normalise_row
from whatnext_service.core.dataset_lines import iter_rows
from whatnext_service.core.dataset_reader import DatasetReader
from whatnext_service.core.quality_report import report_quality

scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=12)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)
calls = st.lists(
    st.fixed_dictionaries(
        {}, optional={"id": anything, "function": st.dictionaries(st.sampled_from(["name", "arguments"]), anything)}
    ),
    max_size=2,
)
part = st.fixed_dictionaries(
    {}, optional={"type": st.sampled_from(["text", "image_url", "?"]), "text": anything, "image_url": anything}
)
roles = st.sampled_from(["system", "developer", "user", "assistant", "tool", "human"])
message = st.fixed_dictionaries(
    {"role": roles | anything},
    optional={
        "content": st.text(max_size=12) | st.lists(part, max_size=2) | anything,
        "tool_calls": calls | anything,
        "weight": anything,
    },
)
messages = st.lists(message, max_size=4) | anything
row = st.fixed_dictionaries(
    {},
    optional={
        "messages": messages,
        "input": st.fixed_dictionaries({"messages": messages}) | anything,
        "preferred_output": messages,
        "non_preferred_output": messages,
        "prompt": anything,
        "completion": anything,
        "tools": anything,
        "target": anything,
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_in_any_chunks_are_read(chunks: list[bytes]) -> None:
    reader = DatasetReader()
    for chunk in chunks:
        reader.feed(chunk)
    assert reader.finish() == read_dataset(b"".join(chunks))


@settings(max_examples=50, deadline=None)
@given(st.lists(row | anything, max_size=5), st.booleans())
def test_any_json_is_read_and_what_is_accepted_stays_readable(rows: list[object], as_array: bool) -> None:
    data = json.dumps(rows).encode() if as_array else b"\n".join(json.dumps(one).encode() for one in rows)
    facts = read_dataset(data)
    assert len(facts.row_hashes) == 16 * facts.n_examples
    if facts.n_errors == 0:
        assert [normalise_row(raw).method for _, raw in iter_rows([data])] == [facts.method] * facts.n_examples
    assert report_quality(corpus_of(data)).n_rows == facts.n_examples
