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

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 18, 15, 0, tzinfo=BERLIN)
LANGUAGES = ("en", "de", "fr", "nl", "es")

# What is said, and the moment: "HH:MM" with the day of the month before it if it is not today.
MOMENTS = {
    "en": {
        "turn off the light in ten minutes": "15:10",
        "in 10 minutes turn off the light": "15:10",
        "in an hour and a half open the blinds": "16:30",
        "turn on the fan in half an hour": "15:30",
        "turn on the fan in a quarter of an hour": "15:15",
        "in three quarters of an hour": "15:45",
        "in an hour": "16:00",
        "in one hour and twenty five minutes": "16:25",
        "in two and a half hours": "17:30",
        "in 1.5 hours": "16:30",
        "in a couple of hours": "17:00",
        "ten minutes from now turn it off": "15:10",
        "in two days": "20 15:00",
        "in a week": "25 15:00",
        "in ninety seconds": "15:01",
        "turn it off at nine": "21:00",
        "turn it off at nine o'clock": "21:00",
        "turn it off at nine oclock": "21:00",
        "at nine thirty pm close the blinds": "21:30",
        "at nine thirty a.m. close the blinds": "19 09:30",
        "at 9pm": "21:00",
        "at 9 p.m.": "21:00",
        "at half past six": "18:30",
        "at half six": "18:30",
        "at quarter to 7 tomorrow morning": "19 06:45",
        "at a quarter past eight": "20:15",
        "at ten past six": "18:10",
        "at twenty to eleven": "22:40",
        "at five minutes to nine": "20:55",
        "at 21:15": "21:15",
        "at 21.15": "21:15",
        "at 7:05": "19:05",
        "at 07:05": "19 07:05",
        "at seven oh five": "19:05",
        "at fourteen thirty": "19 14:30",
        "at nineteen hundred hours": "19:00",
        "at noon": "19 12:00",
        "at midnight": "19 00:00",
        "at twelve": "19 00:00",
        "tonight at ten": "22:00",
        "tonight at one": "19 01:00",
        "at ten tonight turn it off": "22:00",
        "at two in the morning": "19 02:00",
        "at three in the afternoon": "19 15:00",
        "at four": "16:00",
        "at three": "19 15:00",
        "tomorrow at 7": "19 07:00",
        "tomorrow turn on the light at seven": "19 07:00",
        "tomorrow evening at seven": "19 19:00",
        "on monday at eight": "23 08:00",
        "next monday at eight pm": "23 20:00",
        "at eight on wednesday": "18 20:00",
        "at nine on wednesday morning": "25 09:00",
        "the day after tomorrow at noon": "20 12:00",
        "on the twentieth of november at nine": "20 09:00",
        "on november 20th at nine": "20 09:00",
    },
    "de": {
        "mach das Licht in zehn Minuten aus": "15:10",
        "in anderthalb Stunden": "16:30",
        "in einer halben Stunde": "15:30",
        "in einer Viertelstunde": "15:15",
        "in einer Dreiviertelstunde": "15:45",
        "in einer Stunde": "16:00",
        "in einer Stunde und zwanzig Minuten": "16:20",
        "in zweieinhalb Stunden": "17:30",
        "in fünfundvierzig Minuten": "15:45",
        "nach 90 Sekunden": "15:01",
        "in zwei Tagen": "20 15:00",
        "um neun": "21:00",
        "um neun Uhr": "21:00",
        "um 21 Uhr 15": "21:15",
        "um 21:15 Uhr": "21:15",
        "um 21.15 Uhr": "21:15",
        "um neun Uhr dreißig": "21:30",
        "um halb sieben": "18:30",
        "um halb sieben morgen früh": "19 06:30",
        "um viertel vor sieben": "18:45",
        "um viertel nach sieben": "19:15",
        "um dreiviertel sieben": "18:45",
        "um zehn nach sechs": "18:10",
        "um fünf vor halb acht": "19:25",
        "um fünf nach halb acht": "19:35",
        "um zwanzig Uhr": "20:00",
        "um zwölf Uhr": "19 00:00",
        "um Mitternacht": "19 00:00",
        "heute Abend um zehn": "22:00",
        "um zehn Uhr abends": "22:00",
        "morgens um sieben": "19 07:00",
        "um zwei Uhr nachts": "19 02:00",
        "morgen um sieben": "19 07:00",
        "schalte morgen das Licht um sieben an": "19 07:00",
        "morgen Abend um sieben": "19 19:00",
        "am Montag um acht": "23 08:00",
        "am Freitagabend um acht": "20 20:00",
        "übermorgen um neun Uhr": "20 09:00",
        "am 20. November um neun": "20 09:00",
    },
    "fr": {
        "éteins la lumière dans dix minutes": "15:10",
        "dans une heure": "16:00",
        "dans une heure et demie": "16:30",
        "dans une demi-heure": "15:30",
        "dans un quart d'heure": "15:15",
        "dans trois quarts d'heure": "15:45",
        "dans deux heures et dix minutes": "17:10",
        "dans quatre-vingt-dix secondes": "15:01",
        "dans deux jours": "20 15:00",
        "à neuf heures": "21:00",
        "à neuf heures et demie": "21:30",
        "à neuf heures trente": "21:30",
        "à neuf heures et quart": "21:15",
        "à vingt et une heures quinze": "21:15",
        "à 21h15": "21:15",
        "à 21 h": "21:00",
        "à 21:15": "21:15",
        "à sept heures moins le quart demain matin": "19 06:45",
        "à sept heures moins dix": "18:50",
        "à midi": "19 12:00",
        "à midi et demi": "19 12:30",
        "à minuit": "19 00:00",
        "ce soir à dix heures": "22:00",
        "à dix heures du soir": "22:00",
        "à deux heures du matin": "19 02:00",
        "demain à sept heures": "19 07:00",
        "demain soir à sept heures": "19 19:00",
        "lundi à huit heures": "23 08:00",
        "après-demain à neuf heures": "20 09:00",
        "le 20 novembre à neuf heures": "20 09:00",
    },
    "nl": {
        "doe het licht over tien minuten uit": "15:10",
        "over anderhalf uur": "16:30",
        "over een half uur": "15:30",
        "over een kwartier": "15:15",
        "over drie kwartier": "15:45",
        "over een uur": "16:00",
        "over een uur en twintig minuten": "16:20",
        "over twee dagen": "20 15:00",
        "om negen uur": "21:00",
        "om negen": "21:00",
        "om 21:15": "21:15",
        "om 21.15 uur": "21:15",
        "om negen uur dertig": "21:30",
        "om half zeven": "18:30",
        "om half zeven morgenochtend": "19 06:30",
        "om kwart voor zeven": "18:45",
        "om kwart over zeven": "19:15",
        "om tien over zes": "18:10",
        "om vijf voor half acht": "19:25",
        "om vijf over half acht": "19:35",
        "om middernacht": "19 00:00",
        "vanavond om tien uur": "22:00",
        "om tien uur 's avonds": "22:00",
        "om twee uur 's nachts": "19 02:00",
        "morgen om zeven uur": "19 07:00",
        "morgenavond om zeven uur": "19 19:00",
        "op maandag om acht uur": "23 08:00",
        "overmorgen om negen uur": "20 09:00",
    },
    "es": {
        "apaga la luz en diez minutos": "15:10",
        "dentro de una hora y media": "16:30",
        "dentro de media hora": "15:30",
        "en un cuarto de hora": "15:15",
        "en tres cuartos de hora": "15:45",
        "en una hora y veinte minutos": "16:20",
        "dentro de dos días": "20 15:00",
        "a las nueve": "21:00",
        "a las nueve y media": "21:30",
        "a las nueve y cuarto": "21:15",
        "a las nueve y diez": "21:10",
        "a las siete menos cuarto": "18:45",
        "a las siete menos diez": "18:50",
        "a la una": "19 13:00",
        "a las 21:15": "21:15",
        "a las nueve en punto": "21:00",
        "a medianoche": "19 00:00",
        "al mediodía": "19 12:00",
        "esta noche a las diez": "22:00",
        "a las diez de la noche": "22:00",
        "a las dos de la madrugada": "19 02:00",
        "mañana a las siete": "19 07:00",
        "mañana por la mañana a las siete": "19 07:00",
        "mañana por la tarde a las siete": "19 19:00",
        "el lunes a las ocho": "23 08:00",
        "pasado mañana a las nueve": "20 09:00",
        "el 20 de noviembre a las nueve": "20 09:00",
    },
}  # fmt: skip

# The sun's moment, and minutes after it.
SUN = {
    "en": {
        "when the sun sets close the blinds": ("sunset", 0),
        "close the blinds at sunset": ("sunset", 0),
        "when it gets dark": ("sunset", 0),
        "turn on the light 30 minutes before sunrise": ("sunrise", -30),
        "an hour after sunset": ("sunset", 60),
        "at dawn": ("sunrise", 0),
    },
    "de": {
        "bei Sonnenuntergang": ("sunset", 0),
        "wenn die Sonne untergeht": ("sunset", 0),
        "30 Minuten vor Sonnenaufgang": ("sunrise", -30),
        "eine Stunde nach Sonnenuntergang": ("sunset", 60),
    },
    "fr": {
        "au coucher du soleil": ("sunset", 0),
        "quand le soleil se couche": ("sunset", 0),
        "trente minutes avant le lever du soleil": ("sunrise", -30),
    },
    "nl": {
        "bij zonsondergang": ("sunset", 0),
        "als de zon ondergaat": ("sunset", 0),
        "30 minuten voor zonsopgang": ("sunrise", -30),
    },
    "es": {
        "al atardecer": ("sunset", 0),
        "cuando se ponga el sol": ("sunset", 0),
        "treinta minutos antes del amanecer": ("sunrise", -30),
    },
}

# What comes again and again: days of the week, and the clock time.
EVERY = {
    "en": {
        "turn on the light every day at seven": ("0123456", "07:00"),
        "every morning at seven": ("0123456", "07:00"),
        "every evening at seven": ("0123456", "19:00"),
        "every weekday at half past six": ("01234", "06:30"),
        "on weekdays at 21:00": ("01234", "21:00"),
        "every monday at eight": ("0", "08:00"),
        "every monday and friday at eight pm": ("04", "20:00"),
        "on sundays at ten": ("6", "10:00"),
        "at five every day": ("0123456", "17:00"),
    },
    "de": {
        "jeden Tag um sieben": ("0123456", "07:00"),
        "jeden Abend um sieben": ("0123456", "19:00"),
        "werktags um halb sieben": ("01234", "06:30"),
        "montags um acht": ("0", "08:00"),
        "jeden Sonntag um zehn": ("6", "10:00"),
    },
    "fr": {
        "tous les jours à sept heures": ("0123456", "07:00"),
        "chaque soir à sept heures": ("0123456", "19:00"),
        "en semaine à six heures et demie": ("01234", "06:30"),
        "chaque lundi à huit heures": ("0", "08:00"),
    },
    "nl": {
        "elke dag om zeven uur": ("0123456", "07:00"),
        "elke avond om zeven uur": ("0123456", "19:00"),
        "op werkdagen om half zeven": ("01234", "06:30"),
        "elke maandag om acht uur": ("0", "08:00"),
    },
    "es": {
        "todos los días a las siete": ("0123456", "07:00"),
        "cada noche a las diez": ("0123456", "22:00"),
        "entre semana a las seis y media": ("01234", "06:30"),
        "los lunes a las ocho": ("0", "08:00"),
    },
}

# Said like a time, but it cannot be read, or not be kept: the server is to ask.
UNCLEAR = {
    "en": (
        "close the blinds in the evening",
        "turn it off later",
        "turn it off tomorrow",
        "turn it off on monday",
        "turn it off in a few minutes",
        "turn it off in a while",
        "turn it off at 25 o'clock",
        "turn it off at 9:75",
        "turn it off at 9:75 pm",
        "turn on the light for ten minutes",
        "turn on the light until nine",
        "turn on the light until sunset",
        "turn it off at seven and at nine",
        "turn it off at nine in ten minutes",
        "turn it off today at 9 am",
        "turn it off every hour",
        "turn it off every ten minutes",
        "turn it off every day",
        "turn it off after dinner",
        "turn it off next week",
        "turn it off in ten",
        "turn it off before nine o'clock",
        "turn it off at 21:00 in the morning",
        "turn it off in three months",
        "turn it off in 5000 weeks",
        "turn it off at sunset tomorrow",
        "turn it off in the evening at sunset",
    ),
    "de": (
        "mach es am Abend aus",
        "mach es später aus",
        "mach es morgen aus",
        "mach es in ein paar Minuten aus",
        "mach es um 25 Uhr aus",
        "mach das Licht für zehn Minuten an",
        "mach das Licht bis neun Uhr an",
        "mach es jede Stunde an",
        "mach es um sieben und um neun an",
    ),
    "fr": (
        "éteins-la le soir",
        "éteins-la plus tard",
        "éteins-la demain",
        "éteins-la dans quelques minutes",
        "allume la lumière pendant dix minutes",
        "allume la lumière jusqu'à neuf heures",
        "éteins-la à 25 heures",
    ),
    "nl": (
        "doe het 's avonds uit",
        "doe het later uit",
        "doe het morgen uit",
        "doe het over een paar minuten uit",
        "doe het licht aan tot negen uur",
        "doe het om 25 uur uit",
    ),
    "es": (
        "apágala por la noche",
        "apágala más tarde",
        "apágala mañana",
        "apágala en unos minutos",
        "enciende la luz durante diez minutos",
        "enciende la luz hasta las nueve",
    ),
}

NO_TIME = {
    "en": (
        "set the bedroom to 20 degrees",
        "set the thermostat at 20 degrees",
        "set the brightness at 9 percent",
        "turn on the light at the entrance",
        "turn on the light in the kitchen",
        "turn on the lights in two rooms",
        "dim the lights to 50%",
        "increase the volume by ten",
        "turn on channel 7",
        "what am i to do",
        "is the door open",
        "turn on the night light",
        "play some music",
        "",
        "   ",
    ),
    "de": (
        "stelle die Heizung auf 20 Grad",
        "mach das Licht am Eingang an",
        "mach das Licht in der Küche an",
        "dimme das Licht auf 50 Prozent",
        "erhöhe die Temperatur um 2 Grad",
    ),
    "fr": (
        "règle la chambre à 20 degrés",
        "mets le chauffage à 20",
        "allume la lumière à l'entrée",
        "allume la lumière dans la cuisine",
        "mets le volume à 30 pour cent",
    ),
    "nl": (
        "zet de slaapkamer op 20 graden",
        "doe het licht bij de ingang aan",
        "doe het licht in de keuken aan",
        "dim het licht naar 50 procent",
    ),
    "es": (
        "pon el dormitorio a 20 grados",
        "enciende la luz de la entrada",
        "enciende la luz en la cocina",
        "baja la luz al 50 por ciento",
    ),
}


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
