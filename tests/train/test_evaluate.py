"""Phone errors beside a plain Levenshtein distance."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hearth_train.evaluate import collapsed, distance


def levenshtein(a: list[int], b: list[int]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]


@given(st.lists(st.integers(1, 4), max_size=12), st.lists(st.integers(1, 4), max_size=12))
def test_distance(heard: list[int], said: list[int]) -> None:
    assert distance(heard, tuple(said)) == levenshtein(heard, said)


def test_repeats_and_blanks_are_no_phones() -> None:
    assert collapsed([0, 3, 3, 0, 3, 5, 5, 0]) == [3, 3, 5]
    assert collapsed([]) == []
    assert collapsed([Random(0).choice((0,)) for _ in range(5)]) == []
