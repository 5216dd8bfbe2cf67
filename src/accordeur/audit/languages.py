"""In which languages the rows are, by their most common words: seven are known, the rest is "other" or too short to tell."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from accordeur.audit.finding import Finding, Seen, first
from accordeur.audit.subject import Subject

WORD = re.compile(r"[^\W\d_]+(?:['’](?=\w))?")
COMMON = {
    "en": (
        "the and is of to in that it for you was with on are this have be my i what how can not at from your do if an"
        " which would has will by or me when there their they but we does should were been did get got any no all about"
        " who why where"
    ),
    "fr": (
        "le la les des du et est une un dans que qui pour pas sur avec ce cette je vous il elle nous au aux ne se plus"
        " par mon ma mes votre vos quel quelle comment sont ont être l' d' j' c' qu' n' s' m' ou où mais donc à ai été"
        " peut faire très"
    ),
    "de": (
        "der die das und ist nicht ein eine einer einem einen zu den dem des mit für auf im ich sie es wir auch von"
        " sich wie was kann mein meine wird werden sind war bei aus nach noch nur oder aber wenn dass als hat haben"
        " über um bitte"
    ),
    "es": (
        "el la los las de que y en un una es por con para no se del al lo como más pero su sus mi mis está qué cómo"
        " cuál son fue ha hay este esta puedo tengo yo muy también ser donde cuando sobre si le me"
    ),
    "it": (
        "il lo la gli le di che è e un una per con non sono del della dei delle al alla nel nella come più ma mi si"
        " questo questa ho hai ha posso anche quando dove cosa perché l' dell' un' quale essere i da su stato mia mio"
    ),
    "nl": (
        "de het een en is van in dat niet op te zijn voor met ik je die aan er maar ook als om bij hoe wat mijn kan"
        " naar heb heeft wordt worden deze dit door over uit nog wel of we ze was waar"
    ),
    "pt": (
        "o a os as de que e em um uma é para com não do da dos das no na por se mais como mas ao meu minha seu sua foi"
        " são está eu você qual quando onde também ou pelo pela este esta posso tenho muito já isso"
    ),
}
WORDS = {language: frozenset(words.split()) for language, words in COMMON.items()}
WEIGHTS = {word: 1.0 / sum(word in words for words in WORDS.values()) for words in WORDS.values() for word in words}
SIGNS = {"de": "ß", "es": "ñ¿¡", "pt": "ãõ", "fr": "œêûîç", "nl": "", "it": "ìò", "en": ""}
ENOUGH = 1.5  # common words, each counting less the more languages have it
LONG = 12  # words of which a known language would have some
LATIN = 0.5  # share of the letters
MOST_LETTERS = 600
SECOND = 0.02  # share of the rows in a second language that is worth a word
LEAST = 10


def look(subject: Subject) -> Seen:
    """The languages of each part, and a warning where there are several, or where the parts differ."""
    by_part = {part: [language_of(row.text() or str(row.expected)) for row in rows] for part, rows in subject.parts.items()}
    counts = {part: dict(Counter(found).most_common()) for part, found in by_part.items()}
    total: Counter[str] = Counter(language for found in by_part.values() for language in found)
    known = [(language, count) for language, count in total.most_common() if language != "unsure"]
    several = [(language, count) for language, count in known if count >= max(LEAST, SECOND * len(subject.rows))]
    if len(several) < 2:
        return Seen(facts={"languages": counts})
    main = several[0][0]
    pairs = zip(subject.rows, (language for found in by_part.values() for language in found), strict=True)
    places = [f"{row.place} ({language})" for row, language in pairs if language not in (main, "unsure")]
    named = ", ".join(f"{language} {count}" for language, count in several)
    finding = Finding(code="languages", severity="warning", count=len(places), rows=first(places), values={"named": named})
    return Seen(findings=(finding,), facts={"languages": counts})


def language_of(text: str) -> str:
    """en, fr, de, es, it, nl, pt, "other", or "unsure" where there is too little to tell."""
    text = unicodedata.normalize("NFC", text[:MOST_LETTERS]).casefold()
    if not text.isascii():
        letters = [letter for letter in text if letter.isalpha()]
        if sum(letter < "\u0250" for letter in letters) < LATIN * len(letters):
            return "other"
    words = WORD.findall(text.replace("’", "'"))
    different = set(words)
    scores = {language: sum(WEIGHTS[word] for word in different if word in known) for language, known in WORDS.items()}
    if not text.isascii():
        scores = {language: score + 0.5 * sum(text.count(sign) for sign in SIGNS[language]) for language, score in scores.items()}
    best, second = sorted(scores, key=lambda language: -scores[language])[:2]
    if scores[best] >= ENOUGH and scores[best] > 1.2 * scores[second]:
        return best
    return "other" if len(words) >= LONG and scores[best] < ENOUGH / 2 else "unsure"
