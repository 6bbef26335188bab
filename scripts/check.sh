#!/usr/bin/env bash
# Every check of the project; pytest last, so that its summary closes the output.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh
PATH=$PWD/.venv/bin:$PATH

shown "ruff: rules" ruff check .
shown "ruff: format" ruff format --check .
shown "mypy" mypy
shown "import-linter" lint-imports
if [ -e viewer/package-lock.json ]; then
    shown "Viewer: types" npm --prefix viewer run check
    shown "Viewer: tests" npm --prefix viewer test
fi
say "== pytest"
exec pytest
