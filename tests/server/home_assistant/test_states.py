"""States as Home Assistant compresses them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_core.errors import WireError
from hearth_core.home import State
from hearth_server.home_assistant.states import States

FIRST = {"a": {"light.a": {"s": "on", "a": {"brightness": 5, "effect": "x"}, "c": "c1", "lc": 1.0}}}


def states(*events: Any) -> States:
    found = States()
    for event in events:
        found.apply(event)
    return found


@pytest.mark.parametrize(
    ("change", "state", "context"),
    [
        ({"+": {"s": "off"}}, State("off", {"brightness": 5, "effect": "x"}), "c1"),
        ({"+": {"a": {"brightness": 9}}}, State("on", {"brightness": 9, "effect": "x"}), "c1"),
        ({"-": {"a": ["effect", "never"]}}, State("on", {"brightness": 5}), "c1"),
        ({"+": {"s": "off", "c": "c2"}, "-": {"a": ["effect"]}}, State("off", {"brightness": 5}), "c2"),
        ({"+": {"c": {"id": "c3", "user_id": "u"}}}, State("on", {"brightness": 5, "effect": "x"}), "c3"),
        ({"+": {"c": {"user_id": "u"}, "lu": 2.0}}, State("on", {"brightness": 5, "effect": "x"}), "c1"),
        ({}, State("on", {"brightness": 5, "effect": "x"}), "c1"),
    ],
)
def test_a_change_is_laid_over_what_was(change: Any, state: State, context: str) -> None:
    found = states(FIRST)
    assert found.apply({"c": {"light.a": change}}) == {"light.a"}
    seen = found.get("light.a")
    assert seen is not None
    assert (seen.state, seen.context, seen.revision) == (state, context, found.revision)


def test_a_change_leaves_the_state_before_as_it_was() -> None:
    found = states(FIRST)
    before = found.get("light.a")
    found.apply({"c": {"light.a": {"+": {"a": {"brightness": 9}}, "-": {"a": ["effect"]}}}})
    assert before is not None
    assert before.state.attributes == {"brightness": 5, "effect": "x"}


def test_a_change_of_what_is_not_known_is_let_go() -> None:
    found = states({"c": {"light.b": {"+": {"s": "on"}}}})
    assert found.get("light.b") is None


def test_what_is_removed_is_gone() -> None:
    found = states(FIRST, {"r": ["light.a", "light.never"]})
    assert found.get("light.a") is None
    assert list(found) == []


@pytest.mark.parametrize(
    "junk", [None, 5, [], {"a": []}, {"a": {"x": {}}}, {"c": {"x": {"+": 1}}}, {"r": "x"}, {"a": {"x": {"s": 1}}}]
)
def test_junk_is_a_wire_error(junk: Any) -> None:
    with pytest.raises(WireError, match="states that cannot be read"):
        States().apply(junk)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "c", "r", "s", "+", "-", "light.a", "id"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4))
def test_whatever_comes_it_is_taken_or_a_wire_error(events: list[Any]) -> None:
    found = states(FIRST)
    for event in events:
        before = found.get("light.a")
        try:
            found.apply(event)
        except WireError:
            assert found.get("light.a") == before  # nothing of it was taken
