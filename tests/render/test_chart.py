"""Pictures of runs."""

import io
import math
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from PIL import Image
from tests.core.chart_sources import a_saved, a_series, a_source, collapsed, noisy, read
from tests.core.loop_states import a_config, a_reading, an_effective

from whatnext_service.core.chart import Chart, Source, chart_of
from whatnext_service.render.chart import draw

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert(1)</script> $\\frac{1 -- \x00\x1b 损失"


def healthy() -> Source:
    valid = a_series("full_valid_loss", [0.9, 0.5, 0.4], [130, 260, 400])
    return a_source(
        a_series("train_loss", noisy(400)),
        valid,
        a_series("train_mean_token_accuracy", [min(1.0, 1.0 / value) for value in noisy(400)]),
        effective=an_effective(n_steps=400, n_epochs=3),
        saved=(a_saved(130, deployable=False), a_saved(260), a_saved(400, shipped=True)),
        reading=a_reading(best_step=400, nominated_steps=(260,)),
    )


SOURCES = {
    "healthy": healthy(),
    "reward": read(a_source(a_series("train_mean_reward", [0.1, 0.3, 0.5, 0.6])), "rft"),
    "collapsed": read(a_source(a_series("train_loss", collapsed()), a_series("valid_loss", [1.0, math.nan], [9, 50]))),
    "nothing but NaN": a_source(a_series("train_loss", [math.nan] * 5)),
    "constant": a_source(a_series("train_loss", [0.0] * 500)),
    "one point": a_source(a_series("train_loss", [2.0], [10**12])),
    "three points": a_source(a_series("train_loss", [2.0, 1.0, 0.5])),
    "no points": a_source(status="queued"),
    "tiny and huge": a_source(a_series("train_loss", [1e-300, 1e12, 1e-12, 1.0])),
    "hostile": a_source(
        a_series(HOSTILE, [1.0, 2.0]), config=a_config(base_model=HOSTILE), status=HOSTILE, chosen=True
    ),
}


@pytest.fixture(scope="module", params=sorted(SOURCES))
def chart(request: pytest.FixtureRequest) -> Chart:
    return chart_of(SOURCES[request.param])


def paths(svg: bytes) -> list[str]:
    return [element.get("d", "") for element in ET.fromstring(svg).iter(f"{SVG}path")]


def test_a_chart_is_a_picture_in_both_formats_and_always_the_same(chart: Chart) -> None:
    svg, png = draw(chart, "image/svg+xml"), draw(chart, "image/png")
    assert ET.fromstring(svg).tag == f"{SVG}svg"
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        assert image.format == "PNG"
        assert (image.width, 380 < image.height < 1400) == (1040, True)
    assert draw(chart, "image/svg+xml") == svg
    assert draw(chart, "image/png") == png


def test_a_picture_needs_nothing_from_elsewhere_and_runs_nothing(chart: Chart) -> None:
    root = ET.fromstring(draw(chart, "image/svg+xml"))
    assert {element.tag.rpartition("}")[2] for element in root.iter(f"{SVG}*")} <= {
        "svg", "metadata", "defs", "style", "g", "path", "use", "clipPath", "rect"
    }  # fmt: skip
    links = [value for each in root.iter() for name, value in each.attrib.items() if name.endswith("href")]
    assert links
    assert all(link.startswith("#") for link in links)


def test_the_words_are_in_the_picture() -> None:
    """Letters are paths; the text of each stands in a comment beside it."""
    svg = draw(chart_of(healthy()), "image/svg+xml").decode()
    for words in (
        "support-bot R3",
        "gpt-4.1-mini, SFT, 3 epochs, learning rate x 1, batch 1, succeeded",
        "healthy",
        "loss",
        "token accuracy (share)",
        "training step",
        "epoch",
        "training",
        "training, as logged",
        "validation, full pass",
        "best: step 400 (0.4)",
        "checkpoint, nominated",
        "checkpoint, no longer kept",
        "checkpoint, shipped",
    ):
        assert f"<!-- {words} -->" in svg, words
    assert "<!-- checkpoint -->" not in svg


def test_an_empty_run_says_so() -> None:
    svg = draw(chart_of(SOURCES["no points"]), "image/svg+xml").decode()
    assert "<!-- No points yet -->" in svg
    assert "<!-- support-bot R3 -->" in svg
    assert "training step" not in svg


def test_a_collapse_is_seen() -> None:
    svg = draw(chart_of(SOURCES["collapsed"]), "image/svg+xml").decode()
    assert "<!-- loss (log) -->" in svg
    assert "<!-- not a number -->" in svg


def test_a_single_step_is_named_once() -> None:
    svg = draw(chart_of(a_source(a_series("train_loss", [2.0], [10]))), "image/svg+xml").decode()
    assert svg.count("<!-- 10 -->") == 1


def test_a_million_points_cost_no_more_than_a_few_thousand_nodes() -> None:
    source = a_source(a_series("train_loss", noisy(1_000_000)), a_series("valid_loss", noisy(1_000_000, seed=2)))
    svg = draw(chart_of(source), "image/svg+xml")
    assert sum(path.count("L") for path in paths(svg)) < 5_000
    assert len(svg) < 300_000
    assert len(draw(chart_of(source), "image/png")) < 600_000


def test_the_server_starts_without_the_drawing_library() -> None:
    code = "import sys, whatnext_service.__main__, whatnext_service.app; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
