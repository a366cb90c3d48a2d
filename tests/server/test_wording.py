"""What Hearth asks, in every language that has the texts."""

from __future__ import annotations

from importlib import resources

import pytest
import yaml

from hearth_core.command import Response, ResponseKind
from hearth_server.wording import Wording

LANGUAGES = ("en", "de", "fr", "nl", "es")
VALUES = {
    "things": ["A", "B"],
    "names": "A",
    "options": "A or B",
    "question": "Q?",
    "text": "T",
    "name": "N",
    "area": "R",
    "minutes": 5,
    "good": ["G"],
    "bad": ["B"],
    "first": "F",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_and_says_what_it_is_given(language: str) -> None:
    file = resources.files("hearth_server").joinpath("talk", f"{language}.yaml")
    texts = yaml.safe_load(file.read_text("utf-8"))
    english = yaml.safe_load(resources.files("hearth_server").joinpath("talk", "en.yaml").read_text("utf-8"))
    assert texts.keys() == english.keys()
    assert texts["confirm"].keys() == english["confirm"].keys()
    wording = Wording(language)
    for key in texts.keys() - {"confirm"}:
        said = wording.text(key, **VALUES)
        assert said
        assert "{" not in said
        for variable in ("question", "text", "minutes", "first"):
            if "{{ " + variable in texts[key] and key != "several":
                assert str(VALUES[variable]) in said


@pytest.mark.parametrize(
    ("language", "asked"),
    [
        ("en", "Unlock the Front Door and the Shed?"),
        ("de", "Front Door und Shed aufschließen?"),
        ("fr", "Déverrouiller Front Door et Shed ?"),
        ("nl", "Front Door en Shed van het slot doen?"),
        ("es", "¿Desbloquear Front Door y Shed?"),
        ("xx", "Unlock the Front Door and the Shed?"),
    ],
)
def test_a_question_names_what_it_is_about(language: str, asked: str) -> None:
    assert Wording(language).confirm(("lock.unlock",), ("Front Door", "Shed"), "…") == asked


def test_of_many_things_or_an_unknown_service_the_words_are_asked_back() -> None:
    wording = Wording("en")
    many = wording.confirm(("lock.unlock",), [str(n) for n in range(9)], "unlock everything")
    assert (
        many == wording.confirm(("x.y",), ("A",), "unlock everything?") == "Shall I really do this: unlock everything?"
    )


DONE = Response("Turned on the light", ResponseKind.DONE)
FAILED = Response("The blinds did not answer", ResponseKind.FAILED)
ANSWER = Response("Yes", ResponseKind.ANSWER)
LOST = Response("I did not understand: x", ResponseKind.NOT_UNDERSTOOD)


@pytest.mark.parametrize(
    ("responses", "question", "text", "kind"),
    [
        ([DONE], None, "Turned on the light", "done"),
        ([DONE, DONE], None, "Turned on the light", "done"),
        ([DONE, ANSWER], None, "Turned on the light. Yes", "done"),
        ([DONE, FAILED], None, "Turned on the light, but the blinds did not answer", "failed"),
        ([FAILED, DONE], None, "Turned on the light, but the blinds did not answer", "failed"),
        ([DONE, LOST], None, "Turned on the light, but I did not understand: x", "failed"),
        ([FAILED, LOST], None, "The blinds did not answer. I did not understand: x", "failed"),
        ([LOST], None, "I did not understand: x", "not-understood"),
        ([DONE], "Unlock it?", "Turned on the light. Unlock it?", "question"),
        ([], "Unlock it?", "Unlock it?", "question"),
    ],
)
def test_several_responses_are_told_as_one(
    responses: list[Response], question: str | None, text: str, kind: str
) -> None:
    assert Wording("en").several(responses, question) == Response(text, ResponseKind(kind))


@pytest.mark.parametrize(
    ("labels", "asked"),
    [
        (["Left Lamp", "Right Lamp"], "Do you mean the Left Lamp or the Right Lamp?"),
        (["A", "B", "C"], "Do you mean the A, the B or the C?"),
        ([str(n) for n in range(9)], "Which one do you mean?"),
        (["A", "A"], "Which one do you mean?"),
    ],
)
def test_a_choice_is_read_out_as_long_as_it_is_short(labels: list[str], asked: str) -> None:
    assert Wording("en").which(labels) == asked
