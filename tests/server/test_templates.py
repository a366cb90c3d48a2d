"""Templates do what Jinja does, and nothing that costs memory or time without end."""

from __future__ import annotations

import contextlib
import tracemalloc
from typing import Any

import pytest
from home_assistant_intents import get_intents
from hypothesis import given
from hypothesis import strategies as st

from hearth_core.errors import SentenceError
from hearth_server.templates import MAX_TEXT_CHARS, UNDEFINED, Sandbox, evaluate, render


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{{ a }} and  {{ b.c }}\n", "1 and 2"),
        ("{% for i in range(3) %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}", "0, 1, 2"),
        ("{{ a ~ '-' ~ a }}", "1-1"),
        ("{{ [1, 2] | map('string') | join('+') }}", "1+2"),
        ("{{ names | map(attribute='n') | join(' ') }}", "x y"),
        ("{{ names | join(' ', attribute='n') }}", "x y"),
        ("{{ 'a-b'.replace('-', '+') | upper }}", "A+B"),
        ("{{ ', '.join(['a', 'b']) }}", "a, b"),
        ("{{ '{0:02d}'.format(5) }}", "05"),
        ("{{ missing }}", ""),
        ("{{ 2 ** 3 + 1 }} {{ 'ab' * 2 }} {{ 'a' + 'b' }} {{ '%d' % 3 }}", "9 abab ab 3"),
        ("{% set ns = namespace(x=0) %}{% for i in [1, 2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "3"),
        ("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice(4) }}", "44"),
    ],
)
def test_template_renders_as_jinja_does(template: str, text: str) -> None:
    assert render(template, {"a": 1, "b": {"c": 2}, "names": [{"n": "x"}, {"n": "y"}]}) == text


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ shots }}", 3),
        (" {{ shots + 1 }} ", 4),
        ("{{ [shots, 'a'] }}", [3, "a"]),
        ("{{ missing }}", UNDEFINED),
        ("{{ missing | default('none') }}", "none"),
        ("{{ shots }} shots", "3 shots"),
        ("{{ shots }}{{ shots }}", "33"),
        ("{% if shots > 2 %}many{% endif %}", "many"),
    ],
)
def test_single_expression_keeps_its_type(template: str, value: Any) -> None:
    assert evaluate(template, {"shots": 3}) == value


# Each would fill memory, run for hours, or get at the machine.
HOSTILE = [
    "{{ 'a' * 10 ** 9 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 99999999999999999999 * 99999999999999999999 * 99999999999999999999 * 99999999999999999999 }}",
    "{{ [0] * 10 ** 9 }}",
    "{{ 'a'.ljust(10 ** 9) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{}}'.format(1, 10 ** 9) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (10 ** 9, 1) }}",
    "{{ 'a' | center(10 ** 9) }}",
    "{{ 'a' | indent(10 ** 9) }}",
    "{{ range(10 ** 9) | list }}",
    "{{ range(1000) | join('x' * 9000) }}",
    "{{ ('a' * 9000) | replace('a', 'b' * 9000) }}",
    "{{ ('a' * 9000).replace('a', 'b' * 9000) }}",
    "{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}",
    "{% for i in range(1000) %}{{ 'a' * 100 }}{% endfor %}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 40 + "{{ a | length }}",
    "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a + a %}" * 40 + "{{ a | length }}",
    "{% set ns = namespace(a='a') %}{% for i in range(99) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
    "{{ lipsum(n=10 ** 6) }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ a.__init__.__globals__ }}",
    "{% include '/etc/passwd' %}",
    "{{ [].append(1) }}",
    "{{ 1 / 0 }}",
    "{{ missing.attribute }}",
    "{{ 'x' | no_such_filter }}",
    "{% for %}",
    "{{",
    "x" * 30_000,
    "{{ 'a' | int('x') + 1 }}",
]


@pytest.mark.parametrize("template", HOSTILE, ids=lambda template: template[:40])
@pytest.mark.parametrize("run", [render, evaluate])
def test_hostile_template_is_one_error_and_takes_little(template: str, run: Any) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(SentenceError):
            run(template, {"a": object()})
        assert tracemalloc.get_traced_memory()[1] < 20_000_000  # bytes
    finally:
        tracemalloc.stop()


@given(st.text(alphabet="{}%|[]()'\"~*+abx01 .:", max_size=60))
def test_any_text_renders_or_is_one_error(template: str) -> None:
    with contextlib.suppress(SentenceError):
        assert len(render(template, {"a": 1, "b": "x"})) <= MAX_TEXT_CHARS


@pytest.mark.parametrize("language", ["cs", "de", "en", "fr", "hu", "th"])  # those with the most of Jinja among them
def test_templates_of_the_data_can_be_compiled(language: str) -> None:
    sandbox = Sandbox()
    data = get_intents(language)
    assert data is not None
    for templates in data["responses"]["intents"].values():
        for template in templates.values():
            sandbox.from_string(template)
