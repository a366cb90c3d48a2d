"""From the configuration to what the satellite hears with: microphone, front end, wake words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hearth_core.config_wake import MODEL_ENDINGS

if TYPE_CHECKING:
    from hearth_core.config import MicrophoneConfig, SatelliteConfig, WakeConfig
    from hearth_core.config_wake import WakeWordConfig

    from .microphone import Microphone
    from .near_miss import NearMiss
    from .wake import WakeWord, Word
    from .wake_word import Trigger, WakeEngine
    from .watchdog import Health


def build_wake(config: WakeConfig, *, on_near_miss: Callable[[NearMiss], None] = lambda miss: None) -> WakeWord:
    """Return what wakes the satellite.

    Raises:
        ConfigError: an unknown wake word, or a model that is missing.
        EngineError: the engine's package is missing.
    """
    from .button import NoWakeWord
    from .near_miss import NearMisses
    from .wake import AnySpeech, WakeWords, check_known
    from .wake_word import Trigger

    match trigger_of(config):
        case Trigger.SPEECH:
            return AnySpeech()
        case Trigger.BUTTON:
            return NoWakeWord("pymicro-wakeword" if config.words else "")
    files = [word for word in config.words if word.model.lower().endswith(MODEL_ENDINGS)]
    names = [word for word in config.words if word not in files]
    check_known([word.model for word in names])
    engines: list[WakeEngine] = []
    if names:
        from .wake_micro import MicroEngine

        engines.append(MicroEngine([word.model for word in names]))
    if files:
        from .wake_open import OpenEngine

        engines.append(OpenEngine([Path(word.model) for word in files], features_folder(config)))
    return WakeWords(
        engines,
        {name_of(entry): _word(entry, config) for entry in config.words},
        debounce_s=config.debounce_s,
        before_s=config.before_s,
        near_misses=NearMisses(config.near_misses, told=on_near_miss),
        unsure=config.verify,
    )


def trigger_of(config: WakeConfig) -> Trigger:
    """Return what begins a command.

    Without pymicro-wakeword that is a button, if nobody has named a wake word; who has is told by `build_wake`.
    """
    from .wake_micro import installed
    from .wake_word import Trigger

    if config.engine == "none":
        return Trigger.SPEECH
    named = "words" in config.model_fields_set
    return Trigger.WAKE_WORD if config.words and (named or installed()) else Trigger.BUTTON


def features_folder(config: WakeConfig) -> Path:
    """Return where openWakeWord's feature models are: the folder configured, or the user's own for Hearth."""
    return Path(config.features) if config.features else Path("~/.local/share/hearth/openwakeword").expanduser()


def name_of(word: WakeWordConfig) -> str:
    """Return what a wake word is called on the wire."""
    return Path(word.model).stem if word.model.lower().endswith(MODEL_ENDINGS) else word.model


def _word(entry: WakeWordConfig, config: WakeConfig) -> Word:
    from .wake import Word

    sensitivity = next((value for value in (entry.sensitivity, config.sensitivity) if value is not None), 0.5)
    facts = {"language": entry.language, "area": entry.area, "user": entry.user}
    return Word(sensitivity, entry.threshold, {key: value for key, value in facts.items() if value})


def build_microphone(
    config: SatelliteConfig,
    ready: Callable[[], bool],
    *,
    heeds: Callable[[], bool] | None = None,
    started: Callable[[], bool] = lambda: False,
    files: tuple[Path, ...] = (),
    on_health: Callable[[Health], None] = lambda health: None,
) -> Microphone:
    """Return the microphone; it has not opened anything yet.

    Args:
        config: the satellite's.
        ready: whether a new command is listened for.
        heeds: whether any sound is, of a command that is under way too; `ready` if None.
        started: whether a command is under way that something else has begun. Where only that can begin one, recordings
            wait for it.
        files: recordings, in place of the one configured.
        on_health: told when a sound device dies, and when it works again.
    """
    from hearth_core.audio import PcmFormat

    from .microphone import FileMicrophone, StdinMicrophone
    from .socket_microphone import SocketMicrophone
    from .wake_word import Trigger

    microphone = config.microphone
    audio = PcmFormat(microphone.rate, microphone.width, microphone.channels)
    match microphone.source:
        case "file":
            # The end of speech is to be found in the pause; after a very short command it takes 1 s of silence.
            pause_s = max(1.0, config.vad.silence_s) + 0.5
            paths = files or (Path(microphone.file),)
            begins = started if trigger_of(config.wake) is Trigger.BUTTON else ready
            return FileMicrophone(paths, ready=begins, pause_s=pause_s, realtime=microphone.realtime)
        case "stdin":
            # A button may be pressed as soon as a driver is there.
            return StdinMicrophone(audio, channel=microphone.channel, ready=lambda: ready() or started())
        case "socket":
            return SocketMicrophone(
                microphone.host,
                microphone.port,
                audio,
                protocol=microphone.protocol,
                channel=microphone.channel,
                ready=heeds or ready,
            )
        case "device":
            return _device(microphone, on_health)


def _device(config: MicrophoneConfig, on_health: Callable[[Health], None]) -> Microphone:
    from hearth_core.audio import PcmFormat

    from .microphone import DeviceMicrophone
    from .watchdog import Patience, WatchedMicrophone

    def make(failures: int) -> Microphone:
        audio = PcmFormat(config.rate, 2, config.channels)
        # The first attempt after a fault leaves PortAudio, and with it the speaker, as it is.
        return DeviceMicrophone(config.device, audio, channel=config.channel, refresh=failures > 1)

    if not config.watchdog.enabled:
        return make(0)
    dog = config.watchdog
    patience = Patience(dog.stall_s, dog.zeros_s, dog.retry_s, dog.retry_max_s)
    return WatchedMicrophone(make, patience, on_health=on_health)
