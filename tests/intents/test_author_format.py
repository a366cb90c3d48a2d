"""What an author may write: Home Assistant's format unchanged, actions beside it, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hearth_core.command import Context, IntentMatch
from hearth_core.home import Area, Entity, Home
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import Sentences, load_sentences

HOME = Home.of([], [Area("den", "Den")], [Entity("light.desk", "Desk Lamp", area_id="den")])

# Every key that Home Assistant's custom sentences can have.
CUSTOM = """\
language: "en"
intents:
  SetMood:
    data:
      - sentences:
          - "[please] (make|set) {place:room} <mood> [to {level}[%]]"
          - "<mood> in {place:room}"
        slots: {kind: mood, priority: 3}
        response: warm
        metadata: {author: me}
        requires_context:
          area: {slot: true}
        expansion_rules: {mood: "(cosy|bright)"}
        lists:
          place: {values: ["snug", {in: "(nook|corner)", out: nook, context: {quiet: true}, metadata: {n: 1}}]}
        settings: {filter_with_regex: false}
        required_keywords: ["cosy", "bright"]
      - sentences: ["hush {what}"]
        excludes_context: {domain: [light, cover]}
  Note:
    data:
      - sentences: ["note down {what}"]
lists:
  level: {range: {type: percentage, from: 0, to: 100, step: 10, fractions: halves, multiplier: 1.5}}
  what: {wildcard: true}
expansion_rules:
  unused_rule: "[the] (thing|stuff)"
skip_words: ["please", "kindly"]
settings: {ignore_whitespace: false, filter_with_regex: true}
responses:
  errors: {no_intent: "Pardon?"}
  intents:
    SetMood: {default: "Done", warm: "{{ slots.room | regex_replace('a', 'b') }} is {{ now() }}"}
"""


def _load(tmp_path: Path, text: str) -> Sentences:
    (tmp_path / "own.yaml").write_text(text)
    return load_sentences("en", [tmp_path], builtin=False)


def _match(sentences: Sentences, text: str, area_id: str | None = None) -> IntentMatch | None:
    return next(iter(Matcher(sentences, HOME).match(text, Context(area_id=area_id))), None)


def test_custom_sentences_of_home_assistant_are_taken_as_they_are(tmp_path: Path) -> None:
    sentences = _load(tmp_path, CUSTOM)
    assert sentences.problems == ()
    match = _match(sentences, "kindly make corner cosy to twenty", "den")
    assert match is not None
    values = {name: slot.value for name, slot in match.slots.items()}
    assert values == {"room": "nook", "level": 30, "kind": "mood", "priority": 3, "area": "den"}
    assert (match.intent, match.response, match.action) == ("SetMood", "warm", None)
    assert _match(sentences, "corner cosy", None) is None, "it needs an area"
    note = _match(sentences, "note down milk and eggs")
    assert note is not None
    assert note.value("what") == "milk and eggs"
    assert sentences.errors["no_intent"] == "Pardon?"


OWN = """\
language: en
intents:
  Brew:
    data:
      - sentences: ["brew {size} <drink>"]
        slots: {pot: 1}
        response: "@response@"
        action: @action@
lists:
  size: {values: [small, large]}
  cups: {range: {from: 1, to: 4}}
expansion_rules:
  drink: "(tea|{cups} cups of tea)"
"""


def _own(action: str, response: str = "One {{ slots.size }} tea") -> str:
    return OWN.replace("@action@", action).replace("@response@", response)


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("{service: light.turn_on, entity_id: light.desk}",
         {"service": "light.turn_on", "entity_id": ["light.desk"], "data": {}}),
        ("{action: light.turn_on, target: {area_id: den, floor_id: [a, b]}}",
         {"service": "light.turn_on", "entity_id": [], "area_id": ["den"], "floor_id": ["a", "b"], "data": {}}),
        ("{scene: scene.tea}", {"service": "scene.turn_on", "entity_id": ["scene.tea"], "data": {}}),
        ("{knx: {address: 1/2/3, type: temperature, value: \"{{ pot + 0.5 }}\"}}",
         {"knx": {"address": "1/2/3", "dpt": "temperature", "value": "{{ pot + 0.5 }}"}}),
        ("{knx: {address: 2563, dpt: 9.010, value: 1}}",
         {"knx": {"address": "2563", "dpt": "9.010", "value": 1}}),
        ("{knx: {address: \"1/2/{{ cups }}\", value: true}}",
         {"knx": {"address": "1/2/{{ cups }}", "dpt": "1.001", "value": True}}),
        ("{mqtt: {topic: tea/go, payload: {size: \"{{ size }}\"}}}",
         {"mqtt": {"topic": "tea/go", "payload": {"size": "{{ size }}"}, "qos": 1, "retain": False}}),
        ("[{scene: scene.tea}, {mqtt: {topic: tea, qos: 2, retain: true}}]",
         {"steps": [{"service": "scene.turn_on", "entity_id": ["scene.tea"], "data": {}},
                    {"mqtt": {"topic": "tea", "payload": "", "qos": 2, "retain": True}}]}),
    ],
)  # fmt: skip
def test_action_is_one_step_or_several(action: str, data: dict[str, Any], tmp_path: Path) -> None:
    sentences = _load(tmp_path, _own(action))
    assert sentences.problems == ()
    match = _match(sentences, "brew large tea")
    assert match is not None
    assert match.action == data


@pytest.mark.parametrize(
    ("response", "key", "text"),
    [
        ("One {{ slots.size }} tea", "own.yaml:7", "One {{ slots.size }} tea"),
        ("Brewing", "own.yaml:7", "Brewing"),
        ("hot", "hot", None),
    ],
)
def test_response_is_a_text_or_a_key(response: str, key: str, text: str | None, tmp_path: Path) -> None:
    sentences = _load(tmp_path, _own("{scene: scene.tea}", response))
    match = _match(sentences, "brew small tea")
    assert match is not None
    assert (match.response or "").endswith(key)
    assert sentences.responses.get("Brew", {}).get(match.response or "") == text


@pytest.mark.parametrize(
    ("action", "place", "message"),
    [
        ("[]", "8:9", "at least 1 item"),
        ("turn it on", "8:9", "valid dictionary"),
        ("{service: turn on}", "8:18", "should match pattern"),
        ("{service: light.turn_on, entity_id: desk}", "8:34", "'desk' is not an entity"),
        ("{service: light.turn_on, target: {entity_id: [light.a, b]}}", "8:43", "'b' is not an entity"),
        ("{service: light.turn_on, target: {room: den}}", "8:43", "has no key room"),
        ("{service: light.turn_on, when: now}", "8:34", "has no key when"),
        ("{scene: tea}", "8:18", "'tea' is not an entity"),
        ("{knx: {address: 1/2/300, value: 1}}", "8:24", "not a group address"),
        ("{knx: {address: 0/0/0, value: 1}}", "8:24", "not a group address"),
        ("{knx: {address: 1/2/3, dpt: warm one, value: 1}}", "8:40", "not a datapoint type"),
        ("{knx: {address: 1/2/3}}", "8:18", "lacks value"),
        ("{knx: {address: 1/2/3, value: null}}", "8:40", "no value to write"),
        ("{mqtt: {topic: 'tea/#'}}", "8:25", "not a topic to publish on"),
        ("{mqtt: {topic: 'tea/+/x'}}", "8:25", "not a topic to publish on"),
        ("{mqtt: {topic: ''}}", "8:25", "not a topic to publish on"),
        ("{mqtt: {topic: tea, qos: 3}}", "8:37", "0, 1 or 2"),
        ("{mqtt: {topic: tea, retain: maybe}}", "8:37", "valid boolean"),
        ("{mqtt: {topic: tea, payload: '{{ milk }}'}}", "8:37", "no sentence fills a slot milk"),
        ("{scene: '{{ milk }}'}", "8:9", "no sentence fills a slot milk"),
        ("{service: light.turn_on, data: {x: ['{{ slots.milk }}']}}", "8:41", "no sentence fills a slot milk"),
        ("{service: light.turn_on, data: {x: \"{{ slots['milk'] }}\"}}", "8:41", "no sentence fills a slot milk"),
        ("{service: light.turn_on, data: {x: '{{ size'}}", "8:41", "not a Jinja template"),
        ("{service: light.turn_on, data: {x: '{{ size | wibble }}'}}", "8:41", "No filter named 'wibble'"),
        ("{service: light.turn_on, data: {x: '{% for %}'}}", "8:41", "not a Jinja template"),
        ("[{scene: scene.tea}, {knx: {address: 99/1/1, value: 1}}]", "8:37", "not a group address"),
    ],
)  # fmt: skip
def test_wrong_action_is_told_with_its_place(action: str, place: str, message: str, tmp_path: Path) -> None:
    (problem,) = _load(tmp_path, _own(action)).problems
    assert message in problem.message
    line = place.split(":")[0]
    assert problem.message.startswith(f"{tmp_path / 'own.yaml'}:{line}:"), problem.message


def test_wrong_slot_in_an_answer_is_told(tmp_path: Path) -> None:
    (problem,) = _load(tmp_path, _own("{scene: scene.tea}", "{{ slots.milk }} for you")).problems
    assert problem.message.endswith(":7:9: no sentence fills a slot milk")
    assert problem.remedy == "The sentences fill cups, pot, size"


@pytest.mark.parametrize(
    "value",
    ["{{ size }}", "{{ slots.size | default('x') }}", "{% for k, v in slots.items() %}{{ k }}{% endfor %}",
     "{% set a = 1 %}{{ a }}", "{{ range(3) | list }}", "{{ cups }}", "{{ slots.get('size') }}"],
)  # fmt: skip
def test_slot_that_some_sentence_fills_is_fine(value: str, tmp_path: Path) -> None:
    assert _load(tmp_path, _own(f"{{service: light.turn_on, data: {{x: {value!r}}}}}")).problems == ()


BAD: dict[str, tuple[str, str]] = {
    "10^12 sentences": (
        " ".join(f"({'|'.join(f'w{place}x{choice}' for choice in range(10))})" for place in range(12)),
        "",
    ),
    "10^12 of the same words": ("brew " + "[a|b|c|d|e|f|g|h|i] " * 13, "too many ways"),
    "10^12 readings": ("[a] " * 40, "too many ways"),
    "10^12 orders": ("(" + ";".join(f"[w{i}]" for i in range(15)) + ")", "any order"),
    "10,000 characters": ("a" * 10_000, "at most 2000 characters"),
    "brackets that do not end": ("(" * 900, ""),
    "deep brackets": ("[" * 900 + "a" + "]" * 900, ""),
    "recursive rule": ("<drink>", "contains itself"),
    "control characters": ("brew \\u0007 tea", ""),
    "right to left": ("\u05ea\u05d4 {size}", ""),
    "emoji": ("\U0001f375 {size}", ""),
}


@pytest.mark.parametrize(("template", "message"), BAD.values(), ids=BAD.keys())
def test_bad_template_is_bounded_and_the_rest_works(template: str, message: str, tmp_path: Path) -> None:
    bad = (
        OWN.replace("brew {size} <drink>", template)
        .replace("@action@", "{scene: scene.tea}")
        .replace("@response@", "x y")
    )
    if "recursive" in message or message == "contains itself":
        bad = bad.replace("(tea|{cups} cups of tea)", "[<drink>] tea")
    (tmp_path / "bad.yaml").write_text(bad)
    (tmp_path / "good.yaml").write_text("language: en\nintents: {Good: {data: [{sentences: [all is well]}]}}\n")
    sentences = load_sentences("en", [tmp_path], builtin=False)
    if message:
        (problem,) = sentences.problems
        assert message in problem.message
        assert problem.message.startswith(f"{tmp_path / 'bad.yaml'}:")
    match = _match(sentences, "all is well")
    assert match is not None
    assert match.intent == "Good"
    assert _match(sentences, "x" * 10_000) is None
    assert _match(sentences, "") is None
    assert _match(sentences, "\x00\x1b[2J\u202e") is None


def test_lists_of_the_same_words_keep_their_own_context(tmp_path: Path) -> None:
    """Two files have the same list; which sentences it goes with is another matter in each."""
    block = "lists: {{what: {{values: [{{in: alpha, out: alpha, context: {{domain: {domain}}}}}]}}}}"
    text = "language: en\nintents:\n"
    for verb, domain in (("lift", "cover"), ("shine", "light")):
        text += f"  {verb.title()}:\n    data:\n      - sentences: ['{verb} {{what}}']\n"
        text += f"        requires_context: {{domain: {domain}}}\n        {block.format(domain=domain)}\n"
    sentences = _load(tmp_path, text)
    assert sentences.problems == ()
    for said, intent in (("lift alpha", "Lift"), ("shine alpha", "Shine")):
        match = _match(sentences, said)
        assert match is not None
        assert (match.intent, match.value("what")) == (intent, "alpha")
