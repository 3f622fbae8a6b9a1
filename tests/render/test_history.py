import csv
import io
from decimal import Decimal

import msgspec
import pytest
from tests.core.loop_states import a_config, a_reading, a_run, a_state, a_version, an_evaluation

from whatnext_service.core.history import history
from whatnext_service.render.history import history_csv, history_markdown


def reference_rows(**first):
    """The two reference runs of method 2."""
    runs = (
        a_run(1, a_config(**first), reading=a_reading(best_valid_loss=0.32)),
        a_run(2, a_config(learning_rate_multiplier=0.5), reading=a_reading(best_valid_loss=0.31)),
    )
    evaluations = (an_evaluation(8.05, run=1), an_evaluation(9.15, run=2))
    return history(a_state(runs=runs, evaluations=evaluations, versions=(a_version(1, 335),)))


def read(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_reference_rows_come_out_as_markdown():
    """Method 2: reproducible exactly."""
    lines = history_markdown(reference_rows()).splitlines()
    assert lines[0].startswith("| Run | Base model | Dataset | Epochs | LR | Batch | Best val_loss | Combined eval | ")
    assert lines[1].startswith("|---|---|---|---|---|---|---|---|")
    assert lines[2].startswith("| R1 | gpt-4.1-mini | v1 (335 ex) | 2 | 1.0 | default | 0.320 | 8.05 | ")
    assert lines[3].startswith("| R2 | gpt-4.1-mini | v1 (335 ex) | 2 | 0.5 | default | 0.310 | 9.15 | ")


def test_a_score_below_zero_is_a_number_to_a_spreadsheet():
    rows = history(a_state(runs=(a_run(1),), evaluations=(an_evaluation(-0.5, run=1),)))
    assert read(history_csv(rows))[1][7] == "-0.50"


def test_the_reference_rows_come_out_as_csv():
    text = history_csv(reference_rows())
    lines = text.split("\r\n")
    assert lines[0].startswith("Run,Base model,Dataset,Epochs,LR,Batch,Best val_loss,Combined eval,")
    assert lines[1].startswith("R1,gpt-4.1-mini,v1 (335 ex),2,1.0,default,0.320,8.05,")
    assert lines[2].startswith("R2,gpt-4.1-mini,v1 (335 ex),2,0.5,default,0.310,9.15,")
    assert text.endswith("\r\n")


def test_the_other_columns_follow():
    """Method 2: change, differences with their intervals, overfitting, cost, status."""
    cells = [cell.strip() for cell in history_markdown(reference_rows()).splitlines()[3].strip("|").split("|")]
    assert cells[8] == "R1: learning-rate multiplier 1 to 0.5"
    assert cells[9].startswith("+1.10 (+1.0")
    assert cells[10].startswith("+3.15 (+3.")
    assert cells[11:] == ["healthy", "1.20 USD", "succeeded"]


def test_csv_differences_are_plain_numbers():
    header, _, row = read(history_csv(reference_rows()))
    named = dict(zip(header, row, strict=True))
    assert float(named["To parent"]) == pytest.approx(1.1)
    assert float(named["To parent low"]) < 1.1 < float(named["To parent high"])
    assert (named["Overfitting"], named["Cost"], named["Currency"]) == ("healthy", "1.20", "USD")


def test_every_line_has_as_many_cells_as_the_header():
    markdown = history_markdown(reference_rows(base_model="a|b\n|c"))
    assert len({line.replace("\\|", "").count("|") for line in markdown.splitlines()}) == 1
    assert len({len(row) for row in read(history_csv(reference_rows(base_model='a,"b\nc')))}) == 1


@pytest.mark.parametrize(
    "name",
    ["a|b", "`rm`", "[x](http://y)", "**b**", "<script>", "a\n| x | y |", "\\|", "![x](y)", "# h", "a&lt;b"],
)
def test_user_text_cannot_act_as_markdown(name):
    lines = history_markdown(reference_rows(base_model=name)).splitlines()
    assert len(lines) == 4
    bare = lines[2]
    for character in "\\`*[]<>#|!":
        bare = bare.replace(f"\\{character}", "")
    assert not set("`*[]<>#!\\") & set(bare)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_spreadsheet_runs_no_formula(start):
    row = read(history_csv(reference_rows(base_model=f"{start}HYPERLINK(1)")))[1]
    assert row[1].startswith("'")


def test_no_cell_of_user_text_starts_a_formula_in_the_change_either():
    text = history_csv(reference_rows(base_model="=1+1"))
    assert all(not cell.startswith(("=", "+", "@")) for row in read(text) for cell in row)


def test_what_is_not_known_is_empty_or_a_dash():
    rows = history(a_state(runs=(a_run(1, status="failed", reading=None, cost=None),), baseline=None))
    assert history_markdown(rows).splitlines()[2].endswith("| - | - | first run | - | - | - | - | failed |")
    assert read(history_csv(rows))[1][6:8] == ["", ""]


def test_an_empty_table_is_its_header():
    assert len(history_markdown(()).splitlines()) == 2
    assert len(read(history_csv(()))) == 1


@pytest.mark.parametrize(
    ("rate", "shown"), [(1.0, "1.0"), (0.25, "0.25"), (2, "2.0"), (0.00001, "0.00001"), (0.1, "0.1"), (10.0, "10.0")]
)
def test_rates_keep_what_they_need(rate, shown):
    assert read(history_csv(reference_rows(learning_rate_multiplier=rate)))[1][4] == shown


def test_a_confounded_run_says_so():
    runs = (a_run(1), a_run(2, a_config(n_epochs=3, batch_size=8), confounded_by=("n_epochs", "batch_size")))
    markdown = history_markdown(history(a_state(runs=runs)))
    assert "confounded by n\\_epochs, batch\\_size" in markdown


def test_nothing_is_not_minus_nothing():
    rows = reference_rows()
    difference = msgspec.structs.replace(rows[1].to_parent, points=-0.001, low=None, high=None)
    row = msgspec.structs.replace(rows[1], to_parent=difference, cost=Decimal("0"))
    assert "| +0.00 |" in history_markdown((row,))
    assert "| 0.00 USD |" in history_markdown((row,))
