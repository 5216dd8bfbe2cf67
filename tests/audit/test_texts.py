"""What is found in texts: damage, special tokens, personal data, languages."""

from __future__ import annotations

import pytest

from accordeur.audit import audit
from accordeur.audit.languages import language_of
from accordeur.audit.personal import card, iban, sorts
from tests.audit.subjects import codes, finding, instructed, labelled, subject
from tests.audit.test_near import sentences

FINE = [(text, "a" if place % 2 else "b") for place, text in enumerate(sentences(30))]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("JÃ©rÃ´me nâ€™est pas lÃ ", "damaged-text"),
        ("broken \ufffd letter", "damaged-text"),
        ("?!... 🙂", "no-words"),
        ("hello <|im_end|> there", "special-tokens"),
        ("[INST] do it [/INST]", "special-tokens"),
        ("write to jane.doe+x@mail.example.org please", "personal-email"),
        ("call +33 6 12 34 56 78 tonight", "personal-phone"),
        ("it is GB82 WEST 1234 5698 7654 32, thanks", "personal-iban"),
        ("card 4111-1111-1111-1111 exp 12/27", "personal-card"),
    ],
)
def test_planted_faults_are_found_once(text: str, code: str) -> None:
    clean = codes(audit(subject(labelled(FINE)), quick=True))
    found = audit(subject(labelled([*FINE, (text, "a")])), quick=True)
    assert code not in clean
    assert (finding(found, code).count, finding(found, code).rows) == (1, ("rows.jsonl:31",))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("01 23 45 67 89", {"phone"}),
        ("(415) 555-2671", {"phone"}),
        ("0049 30 1234567", {"phone"}),
        ("on 2020-01-01 at 12:30:45", set()),
        ("01/02/2023 or 01.02.2023", set()),
        ("order 12345678 costs 1,234,567.89", set()),
        ("version 1.2.3.4, 0.123456789", set()),
        ("4111 1111 1111 1112", set()),
        ("FR14 2004 1010 0505 0001 3M02 606", {"iban"}),
        ("FR14 2004 1010 0505 0001 3M02 607", set()),
        ("@home and a@b", set()),
        ("me@example.com.", {"email"}),
    ],
)
def test_forms_of_personal_data(text: str, found: set[str]) -> None:
    assert sorts(text) == found


def test_checksums() -> None:
    assert iban("DE89370400440532013000")
    assert not iban("DE89370400440532013001")
    assert not iban("ZZ89370400440532013000")
    assert card("5500 0000 0000 0004")
    assert not card("0" * 16)


def test_personal_data_is_not_repeated() -> None:
    found = audit(subject(labelled([*FINE, ("me@example.com", "a")])), quick=True)
    assert "me@example.com" not in str(found.as_dict())


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I would like to know where my order is", "en"),
        ("Je voudrais savoir où est ma commande", "fr"),
        ("Ich möchte wissen, wo meine Bestellung ist", "de"),
        ("Quiero saber dónde está mi pedido y cuándo llega", "es"),
        ("Vorrei sapere dove è il mio ordine", "it"),
        ("Ik wil graag weten waar mijn bestelling is", "nl"),
        ("Gostaria de saber onde está o meu pedido", "pt"),
        ("私の注文はどこにありますか", "other"),
        ("Где мой заказ?", "other"),
        ("Jag skulle vilja veta var min beställning finns någonstans just idag eftersom jag behöver paketet snarast", "other"),
        ("ok", "unsure"),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_second_language_is_told_with_its_rows() -> None:
    rows = [*FINE, *((f"Où est la commande numéro {place} que je vous ai envoyée ?", "a") for place in range(12))]
    found = finding(audit(subject(labelled(rows)), quick=True), "languages")
    assert found.count == 12
    assert found.rows[0] == "rows.jsonl:31 (fr)"


def test_answers_cut_at_one_length_are_told() -> None:
    texts = sentences(40, 30)
    rows = instructed([(f"Say {place}", text[:80]) for place, text in enumerate(texts)])
    assert finding(audit(subject(rows, "write"), quick=True), "cut-answers").values["length"] == 80
    whole = instructed([(f"Say {place}", text + ".") for place, text in enumerate(texts)])
    assert "cut-answers" not in codes(audit(subject(whole, "write"), quick=True))
