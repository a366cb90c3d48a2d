"""A Whisper model of a few kilobytes in CTranslate2's format, which says one word whatever it hears.

Its encoder is random; its decoder is a chain: every token's embedding points at the next one's projection.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs.whisper_spec import WhisperSpec
from faster_whisper.tokenizer import _LANGUAGE_CODES
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

WIDTH, HEADS, MELS = 16, 2, 80

_LETTERS = sorted(pre_tokenizers.ByteLevel.alphabet())
_SPECIALS = [
    "<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in _LANGUAGE_CODES), "<|translate|>",
    "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
]  # fmt: skip
_TIMES = [f"<|{step * 0.02:.2f}|>" for step in range(1501)]
_VOCABULARY = [*_LETTERS, *_SPECIALS, *_TIMES]

Floats = NDArray[np.float32]


def build(folder: Path, word: str = "lamp", *, sure: float = 10.0, speech: bool = True) -> Path:
    """Write the model.

    Args:
        word: at most 12 different letters.
        sure: how much likelier the word is than anything else; about 0 is not at all.
        speech: whether it takes what it hears for speech.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    spec = WhisperSpec(1, HEADS, 1, HEADS)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = _noise(random, WIDTH, MELS, 3), _noise(random, WIDTH)
    encoder.conv2.weight, encoder.conv2.bias = _noise(random, WIDTH, WIDTH, 3), _noise(random, WIDTH)
    encoder.position_encodings.encodings = _noise(random, 1500, WIDTH)
    decoder.position_encodings.encodings = _noise(random, 448, WIDTH) * np.float32(0.01)
    decoder.embeddings.weight, decoder.projection.weight = _chain(word, sure, speech)
    for part in (encoder, decoder):
        _norm(part.layer_norm)
        for layer in part.layer:
            quiet = 0.01 if part is decoder else 1.0  # the chain must be heard through the decoder
            _attention(random, layer.self_attention, [3 * WIDTH, WIDTH], quiet)
            if part is decoder:
                _attention(random, layer.attention, [WIDTH, 2 * WIDTH, WIDTH], quiet)
            _norm(layer.ffn.layer_norm)
            _linear(random, layer.ffn.linear_0, 4 * WIDTH, WIDTH)
            _linear(random, layer.ffn.linear_1, WIDTH, 4 * WIDTH, quiet)
    spec.register_vocabulary(_VOCABULARY)
    first = len(_LETTERS)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [first]
    spec.config.alignment_heads = [(0, 0)]
    spec.config.lang_ids = list(range(first + 2, first + 2 + len(_LANGUAGE_CODES)))
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    _tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"feature_size": MELS, "sampling_rate": 16000, "hop_length": 160, "n_fft": 400, "chunk_length": 30})
    )
    return folder


def _chain(word: str, sure: float, speech: bool) -> tuple[Floats, Floats]:
    tokens = ["<|notimestamps|>", *word, "<|endoftext|>"]
    embeddings = np.zeros((len(_VOCABULARY), WIDTH), np.float32)
    projection = np.zeros((len(_VOCABULARY), WIDTH), np.float32)
    for place, (token, following) in enumerate(itertools.pairwise(tokens)):
        embeddings[_VOCABULARY.index(token), place] = 1
        projection[_VOCABULARY.index(following), place] = sure
    embeddings[_VOCABULARY.index("<|startoftranscript|>"), WIDTH - 1] = 1
    projection[_VOCABULARY.index("<|nospeech|>"), WIDTH - 1] = 0 if speech else 10
    return embeddings, projection


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(_LETTERS)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([*_SPECIALS, *_TIMES])
    return tokenizer


def _noise(random: np.random.Generator, *shape: int) -> Floats:
    return random.normal(0, 0.3, shape).astype(np.float32)


def _linear(random: np.random.Generator, spec: Any, out: int, into: int, scale: float = 1.0) -> None:
    spec.weight, spec.bias = _noise(random, out, into) * np.float32(scale), _noise(random, out) * np.float32(scale)


def _attention(random: np.random.Generator, spec: Any, sizes: list[int], scale: float) -> None:
    _norm(spec.layer_norm)
    for linear, size in zip(spec.linear, sizes, strict=True):
        _linear(random, linear, size, WIDTH, scale)


def _norm(spec: Any) -> None:
    spec.gamma, spec.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
