from datetime import date
from pathlib import Path

import msgspec
import pytest
from tests.core.loop_states import a_model

import whatnext_service.core.catalogue as catalogue_module
from whatnext_service.core.catalogue import decode_catalogue, find_model, merge_catalogue
from whatnext_service.sandbox.base_models import BASE_MODELS

FILE = Path(catalogue_module.__file__).with_name("catalogue.json")


@pytest.fixture(scope="module")
def shipped():
    return decode_catalogue(FILE.read_bytes())


@pytest.mark.parametrize(
    ("name", "epochs", "lowest", "highest", "methods"),
    [
        ("gpt-4.1-mini", (2, 2), 0.5, 1.0, {"sft", "dpo"}),
        ("gpt-4.1-nano", (2, 3), 1.0, 1.5, {"sft"}),
        ("gpt-oss-20b", (2, 2), 0.2, 0.5, {"sft"}),
        ("Ministral-3B", (5, 5), 1.0, 1.0, {"sft"}),
        ("Qwen-3-32B", (3, 3), 0.3, 0.3, {"sft"}),
        ("Llama-3.3-70B", (3, 3), 0.3, 0.3, {"sft"}),
        ("gpt-4o", (2, 2), 1.0, 1.0, {"sft", "dpo"}),
        ("gpt-4o-mini", (2, 2), 1.0, 1.0, {"sft"}),
        ("o4-mini", (2, 3), 1.0, 1.0, {"rft"}),
    ],
)
def test_start_values_are_the_methods(shipped, name, epochs, lowest, highest, methods):
    """Method 6.3, row by row; o4-mini by the RFT defaults of 6.2."""
    model = find_model(shipped.models, name)
    assert epochs[0] <= model.start_epochs <= epochs[1]
    assert lowest <= model.start_learning_rate <= highest
    assert set(model.methods) == methods


def test_oss_is_for_large_datasets_and_low_rates(shipped):
    assert find_model(shipped.models, "gpt-oss-20b").min_examples == 500
    assert find_model(shipped.models, "Llama-3.3-70B").learning_rate_max < 2.0


def test_every_entry_can_train_as_it_starts(shipped):
    for model in shipped.models:
        assert model.methods
        assert model.learning_rate_min <= model.start_learning_rate <= model.learning_rate_max
        assert 1 <= model.start_epochs <= model.epochs_max
        assert model.source
    assert len({model.name for model in shipped.models}) == len(shipped.models)


def test_a_price_is_dated(shipped):
    priced = [model for model in shipped.models if model.training_price_per_mtok and model.provider != "sandbox"]
    assert {model.name for model in priced} == {"gpt-4.1-mini", "gpt-4.1-nano", "gpt-4o", "gpt-4o-mini"}
    assert shipped.prices_as_of == date(2026, 8, 5)


def test_a_model_billed_by_the_hour_has_no_price_of_tokens(shipped):
    assert find_model(shipped.models, "o4-mini").training_price_per_mtok is None


def test_the_end_of_self_serve_fine_tuning_is_known(shipped):
    """Evidence 5: new jobs until January 2027."""
    assert find_model(shipped.models, "gpt-4.1-mini").training_ends == date(2027, 1, 6)
    assert find_model(shipped.models, "gpt-oss-20b").training_ends is None


def test_the_sandbox_models_are_those_the_sandbox_offers(shipped):
    ours = {model.name for model in shipped.models if model.provider == "sandbox"}
    assert ours == {model.name for model in BASE_MODELS}


def test_a_dated_snapshot_is_its_family(shipped):
    assert find_model(shipped.models, "gpt-4o-mini-2024-07-18").name == "gpt-4o-mini"
    assert find_model(shipped.models, "gpt-4o-2024-08-06").name == "gpt-4o"
    assert find_model(shipped.models, "gpt-4o-mini-tuned") is None


def test_a_projects_model_replaces_the_shipped_one():
    mine = a_model("gpt-4.1-mini", start_epochs=4)
    other = a_model("mine")
    merged = merge_catalogue((a_model("gpt-4.1-mini"), a_model("gpt-4.1-nano")), (mine, other))
    assert merged == (mine, a_model("gpt-4.1-nano"), other)


def test_an_unknown_field_in_the_file_is_refused():
    with pytest.raises(msgspec.ValidationError):
        decode_catalogue(b'{"version": "1", "prices_as_of": null, "models": [], "more": 1}')
