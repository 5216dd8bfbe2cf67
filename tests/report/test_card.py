"""The model card: front matter that a YAML reader accepts, the evidence, and no text that acts."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from accordeur.errors import ModelError
from accordeur.report import model_card


def parts(card: str) -> tuple[dict[str, Any], str]:
    """Front matter and body."""
    _, front, body = card.split("---\n", 2)
    return YAML(typ="safe", pure=True).load(front), body


def test_front_matter_holds_the_results(report: dict[str, Any]) -> None:
    front, _ = parts(model_card(report, "lora-s1"))
    run = next(run for run in report["runs"] if run["name"] == "lora-s1")
    result = front["model-index"][0]["results"][0]
    assert front["pipeline_tag"] == "text-classification" and front["tags"] == ["accordeur", "lora"]
    assert {metric["name"]: metric["value"] for metric in result["metrics"]} == {
        name: pytest.approx(score["value"], abs=1e-6) for name, score in run["scores"].items()
    }
    assert result["metrics"][0]["type"] == "f1"


def test_body_holds_evidence_limits_and_cost(report: dict[str, Any]) -> None:
    _, body = parts(model_card(report, "lora-s1"))
    for heading in ("## Evidence", "## Limits", "## Cost", "## Use", "## Training"):
        assert heading in body
    assert "a gap of" in body and "lost +1.5" in body
    assert f"leans to `{report['verdict']['leans_to']}`" in body or "leans to this one" in body


@pytest.mark.parametrize(
    ("base", "listed"), [("sentence-transformers/all-MiniLM-L6-v2", True), ("/home/someone/bert", False), ("a: b\n- c", False)]
)
def test_only_a_hub_id_is_named_as_base_model(report: dict[str, Any], base: str, listed: bool) -> None:
    card = model_card({**report, "base": {**report["base"], "name": base}}, "head-s0")
    front, _ = parts(card)
    assert (front.get("base_model") == base) is listed
    assert "/home/someone" not in card


def test_names_can_break_neither_yaml_nor_markdown(report: dict[str, Any]) -> None:
    evil = "x: [1\n---\n<script>alert(1)</script>"
    front, body = parts(model_card({**report, "task": {**report["task"], "name": evil}}, "head-s0"))
    assert "<script>" not in body
    assert front["model-index"][0]["results"][0]["dataset"]["name"] == evil


@pytest.mark.parametrize("name", ["nothing", "freeze-s0"])
def test_a_run_that_is_not_finished_has_no_card(report: dict[str, Any], name: str) -> None:
    with pytest.raises(ModelError, match=name) as fault:
        model_card(report, name)
    assert "head-s0" in fault.value.hint


def test_cards_come_in_french(report: dict[str, Any]) -> None:
    _, body = parts(model_card({**report, "language": "fr"}, "full-s0"))
    assert "## Preuves" in body and "## Limites" in body
