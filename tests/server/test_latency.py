"""What pings tell of the way."""

from __future__ import annotations

from hearth_server.latency import Latency
from tests.satellite.fakes import Clock


def test_half_the_fastest_way_there_and_back_is_the_delay_and_the_slowest_its_uncertainty() -> None:
    clock = Clock()
    latency = Latency(clock)
    assert (latency.delay_s, latency.jitter_s) == (0.0, 0.0)
    for took_s in (0.2, 0.1, 0.5):
        text = latency.ping()
        clock.now += took_s
        latency.pong(text)
    assert round(latency.delay_s, 6) == 0.05
    assert round(latency.jitter_s, 6) == 0.45


def test_a_pong_without_text_is_to_the_oldest_ping() -> None:
    clock = Clock()
    latency = Latency(clock)
    latency.ping()
    clock.now += 0.3
    latency.pong(None)
    assert round(latency.delay_s, 6) == 0.15
    latency.pong(None)
    latency.pong("made up")
    assert round(latency.jitter_s, 6) == 0.15


def test_pings_that_are_never_answered_are_forgotten() -> None:
    latency = Latency(Clock())
    first = latency.ping()
    for _ in range(1000):
        latency.ping()
    latency.pong(first)
    assert len(latency._sent) <= 8
    assert latency.delay_s == 0.0
