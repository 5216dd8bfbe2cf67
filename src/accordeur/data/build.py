"""How the cells of one row become what is given and what is expected, one small function for each layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from accordeur.data.columns import LANGUAGES
from accordeur.data.json_value import kind_of
from accordeur.data.labels import Labels, as_score
from accordeur.data.normal import is_blank
from accordeur.data.row import Row
from accordeur.data.turns import Complain, Turn, split_last, turns_of

Built = tuple[dict[str, Any], Any]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The cells of a row by canonical name; each reader complains of what it can't read and goes on."""

    row: Row
    columns: Mapping[str, str]
    labels: Labels
    complain: Complain

    def value(self, name: str) -> Any:
        """The cell as it stands."""
        return self.row.values[self.columns[name]]

    def string(self, name: str) -> str:
        """A text, which may be empty."""
        value = self.value(name)
        if isinstance(value, str):
            return value
        self.complain(f"'{self.columns[name]}' is {kind_of(value)}; expected text")
        return ""

    def text(self, name: str) -> str:
        """A text that says something."""
        text = self.string(name)
        if isinstance(self.value(name), str) and is_blank(text):
            self.complain(f"'{self.columns[name]}' is empty; expected text")
        return text

    def label(self) -> str:
        """The label, as text."""
        return self.labels.read(self.value("label"), self.columns["label"], (self.row.file, self.row.line), self.complain)

    def strings(self, name: str) -> tuple[str, ...]:
        """A list of texts, none of them empty; whole numbers, as tags are sometimes stored, become texts."""
        value = self.value(name)
        if not isinstance(value, list) or not value:
            what = "an empty list" if value == [] else kind_of(value)
            self.complain(f"'{self.columns[name]}' is {what}; expected a list of texts")
            return ()
        for number, part in enumerate(value, start=1):
            if isinstance(part, bool) or not isinstance(part, str | int) or part == "":
                what = "empty" if part == "" else kind_of(part)
                self.complain(f"'{self.columns[name]}' item {number} is {what}; expected text")
                return ()
        return tuple(str(part) for part in value)

    def turns(self, name: str) -> tuple[Turn, ...]:
        """A conversation."""
        return turns_of(self.value(name), self.columns[name], self.complain)


def labelled(cells: Cells) -> Built:
    """One text and its label."""
    return {"text": cells.text("text")}, cells.label()


def pair(cells: Cells) -> Built:
    """Two texts and their label."""
    return {"text": cells.text("text"), "text_pair": cells.text("text_pair")}, cells.label()


def graded(cells: Cells) -> Built:
    """One text or two, and a grade."""
    texts = {name: cells.text(name) for name in ("text", "text_pair") if name in cells.columns}
    return texts, as_score(cells.value("score"), cells.columns["score"], cells.complain)


def tags(cells: Cells) -> Built:
    """Tokens, and a tag for each."""
    tokens, marks = cells.strings("tokens"), cells.strings("tags")
    if tokens and marks and len(tokens) != len(marks):
        cells.complain(f"{len(tokens)} tokens, but {len(marks)} tags; expected one tag a token")
    return {"tokens": tokens}, marks


def messages(cells: Cells) -> Built:
    """A conversation whose last turn is the answer."""
    name = "messages" if "messages" in cells.columns else "conversations"
    before, answer = split_last(cells.turns(name), cells.columns[name], cells.complain)
    return {"messages": before}, answer


def instruction(cells: Cells) -> Built:
    """An instruction, perhaps its input, and the output."""
    given = {"instruction": cells.text("instruction"), "input": cells.string("input") if "input" in cells.columns else ""}
    return given, cells.text("output")


def reading(cells: Cells) -> Built:
    """A question about a context, answered freely."""
    return {"instruction": cells.text("question"), "input": cells.string("context")}, cells.text("answer")


def asked(question: str, answer: str) -> Callable[[Cells], Built]:
    """A builder for one text that asks and one that answers."""
    return lambda cells: ({"instruction": cells.text(question), "input": ""}, cells.text(answer))


def translation(cells: Cells) -> Built:
    """A text and its counterpart; where the columns are named as languages, the instruction names them too."""
    source, target = cells.text("source"), cells.text("target")
    languages = [LANGUAGES.get(cells.columns[name].casefold()) for name in ("source", "target")]
    if None in languages:
        return {"instruction": source, "input": ""}, target
    return {"instruction": f"Translate from {languages[0]} to {languages[1]}.", "input": source}, target


def first_answer(cells: Cells) -> Built:
    """A question with a list of right answers, of which the first is expected."""
    found = cells.strings("answers")
    return {"instruction": cells.text("question"), "input": ""}, found[0] if found else ""


def extract(cells: Cells) -> Built:
    """A question, a context, and where in the context the answers are; no answer means that there is none."""
    question, context = cells.text("question"), cells.text("context")
    return {"question": question, "context": context}, spans(cells.value("answers"), context, cells)


def spans(value: Any, context: str, cells: Cells) -> tuple[dict[str, Any], ...]:
    """Answers as {"text", "start"}, from {"text": [...], "answer_start": [...]} or a list of objects."""
    if isinstance(value, dict):
        texts, starts = value.get("text"), value.get("answer_start", value.get("start"))
        if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
            cells.complain(f"'{cells.columns['answers']}' needs lists 'text' and 'answer_start' of the same length")
            return ()
        value = [{"text": text, "start": start} for text, start in zip(texts, starts, strict=True)]
    if not isinstance(value, list):
        cells.complain(f"'{cells.columns['answers']}' is {kind_of(value)}; expected a list of answers with their starts")
        return ()
    found = [span(each, number, context, cells) for number, each in enumerate(value, start=1)]
    return tuple(each for each in found if each)


def span(value: Any, number: int, context: str, cells: Cells) -> dict[str, Any]:
    """One answer, which must stand in the context where it says."""
    text, start = None, None
    if isinstance(value, dict):
        text, start = value.get("text"), value.get("start", value.get("answer_start"))
    if not isinstance(text, str) or isinstance(start, bool) or not isinstance(start, int):
        cells.complain(f"'{cells.columns['answers']}' item {number}: expected a text and its start in characters")
        return {}
    if start < 0 or is_blank(text) or context[start : start + len(text)] != text:
        at = context.find(text) if text else -1
        elsewhere = f"it stands at {at}" if at >= 0 else "it stands nowhere in it"
        cells.complain(f"answer {number} ({text[:40]!r}) isn't at character {start} of the context; {elsewhere}")
        return {}
    return {"text": text, "start": start}


def preference(cells: Cells) -> Built:
    """A prompt with a chosen and a rejected answer; each may be a text or a conversation that ends in it."""
    if isinstance(cells.value("chosen"), list):
        return two_conversations(cells)
    given = {"prompt": prompt_of(cells)}
    expected = {"chosen": cells.text("chosen"), "rejected": cells.text("rejected")}
    if expected["chosen"] and expected["chosen"] == expected["rejected"]:
        cells.complain("chosen and rejected are the same text")
    return given, expected


def prompt_of(cells: Cells) -> str | tuple[Turn, ...]:
    """What the two answers answer: turns, a text, or an instruction with its input below."""
    for name in ("messages", "conversations"):
        if name in cells.columns:
            turns = cells.turns(name)
            if turns and turns[-1]["role"] != "user":
                cells.complain(f"'{cells.columns[name]}' must end with the user's turn that chosen and rejected answer")
            return turns
    if "prompt" in cells.columns:
        return cells.turns("prompt") if isinstance(cells.value("prompt"), list) else cells.text("prompt")
    if "instruction" in cells.columns:
        more = cells.string("input") if "input" in cells.columns else ""
        return "\n\n".join(part for part in (cells.text("instruction"), more) if part)
    cells.complain("chosen and rejected, but nothing that they answer; expected a column 'prompt' (or messages, instruction)")
    return ""


def two_conversations(cells: Cells) -> Built:
    """Chosen and rejected as whole conversations that differ in the last turn only."""
    chosen, good = split_last(cells.turns("chosen"), "chosen", cells.complain)
    rejected, bad = split_last(cells.turns("rejected"), "rejected", cells.complain)
    if good and bad and chosen != rejected:
        cells.complain("chosen and rejected differ before their last turn; expected the same conversation with two answers")
    if good and good == bad:
        cells.complain("chosen and rejected end in the same answer")
    before: str | tuple[Turn, ...] = chosen
    if not before and good and bad:
        before = prompt_of(cells)
    return {"prompt": before}, {"chosen": good, "rejected": bad}


def text(cells: Cells) -> Built:
    """A text to model: nothing is given."""
    return {}, cells.text("text")


BUILDERS: Mapping[str, Callable[[Cells], Built]] = {
    "labelled": labelled,
    "pair": pair,
    "graded": graded,
    "graded pair": graded,
    "tags": tags,
    "messages": messages,
    "conversations": messages,
    "instruction": instruction,
    "reading": reading,
    "prompt": asked("prompt", "completion"),
    "answer": asked("question", "answer"),
    "answers": first_answer,
    "source": translation,
    "extract": extract,
    "preference": preference,
    "text": text,
}
