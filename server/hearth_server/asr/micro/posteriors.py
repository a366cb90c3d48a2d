"""What the model makes of a stream: for every 30 ms how likely each phone is, late by its look-ahead."""

from __future__ import annotations

from typing import Final

import numpy as np

from hearth_core.log_mel import MELS, STACK, LogMel, Mel

from .model import ENDLESS, OUTPUTS, WIDTH, Cache, LogProbs, MicroModel

# 240 ms. A call costs as much as encoding seven frames does, so half of that takes 1.4 times the CPU in all.
# The end of an utterance does not wait for a chunk (`peek`), only readings so far do.
CHUNK: Final = 8  # encoder frames


def at_all_phases(model: MicroModel, mel: Mel) -> LogProbs:
    """Return the mean of what the model makes of an utterance if its frames begin 0, 10 and 20 ms later.

    How well phones fit hangs on where the frames of 30 ms happen to begin: of one recording a sentence had chances of
    0.42 to 0.98 by that alone. The mean hangs on it less, for three times the encoder.

    Args:
        model: any.
        mel: all of the utterance's features, shape (m, MELS).

    Returns:
        Natural log of the mean probabilities, shape (m // STACK or one less, OUTPUTS).
    """
    heard = [_to_the_end(model, mel[phase:], model.cache()) for phase in range(STACK)]
    frames = min(map(len, heard))
    mean: LogProbs = np.logaddexp.reduce([each[:frames] for each in heard], axis=0) - np.float32(np.log(STACK))
    return mean


def _to_the_end(model: MicroModel, mel: Mel, cache: Cache, encoded: int = 0, known: int = 0) -> LogProbs:
    """Return the rest of an utterance that ends with these features, of which so many frames were encoded and known."""
    count, delay = len(mel) // STACK, model.card.delay
    end = encoded + count
    wanted = end - known
    if not wanted:
        return np.zeros((0, OUTPUTS), np.float32)
    features = np.zeros((count + delay, WIDTH), np.float32)
    features[:count] = mel[: count * STACK].reshape(count, WIDTH)
    log_probs, _ = model.run(features, encoded, end, cache)
    return log_probs[len(log_probs) - wanted :]


class Posteriors:
    """One utterance's features and encoder. The log-probabilities are those of the whole, however it was cut.

    Attributes:
        mel: the frames of features that the last `feed` completed.
        frames: log-probabilities given out so far.
    """

    def __init__(self, model: MicroModel, chunk: int = CHUNK) -> None:
        self.mel: Mel = np.zeros((0, MELS), np.float32)
        self.frames = 0
        self._model = model
        self._chunk = chunk
        self._log_mel = LogMel()
        self._held: Mel = self.mel  # not encoded yet
        self._encoded = 0
        self._cache = model.cache()

    def feed(self, pcm: bytes) -> LogProbs:
        """Take the next audio, 16 kHz s16le mono, whole samples; return what is known by it, shape (m, OUTPUTS)."""
        self.mel = self._log_mel.feed(pcm)
        if len(self.mel):
            self._held = np.concatenate((self._held, self.mel)) if len(self._held) else self.mel
        count = len(self._held) // (self._chunk * STACK) * self._chunk
        if not count:
            return np.zeros((0, OUTPUTS), np.float32)
        features = self._held[: count * STACK].reshape(count, WIDTH)
        self._held = self._held[count * STACK :]
        log_probs, self._cache = self._model.run(features, self._encoded, ENDLESS, self._cache)
        self._encoded += count
        known = max(0, self._encoded - self._model.card.delay) - self.frames
        self.frames += known
        return log_probs[count - known :]

    def peek(self) -> LogProbs:
        """Return what would follow if the audio ended here; the stream goes on as if it had not been asked."""
        return _to_the_end(self._model, self._held, self._cache, self._encoded, self.frames)

    def flush(self) -> LogProbs:
        """End the utterance; return the rest. A remainder of less than one encoder frame is dropped."""
        rest = self.peek()
        self.frames += len(rest)
        self._held = self._held[:0]
        self._encoded = self.frames
        return rest
