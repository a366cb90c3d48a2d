"""Tables of evidence, and who is meant."""

from __future__ import annotations

import pytest

from hearth_server.rooms import Evidence, Weights, decide
from hearth_server.rooms_history import REMEMBERED, History

WEIGHTS = Weights()


def of(satellite: str, level: float, noise: float = -60.0, **more: float | None) -> Evidence:
    return Evidence(satellite, level, noise, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("evidence", "winner", "why"),
    [
        ((of("a", -30.0),), "a", "nobody else heard it"),
        ((of("a", -40.0), of("b", -30.0)), "b", "louder"),
        ((of("a", -30.0), of("b", -30.0)), "a", "equals: the first that came"),
        ((of("a", -30.0, -35.0), of("b", -33.0, -65.0)), "b", "a is loud, but hardly over its noise"),
        ((of("a", -20.0, -42.0), of("b", -30.0, -65.0)), "a", "a fridge takes no room from who stands beside it"),
        ((of("a", -30.0, wake_score=0.9), of("b", -30.5)), "a", "no score is neither good nor bad"),
        ((of("a", -30.0, wake_score=0.6), of("b", -30.2, wake_score=0.99)), "b", "the surer wake word"),
        ((of("a", -30.0, confidence=0.0), of("b", -31.0, confidence=0.95)), "b", "what was understood"),
        ((of("a", -30.0, confidence=0.6), of("b", -38.0, confidence=0.95)), "a", "but not against 8 dB"),
        ((of("a", -30.0, detected_s=0.2), of("b", -30.5, detected_s=0.0)), "b", "certainly earlier by 0.2 s"),
        ((of("a", -30.0, detected_s=0.2, uncertain_s=0.2), of("b", -30.5)), "a", "the network may be as late"),
        ((of("a", -30.0, detected_s=9.0), of("b", -38.0)), "a", "a stalled link is no evidence of a far room"),
    ],
)
def test_who_is_meant(evidence: tuple[Evidence, ...], winner: str, why: str) -> None:
    weights = Weights(level=1.0, snr=0.5, clarity=0.0, onset=20.0, wake_score=3.0, confidence=3.0)
    assert decide(evidence, weights).winner == winner, why


def test_points_are_the_sum_of_their_parts_and_the_margin_is_what_the_next_lacks() -> None:
    decision = decide((of("a", -40.0, wake_score=0.9), of("b", -30.0, wake_score=0.8), of("c", -50.0)), WEIGHTS)
    for standing in decision.standings:
        assert standing.points == pytest.approx(sum(standing.parts.values()))
    assert decision.margin == pytest.approx(decision.standings[0].points - decision.standings[1].points)
    assert decision.first == "a"
    assert decide((of("a", -40.0),), WEIGHTS).margin is None


def test_a_decision_without_anybody_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody"):
        decide((), WEIGHTS)


def test_what_all_satellites_lack_or_share_changes_nothing() -> None:
    one = decide((of("a", -40.0), of("b", -30.0)), WEIGHTS).margin
    other = decide(
        (of("a", -40.0, wake_score=0.7, confidence=0.8), of("b", -30.0, wake_score=0.7, confidence=0.8)), WEIGHTS
    )
    assert other.margin == pytest.approx(one)


class TestHistory:
    """What is learnt of microphones and rooms."""

    @staticmethod
    def lived(gain_db: float, commands: str) -> History:
        """Return the history of a house where b's microphone is louder, and commands were spoken in these rooms."""
        history = History()
        for room in commands:
            near, far = (-30.0, -42.0) if room == "a" else (-42.0, -30.0)
            history.learn({"a": (near, -65.0), "b": (far + gain_db, -60.0)})
        return history

    def test_the_louder_microphone_is_known_when_people_spoke_in_both_rooms(self) -> None:
        for commands in ("ababab", "aaaaaaabbb", "babbbbbbaa"):
            gains = self.lived(8.0, commands).gains_db(["a", "b"])
            assert gains["b"] - gains["a"] == pytest.approx(0.7 * 8.0, abs=0.5), commands

    def test_one_room_alone_teaches_no_gain(self) -> None:
        assert self.lived(8.0, "aaaaaaaa").gains_db(["a", "b"]) == {"a": 0.0, "b": 0.0}

    def test_few_commands_teach_nothing(self) -> None:
        assert self.lived(8.0, "ababa").gains_db(["a", "b"]) == {"a": 0.0, "b": 0.0}

    def test_the_known_gain_gives_the_room_back_to_the_quiet_microphone(self) -> None:
        history = self.lived(14.0, "abababab")
        heard = {"a": -30.0, "b": -42.0 + 14.0}
        gains = history.gains_db(["a", "b"])
        assert decide([of(n, level) for n, level in heard.items()], WEIGHTS).winner == "b", "as it sounds"
        assert decide([of(n, level - gains[n]) for n, level in heard.items()], WEIGHTS).winner == "a", "as it is"

    def test_noise_and_usual_level_follow_slowly(self) -> None:
        history = History()
        assert history.noise_dbfs("a") is None
        history.learn({"a": (-30.0, -60.0)})
        assert history.noise_dbfs("a") == -60.0
        history.learn({"a": (-40.0, -50.0)})
        noise, usual = history.noise_dbfs("a"), history.usual_dbfs("a")
        assert noise is not None
        assert usual is not None
        assert -60.0 < noise < -55.0
        assert -35.0 < usual < -30.0

    def test_what_is_remembered_is_bounded(self) -> None:
        history = History()
        for count in range(1000):
            history.learn({f"s{count}": (-30.0, -60.0), "a": (-30.0, -60.0)})
        for _ in range(REMEMBERED * 3):
            history.learn({"a": (-30.0, -60.0), "s1": (-40.0, -60.0)})
        assert len(history._known) <= 256
        assert all(len(pairs) <= REMEMBERED for pairs in history._pairs.values())
