"""docs/performance.md and its pictures are what their script makes of docs/performance.json."""

import itertools
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benches import plot_core
from benches.charts import Chart, Curve

FIGURES = json.loads(plot_core.DOCUMENT.read_text())
KEYS = {
    "prove",
    "prove_without_check",
    "verify",
    "verify_batch64_each",
    "prove_2048x64",
    "verify_2048x64",
    "proof_bytes",
    "dalek_prove",
    "dalek_verify",
    "tari_batch64_each",
    "ratio_prove",
    "ratio_verify",
    "ratio_batch_vs_dalek",
    "ratio_batch_vs_tari",
    "table_mib",
    "threads",
}
MOST_PICTURE_BYTES = 300_000


def test_the_page_says_what_the_figures_say() -> None:
    assert plot_core.PAGE.read_text() == plot_core.page(FIGURES)


def test_the_pictures_show_what_the_figures_say() -> None:
    made = plot_core.pictures(FIGURES)
    assert {name: (plot_core.PICTURES / name).read_text() for name in made} == made
    assert set(re.findall(r"\(images/([^)]+)\)", plot_core.PAGE.read_text())) == set(made)
    assert sum(len(svg.encode()) for svg in made.values()) <= MOST_PICTURE_BYTES


def test_the_figures_have_their_keys() -> None:
    core = FIGURES["core"]
    assert core.keys() >= KEYS
    for engine in plot_core.ENGINES:
        assert core[engine] is None or core[engine].keys() == KEYS
    assert {key: core[key] for key in KEYS} == core[core["engine"]]


def test_parts_add_up_to_the_whole() -> None:
    for wholes in FIGURES["core"]["parts"].values():
        for rows in wholes.values():
            *parts, (last, whole) = rows
            assert last == "whole"
            assert sum(milliseconds for _, milliseconds in parts) == pytest.approx(whole, abs=1e-3)


def test_figures_that_are_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot_core, "FIGURES", tmp_path)
    with pytest.raises(SystemExit, match=r"core\.json is missing; run `make bench`"):
        plot_core.collect()


def test_a_processor_without_the_vector_engine_has_a_page_too() -> None:
    core = FIGURES["core"]
    alone = {**core, "vector": None, "engine": "scalar"}
    for key in ("parts", "other_cores"):
        alone[key] = {"scalar": core[key]["scalar"]}
    alone["targets"] = {key: {**row, "aim": None} for key, row in core["targets"].items()}
    page = plot_core.page({**FIGURES, "core": alone})
    assert "| verify, all decoding and subgroup checks included | " in page
    assert "alone, vector" not in page


def test_curves_stay_inside_their_panel_and_names_apart() -> None:
    curves = [Curve("a < b", [0.013, 0.5, 120.0], 0), Curve("second", [0.02, 0.6, 119.0], 1), Curve("short", [3.0], 2)]
    svg = Chart("t & t", "along", "measured", [1, 4, 64], curves).svg()
    root = ET.fromstring(svg)  # noqa: S314 -- made one line above
    space = "{http://www.w3.org/2000/svg}"
    panel = next(root.iter(f"{space}rect"))
    width, height = float(panel.attrib["width"]), float(panel.attrib["height"])
    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in root.iter(f"{space}circle")]
    assert len(dots) == 7
    assert all(0 < x < width and 0 < y < height for x, y in dots)
    names = sorted(float(t.attrib["y"]) for t in root.iter(f"{space}text") if t.attrib["class"].startswith("name"))
    assert all(below - above >= 15.9 for above, below in itertools.pairwise(names))
    # Heights grow upwards, on a logarithmic axis: equal factors are equal distances.
    first, second, third = (y for _, y in dots[:3])
    assert (first - second) / (second - third) == pytest.approx(1.5839 / 2.3802, abs=1e-3)
