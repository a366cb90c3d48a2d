#!/usr/bin/env bash
# Get the voices of the synthetic speech: RHVoice and SVOX Pico from Debian trixie into a folder, whatever Debian runs
# here, and flite, festival and espeak-ng from the host's own.
#
#   train/voices.sh FOLDER
#
# RHVoice and Pico look for their data in fixed places, so links to it are made in /usr/share and /etc.
set -euo pipefail
prefix=$(mkdir -p "${1:?folder}" && cd "$1" && pwd)
suite=trixie
apt-get update -qq
apt-get install -y -qq flite festival festvox-kallpc16k festvox-kdlpc16k espeak-ng > /dev/null
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
touch "$prefix/.ready"
