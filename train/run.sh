#!/usr/bin/env bash
# The whole run, from recordings to the model that is shipped. Each stage goes on where it was interrupted, so this may be
# stopped and started at any time; what it makes lies in $HEARTH_TRAIN (default ~/.cache/hearth-train), 6 GB.
#
#   train/run.sh [MINUTES]     training time, half of it for each of two runs; 172 on two cores made the model
#
# Recordings: $HEARTH_SPEECH, a folder with manifest.tsv and a tar a corpus (hearth_train/gather.py says what is in it).
# Needs the train extra: pip install -e '.[server,train]'
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-172}
work=${HEARTH_TRAIN:-$HOME/.cache/hearth-train}
python=${PYTHON:-.venv/bin/python}
stage() { echo "== $1"; shift; "$@"; }

[ -e "$work/voices/.ready" ] || stage "voices" train/voices.sh "$work/voices"
stage "gather recordings" "$python" -m hearth_train.gather
stage "label recordings without text" "$python" -m hearth_train.pseudo_label
stage "synthesise speech" "$python" -m hearth_train.synthesise --hours 8
stage "features" "$python" -m hearth_train.features
# The second run goes on at full augmentation with a rate that rises again: it gets out of where the first one settled.
stage "train" "$python" -m hearth_train.train --run micro --minutes $((minutes / 2))
stage "train on" "$python" -m hearth_train.train --run micro2 --minutes $((minutes / 2)) --rate 1.5e-3 \
  --start-from "$work/runs/micro/model.pt"
stage "evaluate" "$python" -m hearth_train.evaluate "$work/runs/micro2/model.pt"
stage "export" "$python" -m hearth_train.export --run micro2
stage "fit the card" "$python" bench/calibrate.py "$work/runs/micro2/en.onnx" \
  --to server/hearth_server/asr/micro/en.onnx --plot docs/images/micro_reliability.png
cp "$work/runs/micro2/curves.png" docs/images/micro_training.png
