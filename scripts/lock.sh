#!/usr/bin/env bash
# Pins every package that setup.cfg asks for, with hashes, for all systems and Pythons from 3.11 on.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 -m venv build/lock
build/lock/bin/python -m pip install --quiet uv

# pin OUTPUT INPUT...: versions already pinned stay, unless called with --upgrade
pin() {
    local output=$1
    shift
    build/lock/bin/uv pip compile "$@" --output-file "$output" --universal --python-version 3.11 --generate-hashes \
        --no-annotate --no-emit-index-url --custom-compile-command "make lock" --quiet
}

pin requirements/server.txt setup.cfg requirements/build.in --extra server --extra engines "$@"
pin requirements/dev.txt setup.cfg requirements/build.in --extra server --extra engines --extra dev \
    --constraint requirements/server.txt "$@"
pin requirements/node.txt requirements/node.in "$@"
