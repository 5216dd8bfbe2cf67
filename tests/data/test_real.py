"""Every data set found through ACCORDEUR_DATA is read, recognised and split."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from accordeur.data import Reading, load_examples, load_splits

ROOT = Path(os.environ.get("ACCORDEUR_DATA", "/nonexistent"))
KINDS = {
    "write": [
        "alpaca_en", "dolly_3k", "alpaca_fr", "oasst_fr", "tico19_en_fr", "pydocs_en_fr", "tatoeba_en_fr", "multi30k_en_fr",
        "gsm8k", "arith_toy",
    ],
    "classify": [
        "sms_spam", "sentence_polarity", "movie_reviews", "ag_news", "trec_qc", "banking77", "clinc150", "fr_tweets", "stsb_en",
        "stsb_fr", "mrpc", "rte", "sick",
    ],
    "tag": ["wnut17", "wikigold", "ener_legal", "ler_de", "wikiann_fr"],
    "extract": ["xquad_en", "covidqa", "piaf_fr"],
    "prefer": ["hh_harmless", "dpo_demo_en", "instruct_pref_small"],
    "text": ["tinystories_1k", "us_speeches", "fr_emea_text"],
}  # fmt: skip
NAMED = [(name, kind) for kind, names in KINDS.items() for name in names]
MAPPED = [
    ("ifeval/prompts.jsonl", {"text": "prompt"}, "text"),
    ("lexicon_reward_toy/prompts.jsonl", {"text": "prompt", "label": "source_label"}, "classify"),
    ("trec_qc/train.jsonl", {"label": "fine"}, "classify"),
    ("sick/train.jsonl", {"score": "score"}, "classify"),
    ("cnil_fr/corpus.jsonl", {"label": "theme"}, "classify"),
    ("cranfield/queries.jsonl", {"text": "query"}, "text"),
    ("tofu_authors/qa.jsonl", {}, "write"),
    ("xquad_en/rag_questions.jsonl", {}, "write"),
    ("pud_en_fr/sample.jsonl", {"source": "fr", "target": "en"}, "write"),
]

pytestmark = [
    pytest.mark.data,
    pytest.mark.short_data,
    pytest.mark.skipif("ACCORDEUR_DATA" not in os.environ, reason="ACCORDEUR_DATA is not set"),
]


@pytest.mark.parametrize(("name", "kind"), NAMED)
def test_data_set_is_recognised_and_split(name: str, kind: str) -> None:
    loaded = load_splits(ROOT / name / "train.jsonl")
    assert loaded.shape.kind == kind
    with (ROOT / name / "train.jsonl").open(encoding="utf-8") as stream:
        assert sum(loaded.summary.rows.values()) == sum(1 for _ in stream)
    assert all(loaded.summary.rows.values())
    assert not any(pairs.count for pairs in loaded.summary.across.values())


def test_no_data_set_is_forgotten() -> None:
    assert {path.parent.name for path in ROOT.glob("*/train.jsonl")} == {name for name, _ in NAMED}


@pytest.mark.parametrize(("name", "mapping", "kind"), MAPPED)
def test_other_files_are_read_with_a_mapping(name: str, mapping: dict[str, str], kind: str) -> None:
    shape, examples, _ = load_examples(ROOT / name, reading=Reading(mapping=mapping))
    assert shape.kind == kind
    assert examples


@pytest.mark.parametrize(
    "name", ["eltec_fra", "eltec_eng_more/ENG18400_Trollope.txt.gz", "tinyshakespeare/train.txt", "wikitext2/valid_unk.txt"]
)
def test_raw_texts_are_cut_into_passages(name: str) -> None:
    loaded = load_splits(ROOT / name)
    assert loaded.shape.kind == "text"
    assert all(len(example.expected) <= 4600 for example in loaded.splits.train)
    assert not any(pairs.count for pairs in loaded.summary.across.values())


@pytest.mark.parametrize("name", ["sms_spam", "mrpc", "alpaca_fr", "wnut17"])
def test_published_validation_files_fit(name: str) -> None:
    loaded = load_splits(ROOT / name / "train.jsonl", validation=ROOT / name / "valid.jsonl")
    assert loaded.summary.rows["validation"] > 0
