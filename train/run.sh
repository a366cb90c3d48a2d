#!/usr/bin/env bash
# The whole run, from recordings to the model that is shipped. Each stage goes on where it was interrupted, so this may be
# stopped and started at any time; what it makes lies in $HEARTH_TRAIN (default ~/.cache/hearth-train), 8 GB.
#
#   train/run.sh [MINUTES] [HOURS]     training time: 16 on an H100 made the model, half as much again made it small,
#                                      and a sixth of it the one that is only pruned, for the table at the end;
#                                      without a GPU, 172 on two cores or more; hours of synthetic speech, 16 and 1.2
#                                      of a neural voice
#   train/run.sh 1 0.2                 tries all stages but the last two: so poor a model cannot get the card
#
# Recordings: $HEARTH_SPEECH, a folder with manifest.tsv and a tar a corpus (hearth_train/gather.py says what is in it).
# Needs the train extra: pip install -e '.[server,train]'. To train on another machine: hearth_train/pack.py.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${HEARTH_TRAIN:-$HOME/.cache/hearth-train}
python=${PYTHON:-.venv/bin/python}
stage() { echo "== $1"; shift; "$@"; }

hours=${2:-16}
neural=$(awk "BEGIN { print $hours * 0.075 }")
shape=(--shape '{"channels": 256, "hidden": 768}')
if "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
  minutes=${1:-16} first=0.25
  how=(--device cuda --batch 600 --consistency 0.2 --rate 3e-3 --average 0.9995 --real 3 "${shape[@]}")
else
  minutes=${1:-172} first=0.23
  how=("${shape[@]}")
fi
first=$(awk "BEGIN { print $minutes * $first }")

# flite is the host's own, and may be gone where the folder is still there.
{ [ -e "$work/voices/.ready" ] && command -v flite > /dev/null; } || stage "voices" train/voices.sh "$work/voices"
stage "gather recordings" "$python" -m hearth_train.gather
stage "label recordings without text" "$python" -m hearth_train.pseudo_label
stage "synthesise speech" "$python" -m hearth_train.synthesise --hours "$hours"
[ -e "$work/kokoro/plan.json" ] || stage "what the neural voice says" "$python" -m hearth_train.kokoro plan --hours "$neural"
stage "the neural voice" "$python" -m hearth_train.kokoro speak
stage "features, noises and rooms" "$python" -m hearth_train.features
# A first model tells which of a word's pronunciations was said; the features get the phones with the next shards made.
if [ ! -e "$work/aligned" ]; then
  stage "train a first model" "$python" -m hearth_train.train --run first --minutes "$first" "${how[@]}"
  stage "which pronunciation was said" "$python" -m hearth_train.align --with "$work/runs/first/model.pt"
  rm -f "$work"/features/{real,synthetic}/*.json
  touch "$work/aligned"
  stage "features" "$python" -m hearth_train.features
fi
stage "train" "$python" -m hearth_train.train --run big --minutes "$minutes" "${how[@]}"
# Half the matrices, then half of the rest: a third and a sixth of the time, each from the weights before. To compare
# with, 60 % of the big one's weights and no shared matrices, in a sixth of the time.
share=$(awk "BEGIN { print $minutes * 0.35 }") prune=$(awk "BEGIN { print $minutes * 0.15 }")
halved=(--shape '{"channels": 256, "hidden": 768, "shared": 2}')
stage "share matrices" "$python" -m hearth_train.train --run shared --start-from "$work/runs/big/model.pt" \
  --minutes "$share" "${how[@]}" "${halved[@]}"
stage "share and prune" "$python" -m hearth_train.train --run both --start-from "$work/runs/shared/model.pt" --prune 0.5 \
  --minutes "$prune" "${how[@]}" --rate 1e-3 "${halved[@]}"
stage "prune alone" "$python" -m hearth_train.train --run pruned --start-from "$work/runs/big/model.pt" --prune 0.6 \
  --minutes "$prune" "${how[@]}" --rate 1e-3
stage "evaluate" "$python" -m hearth_train.evaluate "$work/runs/both/model.pt"
stage "export" "$python" -m hearth_train.export --run both
stage "fit the card" "$python" bench/calibrate.py "$work/runs/both/en.onnx" --most 95 --grid 0.8:1 \
  --to server/hearth_server/asr/micro/en.onnx --plot docs/images/micro_reliability.png
cp "$work/runs/big/curves.png" docs/images/micro_training.png
# The table of docs/micro.md, "How small it can be".
stage "what each step costs" "$python" bench/footprint.py --run big --run shared --run pruned --run both --most 12 \
  --settings 0.8:1
