#!/usr/bin/env bash
# The whole run, from recordings to the model that is shipped. Each stage goes on where it was interrupted, so this may be
# stopped and started at any time; what it makes lies in $HEARTH_TRAIN (default ~/.cache/hearth-train), 6 GB.
#
#   train/run.sh [MINUTES]     training time; 92 on two cores made the first model
#
# Recordings: $HEARTH_SPEECH, a folder with manifest.tsv and a tar a corpus (hearth_train/gather.py says what is in it).
# Needs the train extra: pip install -e '.[server,train]'
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-92}
work=${HEARTH_TRAIN:-$HOME/.cache/hearth-train}
python=${PYTHON:-.venv/bin/python}
stage() { echo "== $1"; shift; "$@"; }

[ -e "$work/voices/usr" ] || stage "voices" train/voices.sh "$work/voices"
stage "gather recordings" "$python" -m hearth_train.gather
stage "synthesise speech" "$python" -m hearth_train.synthesise --hours 8
stage "features" "$python" -m hearth_train.features
stage "train" "$python" -m hearth_train.train --run micro --minutes "$minutes"
stage "evaluate" "$python" -m hearth_train.evaluate "$work/runs/micro/model.pt"
stage "export" "$python" -m hearth_train.export --run micro
stage "fit the card" "$python" bench/calibrate.py "$work/runs/micro/en.onnx" \
  --to server/hearth_server/asr/micro/en.onnx --plot docs/images/micro_reliability.png
cp "$work/runs/micro/curves.png" docs/images/micro_training.png
