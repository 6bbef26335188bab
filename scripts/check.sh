#!/usr/bin/env bash
# Every check of the project; the tests last, so that their summary closes the output.
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
# Playwright and the asyncio tests want a process each; the others share all cores, a file to a process.
BROWSER=(tests/browser tests/twin/test_map.py)
say "== pytest: in a browser"
pytest "${BROWSER[@]}"
say "== pytest: all others"
exec pytest --numprocesses auto --dist loadfile "${BROWSER[@]/#/--ignore=}"
