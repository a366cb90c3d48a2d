"""Times in five languages, said at 15:00 on Wednesday, 18 November 2026, in Berlin."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hearth_intents.time_patterns import time_patterns
from hearth_intents.times import MAX_TEXT_CHARS, find_time, moment, next_of, read_time, without

from .time_cases import EVERY, MOMENTS, NO_TIME, SUN, UNCLEAR

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 18, 15, 0, tzinfo=BERLIN)
LANGUAGES = ("en", "de", "fr", "nl", "es")


def rows(table: dict[str, dict[str, object]]) -> list[tuple[str, str, object]]:
    return [(language, text, wanted) for language, each in table.items() for text, wanted in each.items()]


def texts(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(language, text) for language, each in table.items() for text in each]


def shown(at: datetime | None) -> str:
    assert at is not None
    return f"{at:%H:%M}" if at.date() == NOW.date() else f"{at:%d %H:%M}"


@pytest.mark.parametrize(("language", "text", "wanted"), rows(MOMENTS))  # type: ignore[arg-type]
def test_a_time_is_read(language: str, text: str, wanted: str) -> None:
    found = find_time(text, language, NOW)
    assert found is not None
    assert shown(found.when.at) == wanted.removeprefix("18 ")
    assert found.when.at is not None
    assert found.when.at > NOW


@pytest.mark.parametrize(("language", "text", "wanted"), rows(SUN))  # type: ignore[arg-type]
def test_the_sun_is_read(language: str, text: str, wanted: tuple[str, int]) -> None:
    found = find_time(text, language, NOW)
    assert found is not None
    assert (found.when.sun, found.when.offset_s) == (wanted[0], wanted[1] * 60)
    assert found.when.at is None


@pytest.mark.parametrize(("language", "text", "wanted"), rows(EVERY))  # type: ignore[arg-type]
def test_what_comes_again_is_read(language: str, text: str, wanted: tuple[str, str]) -> None:
    found = find_time(text, language, NOW)
    assert found is not None
    assert found.when.at is not None
    assert "".join(map(str, found.every)) == wanted[0]
    assert f"{found.when.at:%H:%M}" == wanted[1]
    assert found.minute == int(wanted[1][:2]) * 60 + int(wanted[1][3:])
    assert found.when.at.weekday() in found.every


@pytest.mark.parametrize(("language", "text"), texts(UNCLEAR))
def test_a_time_that_cannot_be_read_is_never_dropped(language: str, text: str) -> None:
    found = find_time(text, language, NOW)
    assert found is not None
    assert found.when.unclear
    assert found.when.text


@pytest.mark.parametrize(("language", "text"), texts(NO_TIME))
def test_what_is_no_time_is_left_alone(language: str, text: str) -> None:
    assert find_time(text, language, NOW) is None


REST = [
    ("en", "turn off the light in ten minutes", "turn off the light"),
    ("en", "in ten minutes, turn off the light", "turn off the light"),
    ("en", "turn off the light and in ten minutes", "turn off the light"),
    ("en", "tomorrow turn on the light at seven", "turn on the light"),
    ("en", "at nine and then turn on the light", "turn on the light"),
    ("en", "Turn OFF the Light at 9PM!", "Turn OFF the Light !"),
    ("en", "at nine", ""),
    ("de", "mach das Licht in zehn Minuten aus", "mach das Licht aus"),
    ("de", "schalte morgen das Licht um sieben an", "schalte das Licht an"),
    ("fr", "dans dix minutes éteins la lumière", "éteins la lumière"),
    ("nl", "doe het licht over tien minuten uit", "doe het licht uit"),
    ("es", "a las nueve y luego apaga la luz", "apaga la luz"),
]


@pytest.mark.parametrize(("language", "text", "rest"), REST)
def test_the_rest_of_the_sentence_is_left(language: str, text: str, rest: str) -> None:
    found = find_time(text, language, NOW)
    assert found is not None
    assert without(text, found) == rest


def test_a_name_of_the_home_is_no_time() -> None:
    text = "turn on the nine o'clock lamp"
    assert find_time(text, "en", NOW) is not None
    assert find_time(text, "en", NOW, names=["Hall", "Nine O'Clock Lamp"]) is None
    assert find_time("turn on the 9 o'clock lamp", "en", NOW, names=["nine o’clock lamp"]) is None
    found = find_time("turn on the nine o'clock lamp at ten", "en", NOW, names=["Nine O'Clock Lamp"])
    assert found is not None
    assert shown(found.when.at) == "22:00"


def test_a_short_name_does_not_hide_a_time() -> None:
    found = find_time("turn it off at nine", "en", NOW, names=["Nine", "t", ""])
    assert found is not None
    assert shown(found.when.at) == "21:00"


ANSWERS = [
    ("en", "nine", "21:00"), ("en", "ten minutes", "15:10"), ("en", "half past six tomorrow", "19 06:30"),
    ("en", "for seven thirty", "19:30"), ("de", "auf sieben", "19:00"), ("de", "zehn Minuten", "15:10"),
    ("fr", "sept heures", "19:00"), ("nl", "zeven uur", "19:00"), ("es", "las siete", "19:00"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "wanted"), ANSWERS)
def test_an_answer_needs_no_opening_word(language: str, text: str, wanted: str) -> None:
    found = read_time(text, language, NOW)
    assert found is not None
    assert shown(found.when.at) == wanted


def test_an_answer_with_other_words_is_none() -> None:
    assert read_time("nine bananas please", "en", NOW) is None


@pytest.mark.parametrize(
    ("text", "hour", "waking", "wanted"),
    [
        ("at five", 15, True, "17:00"),
        ("at five", 18, True, "19 17:00"),  # five in the morning is not meant
        ("at five", 18, False, "19 05:00"),  # but by an alarm it is
        ("at seven", 20, True, "19 07:00"),
        ("at seven", 20, False, "19 07:00"),
        ("at twelve", 9, True, "12:00"),
        ("at 5 am", 18, True, "19 05:00"),
        ("tomorrow at five", 9, True, "19 17:00"),
        ("tomorrow at five", 9, False, "19 05:00"),
    ],
)
def test_an_open_hour_is_the_next_in_waking_hours(text: str, hour: int, waking: bool, wanted: str) -> None:
    found = find_time(text, "en", NOW.replace(hour=hour), waking=waking)
    assert found is not None
    assert shown(found.when.at) == wanted


def test_tonight_after_midnight_is_this_night() -> None:
    found = find_time("tonight at two", "en", datetime(2026, 11, 19, 1, 0, tzinfo=BERLIN))
    assert found is not None
    assert found.when.at == datetime(2026, 11, 19, 2, 0, tzinfo=BERLIN)


# Clocks go from 2:00 to 3:00 on 28 March 2027, and from 3:00 to 2:00 on 25 October 2026.
def test_a_clock_time_that_is_left_out_is_an_hour_later() -> None:
    found = find_time("at 02:30", "en", datetime(2027, 3, 27, 20, 0, tzinfo=BERLIN))
    assert found is not None
    assert found.when.at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert f"{found.when.at:%H:%M}" == "03:30"


def test_a_clock_time_that_comes_twice_is_the_first() -> None:
    found = find_time("at 02:30", "en", datetime(2026, 10, 24, 20, 0, tzinfo=BERLIN))
    assert found is not None
    assert found.when.at is not None
    assert found.when.at.timestamp() == datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()


def test_hours_are_counted_and_days_go_by_the_clock_when_clocks_change() -> None:
    evening = datetime(2026, 10, 24, 20, 0, tzinfo=BERLIN)
    hours, days = find_time("in 24 hours", "en", evening), find_time("in one day", "en", evening)
    assert hours is not None
    assert hours.when.at == datetime(2026, 10, 25, 19, 0, tzinfo=BERLIN)
    assert days is not None
    assert days.when.at == datetime(2026, 10, 25, 20, 0, tzinfo=BERLIN)


def test_what_comes_every_day_keeps_its_clock_time_when_clocks_change() -> None:
    first = next_of(range(7), 7 * 60, datetime(2026, 10, 24, 20, 0, tzinfo=BERLIN))
    second = next_of(range(7), 7 * 60, first)
    assert [f"{each:%d %H:%M}" for each in (first, second)] == ["25 07:00", "26 07:00"]
    assert second - first == timedelta(days=1)


def test_every_clock_time_of_a_day_without_two_o_clock_exists() -> None:
    night = datetime(2027, 3, 27, 20, 0, tzinfo=BERLIN)
    moments = [moment(datetime(2027, 3, 28).date(), minute, night) for minute in range(0, 1440, 10)]
    assert all(each == each.astimezone(UTC) for each in moments)
    assert not any(each.hour == 2 for each in moments)


def test_a_language_without_a_file_has_no_times() -> None:
    assert find_time("um neun", "xx", NOW) is None
    assert find_time("at nine", "../en", NOW) is None


def test_a_country_is_served_by_its_language() -> None:
    assert find_time("at nine", "en-GB", NOW) is not None


def test_a_text_that_is_too_long_has_no_time() -> None:
    assert find_time("at nine " + "x" * MAX_TEXT_CHARS, "en", NOW) is None


WORDS = sorted({word for table in (MOMENTS, EVERY, SUN) for _, text, _ in rows(table) for word in text.split()})  # type: ignore[arg-type]


@hypothesis_settings(max_examples=300)
@given(
    st.sampled_from(LANGUAGES),
    st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=12).map(" ".join) | st.text(max_size=60),
    st.booleans(),
    st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)),
)
def test_any_text_is_read_within_its_bounds(language: str, text: str, bare: bool, now: datetime) -> None:
    aware = now.replace(tzinfo=BERLIN)
    found = find_time(text, language, aware, bare=bare)
    if found is None:
        return
    assert all(0 <= start < end <= len(text) for start, end in found.spans)
    assert list(found.spans) == sorted(found.spans)
    assert found.when.text
    assert found.when.at is None or found.when.at.timestamp() > aware.timestamp()
    assert len(re.sub(r"\s", "", without(text, found))) < len(re.sub(r"\s", "", text))


@hypothesis_settings(max_examples=200)
@given(st.integers(0, 23), st.integers(0, 59))
def test_every_clock_time_in_digits_is_that_time(hour: int, minute: int) -> None:
    for language, opening in (("en", "at"), ("de", "um"), ("fr", "à"), ("nl", "om"), ("es", "a las")):
        found = find_time(f"{opening} {hour:02d}:{minute:02d}", language, NOW)
        assert found is not None
        assert found.when.at is not None
        assert (found.when.at.hour % 12, found.when.at.minute) == (hour % 12, minute)
        if not 1 <= hour <= 12 or hour < 10:
            assert found.when.at.hour == hour


@hypothesis_settings(max_examples=100)
@given(st.integers(1, 199), st.sampled_from(LANGUAGES))
def test_every_number_of_minutes_in_words_is_read(count: int, language: str) -> None:
    from hearth_intents.spoken import speech

    opening, unit = {
        "en": ("in", "minutes"), "de": ("in", "Minuten"), "fr": ("dans", "minutes"),
        "nl": ("over", "minuten"), "es": ("en", "minutos"),
    }[language]  # fmt: skip
    for words in speech(language).number(count):
        found = find_time(f"{opening} {' '.join(words)} {unit}", language, NOW)
        assert found is not None
        assert found.when.at == NOW + timedelta(minutes=count)
        assert found.elapsed


def hopeless(language: str) -> list[str]:
    """Return what cannot be read whatever stands beside it; "in the evening" can, beside "at nine"."""
    patterns = time_patterns(language)
    assert patterns is not None
    kinds = {text: {e.kind for e in patterns.elements(patterns.folded(text).text)} for text in UNCLEAR[language]}
    return [text for text, found in kinds.items() if "unclear" in found]


@hypothesis_settings(max_examples=200)
@given(st.data(), st.sampled_from(LANGUAGES))
def test_a_time_that_cannot_be_read_is_not_dropped_beside_one_that_can(data: st.DataObject, language: str) -> None:
    readable = data.draw(st.sampled_from(sorted(MOMENTS[language])))
    unclear = data.draw(st.sampled_from(hopeless(language)))
    found = find_time(f"{readable}, {unclear}", language, NOW)
    assert found is not None
    assert found.when.unclear


@hypothesis_settings(max_examples=200)
@given(st.data(), st.sampled_from(LANGUAGES))
def test_two_times_are_never_read_as_one_of_them(data: st.DataObject, language: str) -> None:
    clocks = [text for text in sorted(MOMENTS[language]) if find_time(text, language, NOW).minute is not None]  # type: ignore[union-attr]
    first, second = data.draw(st.sampled_from(clocks)), data.draw(st.sampled_from(clocks))
    found = find_time(f"{first}, xyz {second}", language, NOW)
    assert found is not None
    assert found.when.unclear
