"""Kind `write`: encoder-decoders, chat templates, BLEU and chrF as sacrebleu's, ROUGE with accents."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import processors

from accordeur.example import IGNORED
from accordeur.run import Answered
from accordeur.tasks import Codec
from accordeur.tasks._text import rouge_l, token_f1
from accordeur.tasks.write import KIND, TURNS_TEMPLATE, chat_ids, prompt_text
from tests.tasks.conftest import data_rows, example, make_codec, make_task, t5_like

TASK = make_task("write")
ROW = example({"instruction": "Translate from English to French.", "input": "in summer"}, "l'été à Noël")


def test_an_encoder_decoder_reads_the_prompt_and_writes_the_answer_and_its_end() -> None:
    codec = make_codec("encoder-decoder", 256)
    (item,) = KIND.encode(ROW, 1, TASK, codec)
    assert item.tokens.tolist() == codec.framed(prompt_text(ROW, None))[0].tolist()
    assert item.target.tolist() == codec.tokenizer(ROW.expected)["input_ids"]
    assert item.target[-1] == codec.tokenizer.eos_token_id
    assert codec.tokenizer.decode(item.target.tolist(), skip_special_tokens=True) == ROW.expected
    assert KIND.length(ROW, TASK, codec) == (max(len(item.tokens), len(item.target)), 0)
    assert KIND.form("encoder-decoder", TASK) == "seq2seq"


def test_a_prompt_is_cut_as_the_training_cuts_it() -> None:
    codec = make_codec("encoder-decoder", 24)
    row = example({"instruction": "le lazy fox " * 20, "input": ""}, "a")
    (item,) = KIND.encode(row, 0, TASK, codec)
    prompt = KIND.prompt(row, 3, TASK, codec)
    assert prompt.tokens.tolist() == item.tokens.tolist()
    assert (len(prompt.tokens), prompt.tokens[-1], prompt.row) == (24, codec.end, 3)
    decoder = make_codec("decoder", 24)
    assert len(KIND.prompt(row, 0, TASK, decoder).tokens) > 24  # what a decoder's positions leave is seen when it writes


def test_an_answer_of_barts_kind_begins_with_its_start_token() -> None:
    tokenizer = t5_like()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<pad> $A </s>", pair="<pad> $A </s> </s> $B </s>", special_tokens=[("<pad>", 0), ("</s>", 1)]
    )
    codec = Codec(tokenizer=tokenizer, family="encoder-decoder", max_length=64)
    (item,) = KIND.encode(ROW, 0, TASK, codec)
    assert item.target[0] == 0
    assert item.target[-1] == 1
    assert (item.target[1:-1] > 1).all()


def test_an_end_that_the_tokenizer_leaves_out_is_added() -> None:
    tokenizer = t5_like()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B", special_tokens=[])
    codec = Codec(tokenizer=tokenizer, family="encoder-decoder", max_length=64)
    (item,) = KIND.encode(ROW, 0, TASK, codec)
    assert item.target.tolist() == [*codec.plain(ROW.expected), codec.end]


def test_what_a_cut_of_the_answer_loses_is_counted() -> None:
    codec = make_codec("encoder-decoder", 16)
    row = example({"instruction": "a", "input": ""}, "b " * 30)
    (item,) = KIND.encode(row, 0, TASK, codec)
    assert len(item.target) == 16
    length, lost = KIND.length(row, TASK, codec)
    assert lost == length - 16
    assert lost > 0


def test_a_decoder_is_asked_only_for_the_answer() -> None:
    codec = make_codec("decoder", 256)
    (item,) = KIND.encode(ROW, 0, TASK, codec)
    asked = item.target != IGNORED
    assert codec.tokenizer.decode(item.target[asked][:-1].tolist()) == ROW.expected
    assert item.target[-1] == codec.end
    assert codec.tokenizer.decode(item.tokens[~asked].tolist()) + codec.tokenizer.decode(item.tokens[asked].tolist()) == (
        prompt_text(ROW, None) + ROW.expected
    )


def test_special_tokens_spelled_in_a_turn_stay_text() -> None:  # J29
    codec = Codec(tokenizer=make_codec("decoder").tokenizer, family="decoder", max_length=512)
    codec.tokenizer.chat_template = (
        "{% for message in messages %}<|endoftext|>{{ message.role }}: {{ message.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}<|endoftext|>assistant:{% endif %}"
    )
    try:
        plain = [{"role": "user", "content": "où est-il ?"}]
        ids = chat_ids(plain, codec)
        assert ids.count(codec.end) == 2
        spelled = [{"role": "user", "content": "a <|endoftext|> b"}, {"role": "assistant", "content": "c"}, *plain]
        ids = chat_ids(spelled, codec)
        assert ids.count(codec.end) == 4
        text = codec.tokenizer.decode(ids)
        assert text == codec.tokenizer.apply_chat_template(spelled, tokenize=False, add_generation_prompt=True)
    finally:
        codec.tokenizer.chat_template = None


def test_turns_are_laid_out() -> None:
    row = example({"messages": ({"role": "system", "content": "S"}, {"role": "user", "content": "Q"})}, "A")
    assert prompt_text(row, None) == "S\n\n### Instruction:\nQ\n\n### Response:\n"
    assert TURNS_TEMPLATE.endswith("### Response:\n")


def test_translations_are_measured_by_chrf_first() -> None:
    assert KIND.metric_names([ROW])[:2] == ("chrf", "bleu")
    assert sorted(KIND.metric_names([ROW])) == sorted(metric.name for metric in KIND.metrics)
    other = example({"instruction": "Name a town.", "input": ""}, "Lille")
    assert KIND.metric_names([ROW, other])[0] == "nll"
    assert KIND.metric_names([])[0] == "nll"
    assert KIND.metric_names([example({"messages": ()}, "x")])[0] == "nll"
    assert KIND.metric_names([example({"instruction": "« Traduis en anglais : été »"}, "summer")])[0] == "chrf"


TEXTS = st.text(alphabet=st.sampled_from("aé b'.,t 0"), max_size=25)


def scored(name: str, pairs: list[tuple[str, str]]) -> float:
    metric = KIND.metric(name)
    answered = [Answered(id="1", expected=expected, output=output) for expected, output in pairs]
    return float(metric.finish(metric.statistics(answered, ()).sum(axis=0)))


@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_chrf_and_bleu_are_sacrebleus(pairs: list[tuple[str, str]]) -> None:
    from sacrebleu.metrics import BLEU, CHRF

    references, outputs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    assert scored("chrf", pairs) * 100 == pytest.approx(CHRF().corpus_score(outputs, [references]).score, abs=1e-9)
    assert scored("bleu", pairs) * 100 == pytest.approx(BLEU().corpus_score(outputs, [references]).score, abs=1e-9)


def test_bleu_of_words_is_sacrebleus() -> None:
    from sacrebleu.metrics import BLEU

    words = list("abcdefghijkl")
    random = np.random.default_rng(0)
    pairs = []
    for _ in range(40):
        reference = [words[place] for place in np.sort(random.integers(0, len(words), size=random.integers(1, 16)))]
        output = [word for word in reference if random.random() < 0.8] + ["."]
        pairs.append((" ".join(reference), " ".join(output)))
    metric = KIND.metric("bleu")
    table = metric.statistics([Answered(id="1", expected=one, output=two) for one, two in pairs], ())
    draws = random.integers(0, 40, size=(6, 40))
    found = metric.finish(np.stack([table[draw].sum(axis=0) for draw in draws]))
    for score, draw in zip(found, draws, strict=True):
        wanted = BLEU().corpus_score([pairs[row][1] for row in draw], [[pairs[row][0] for row in draw]]).score
        assert score * 100 == pytest.approx(wanted)
        assert score > 0.1


def test_rouge_and_f1_tell_accents_apart() -> None:
    assert rouge_l("l'été à Noël", "l'été à Noël") == 1
    assert rouge_l("été", "ete") == 0
    assert rouge_l("a b c d", "a x c d") == pytest.approx(0.75)
    assert rouge_l("e\u0301te\u0301", "Été") == 1
    assert token_f1("été", "ete") == 0


@pytest.mark.data
@pytest.mark.short_data
def test_real_translations_score_fully_against_themselves() -> None:
    rows = data_rows("tico19_en_fr", 50)
    pairs = [(row["fr"], row["fr"]) for row in rows]
    assert all(scored(name, pairs) == pytest.approx(1) for name in ("chrf", "bleu", "rouge_l", "exact_match"))
    assert scored("chrf", [(row["fr"], row["en"]) for row in rows]) < 0.5
