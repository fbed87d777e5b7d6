#!/usr/bin/env bash
# Installs what is missing on a Debian machine that has Rust and Node. Without arguments: what
# building and testing need. With arguments: these tools.
set -euo pipefail
cd "$(dirname "$0")/.."

sudo=""
if [ "$(id -u)" != 0 ]; then sudo="sudo"; fi

# Debian packages by the program that tells whether they are there.
debian() {
  local missing=()
  while [ $# -gt 0 ]; do
    if ! eval "$1" >/dev/null 2>&1; then missing+=("$2"); fi
    shift 2
  done
  if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
}

cargo_tool() {
  if ! command -v "$1" >/dev/null; then
    echo "installing $1"
    cargo install --locked --quiet "$1"
  fi
}

# The Python libraries of the tests, in a place of their own, made anew when their list has changed.
python_packages() {
  local list="$PWD/tests/python/requirements.txt" venv="$PWD/target/python"
  if ! cmp -s "$list" "$venv/requirements.txt"; then
    echo "installing the tests' Python libraries"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$list"
    cp "$list" "$venv/requirements.txt"
  fi
}

if [ $# -eq 0 ]; then
  command -v cargo >/dev/null || { echo "Rust is missing: install it with rustup, then try again" >&2; exit 1; }
  command -v npm >/dev/null || { echo "Node.js 20.19 or newer is missing: install it, then try again" >&2; exit 1; }
  debian \
    "command -v cc" gcc \
    "compgen -G '/usr/lib/postgresql/*/bin/initdb'" postgresql \
    "command -v psql" postgresql-client \
    "command -v chromium" chromium \
    "compgen -G '/usr/share/fonts/opentype/noto/NotoSansCJK*'" fonts-noto-cjk \
    "command -v curl" curl \
    "command -v jq" jq \
    "command -v promtool" prometheus \
    "python3 -m venv --help && python3 -m ensurepip --version" python3-venv
  python_packages
  cargo_tool cargo-nextest
fi

for tool in "$@"; do
  case "$tool" in
    cargo-* | oha) cargo_tool "$tool" ;;
    *) debian "command -v $tool" "$tool" ;;
  esac
done
