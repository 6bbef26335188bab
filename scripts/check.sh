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
# Real browsers, brokers and databases on a busy machine now and then miss a moment: a test is tried twice before the
# whole check fails, and the summary names as RERUN each that needed it.
TRIES=(--reruns 1 -raR)
outcome=0
say "== pytest: in a browser"
pytest "${TRIES[@]}" "${BROWSER[@]}" || outcome=$?
say "== pytest: all others"
pytest "${TRIES[@]}" --numprocesses auto --dist loadfile "${BROWSER[@]/#/--ignore=}" || outcome=$?
exit $outcome
