"""Recipes: what YAML 1.2 means, every wrong recipe refused with its line, and nothing in it ever run (table Y)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accordeur.errors import RecipeError
from accordeur.recipe import Recipe, dump_recipe, load_recipe, parse_recipe

HEAD = "data: rows.jsonl\n"


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "recipe.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(folder: Path, content: str | bytes) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        load_recipe(written(folder, content))
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        pytest.param("budget: 1e-4", "budget", 0.0001, id="Y01"),
        pytest.param("budget: 2", "budget", 2.0, id="Y01-whole"),
        pytest.param("group: no", "group", "no", id="Y02-no"),
        pytest.param("group: off", "group", "off", id="Y02-off"),
        pytest.param("group: yes", "group", "yes", id="Y02-yes"),
        pytest.param("seeds: 010", "seeds", 10, id="Y02-leading-zero"),
        pytest.param("seeds: 0o10", "seeds", 8, id="Y02-octal"),
        pytest.param("seeds: 0x10", "seeds", 16, id="Y02-hexadecimal"),
        pytest.param("group: 1_000", "group", "1_000", id="Y02-underscore"),
        pytest.param("group: 12:30:45", "group", "12:30:45", id="Y02-time"),
        pytest.param("group: 2020-01-01", "group", "2020-01-01", id="Y02-date"),
        pytest.param("group: 2020-01-01T00:00:00Z", "group", "2020-01-01T00:00:00Z", id="Y02-moment"),
        pytest.param(
            "definitions: {no: a refusal, 2020-01-01: a day}",
            "definitions",
            {"no": "a refusal", "2020-01-01": "a day"},
            id="Y02-keys",
        ),
        pytest.param("group: ${HOME}", "group", "${HOME}", id="Y11-variable"),
        pytest.param("test: ~/rows.jsonl", "test", "~/rows.jsonl", id="Y11-home"),
        pytest.param("group: $(touch canary)", "group", "$(touch canary)", id="Y11-command"),
        pytest.param('group: "{{ 7 * 7 }}"', "group", "{{ 7 * 7 }}", id="Y11-template"),
    ],
)
def test_values_mean_what_yaml_1_2_says(tmp_path: Path, line: str, key: str, value: Any) -> None:
    found = getattr(load_recipe(written(tmp_path, HEAD + line + "\n")), key)
    assert (found, type(found)) == (value, type(value))
    assert list(tmp_path.iterdir()) == [tmp_path / "recipe.yaml"]


@pytest.mark.parametrize("content", ["\ufeff" + HEAD, HEAD.replace("\n", "\r\n"), "# a comment\n\n---\n" + HEAD + "...\n"])
def test_marks_of_other_systems_are_accepted(tmp_path: Path, content: str) -> None:  # Y10
    assert load_recipe(written(tmp_path, content)) == Recipe(data="rows.jsonl")


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        pytest.param(HEAD + "seeds: 1_0\n", 2, ["seeds", "1_0"], id="Y02-underscore"),
        pytest.param(HEAD + "group: 010\n", 2, ["group", "string"], id="Y02-number-for-text"),
        pytest.param("data: no\ndata: b\n", 2, ["duplicate key", "data", "keep one"], id="Y03"),
        pytest.param(HEAD + "methods:\n  lora: {}\n  lora: {}\n", 4, ["duplicate key", "lora"], id="Y03-inner"),
        pytest.param(HEAD + "methods: [lora, lora]\n", 2, ["listed twice"], id="Y03-list"),
        pytest.param(HEAD + "tolerence: 1\n", 2, ["unknown key 'tolerence'", "did you mean 'tolerance'?"], id="Y04"),
        pytest.param(HEAD + "\n\nzzz: 1\n", 4, ["unknown key 'zzz'", "known: data"], id="Y04-far"),
        *(
            pytest.param(HEAD + f"budget: {value}\n", 2, ["budget", word], id=f"Y05 {value}")
            for value, word in [
                ("-1", "greater than 0"),
                ("0", "greater than 0"),
                (".nan", "finite"),
                (".inf", "finite"),
                ("-.inf", "finite"),
            ]
        ),
        *(
            pytest.param(HEAD + f"budget: {value}\n", 2, ["budget", "number"], id=f"Y05 {value}")
            for value in ["abc", '"1"', "null", "[1]", "true"]
        ),
        pytest.param(HEAD + "budget: 1e999\n", 2, ["budget", "finite"], id="Y05 too large"),
        *(
            pytest.param(HEAD + line + "\n", 2, [line.split(":")[0]], id=f"Y06 {line}")
            for line in [
                "seeds: 0",
                "seeds: 1.5",
                "seeds: true",
                "max_length: 1",
                "rows: 1",
                "tolerance: -1",
                "price_per_hour: -1",
                "methods: 3",
                "methods: {lora: 3}",
                "methods: {1: {}}",
                "map: [a]",
                "map: {label: 3}",
                "prompts: x",
                "language: de",
            ]
        ),
        pytest.param('data: !!python/object/apply:os.system ["touch canary"]\n', 1, ["tags are not accepted"], id="Y07"),
        pytest.param('!!python/object/apply:os.system ["touch canary"]\n', 1, ["tags are not accepted"], id="Y07-top"),
        pytest.param("data: !foo a\n", 1, ["tags are not accepted"], id="Y07-own"),
        pytest.param(HEAD + "x: &x [1]\ny: [*x, *x]\n", 3, ["aliases"], id="Y08"),
        pytest.param("x: &x {budget: 1}\n<<: *x\n", 2, ["aliases"], id="Y08-merge"),
        pytest.param("- " * 20_000, 1, ["nested deeper"], id="Y09-dashes"),
        pytest.param("{a: " * 200, 1, ["nested deeper"], id="Y09-braces"),
        pytest.param(HEAD + "\tbudget: 1\n", 2, ["not valid YAML"], id="Y10-tab"),
        pytest.param(HEAD + "\u00a0budget: 1\n", 2, ["did you mean 'budget'?"], id="Y10-nbsp"),
        pytest.param(HEAD + "---\n" + HEAD, 2, ["two documents"], id="Y10-two"),
        pytest.param(HEAD + 'group: "open\n', 3, ["not valid YAML"], id="Y10-open"),
        pytest.param('data: "a\\0b"\n', 1, ["NUL"], id="Y10-nul"),
        pytest.param("data: " + "x" * 10_000 + "\n", 1, ["10000 bytes"], id="Y14-name"),
        pytest.param("k" * 10_000 + ": 1\n" + HEAD, 1, ["not valid YAML"], id="Y14-key"),
    ],
)
def test_wrong_recipes_are_refused_with_their_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, line: int, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    fault = refused(tmp_path, content)
    assert fault.where == f"{tmp_path / 'recipe.yaml'}:{line}"
    assert all(word in str(fault) for word in words), str(fault)
    assert len(str(fault)) < 1000
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("", "found nothing", id="Y10-empty"),
        pytest.param("# only a comment\n", "found nothing", id="Y10-comment"),
        pytest.param("- a\n", "found a list", id="Y10-list"),
        pytest.param("hello\n", "found one text", id="Y10-text"),
        pytest.param("1: a\n", "every key must be a word", id="Y10-number-key"),
        pytest.param("? [a, b]\n: 1\n", "every key must be a word", id="Y10-list-key"),
        pytest.param("data: a\x01\n", "not valid YAML", id="Y10-control"),
        pytest.param("budget: 1\n", "key 'data' is missing", id="Y04-missing"),
        pytest.param("[" * 20_000, "nested deeper", id="Y09"),
        pytest.param(HEAD + "#" + "x" * 300_000, "at most 262144", id="Y14"),
        pytest.param(b"data: caf\xe9\n", "not UTF-8 at byte 9", id="Y10-latin-1"),
        pytest.param("data: a\n".encode("utf-16"), "not UTF-8", id="Y10-UTF-16"),
    ],
)
def test_files_that_are_no_recipes_are_refused(tmp_path: Path, content: str | bytes, words: str) -> None:
    assert words in str(refused(tmp_path, content))


def test_all_faults_are_reported_at_once_each_with_its_line(tmp_path: Path) -> None:
    message = str(refused(tmp_path, HEAD + "seeds: 0\n\nbudget: -1\nmethds: [lora]\n"))
    assert "line 2: seeds" in message
    assert "line 4: budget" in message
    assert "line 5: unknown key 'methds' (did you mean 'methods'?)" in message


def test_an_alias_bomb_is_refused_before_it_grows(tmp_path: Path) -> None:  # Y08
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    assert "aliases" in str(refused(tmp_path, bomb))


def test_paths_are_relative_to_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # Y13
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "rows.jsonl").touch()
    (inner / "test.jsonl").touch()
    monkeypatch.chdir(tmp_path)
    found = load_recipe(written(inner, "data: ../rows.jsonl\ntest: test.jsonl\nvalidation: elsewhere.jsonl\nbase: org/name\n"))
    assert Path(found.data) == inner / "../rows.jsonl"
    assert Path(str(found.test)) == inner / "test.jsonl"
    assert (found.validation, found.base) == ("elsewhere.jsonl", "org/name")


@pytest.mark.parametrize("name", ["missing.yaml", "folder.yaml", "x" * 300 + ".yaml"])
def test_recipes_that_are_not_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(RecipeError, match="no such recipe file"):
        load_recipe(tmp_path / name)


def test_a_recipe_is_written_and_read_back(tmp_path: Path) -> None:
    recipe = parse_recipe(
        {
            "data": "no",
            "group": "2020-01-01",
            "map": {"label": "010"},
            "methods": {"lora": {"rank": 4, "rate": 1e-4}},
            "force": True,
        }
    )
    assert load_recipe(written(tmp_path, dump_recipe(recipe))) == recipe


def test_methods_may_be_a_list_of_names_and_settings() -> None:
    listed = parse_recipe({"data": "a", "methods": ["tfidf", {"lora": {"rank": 4}}]})
    assert listed.methods == {"tfidf": {}, "lora": {"rank": 4}}


def test_what_is_asked_of_the_machine() -> None:
    recipe = parse_recipe({"data": "rows.csv", "device": "cuda:1", "dtype": "float32", "threads": 2})
    assert recipe.machine() == {"device": "cuda:1", "dtype": "float32", "threads": 2}
    assert parse_recipe({"data": "rows.csv"}).machine() == {}
    for wrong in ({"device": "gpu"}, {"dtype": "float8"}, {"threads": 0}, {"micro_tokens": 0}):
        with pytest.raises(RecipeError, match=next(iter(wrong))):
            parse_recipe({"data": "rows.csv", **wrong})
