#!/usr/bin/env bash
# Makes this checkout ready to run or to be tested: system packages, Python environment, viewer.
# usage: scripts/setup.sh run|test
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

PURPOSE=${1:?usage: scripts/setup.sh run|test}
# Vite 8 asks for it, and Debian 12 has 18.
NODE_OLDEST=20.19

# --- what the system has

has_postgis() {
    local config
    for config in /usr/lib/postgresql/*/bin/pg_config /usr/pgsql-*/bin/pg_config "$(command -v pg_config || true)"; do
        if [ -x "$config" ] && [ -x "$("$config" --bindir)/initdb" ] &&
            [ -e "$("$config" --sharedir)/extension/postgis.control" ]; then
            return 0
        fi
    done
    return 1
}

# The first Python that is new enough and can make environments.
find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

has_node() {
    command -v npm >/dev/null && command -v node >/dev/null &&
        [ "$(printf '%s\n' "$NODE_OLDEST" "$(node --version | tr -d v)" | sort -V | head -n 1)" = "$NODE_OLDEST" ]
}

has_mosquitto() { PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mosquitto >/dev/null; }

has_chinese_font() { find /usr/share/fonts /usr/local/share/fonts -iname '*noto*cjk*' 2>/dev/null | grep -q .; }

# need WHAT PACKAGE...: note a thing that is missing, and Debian's packages that bring it
need() { MISSING+=("  $1") MISSING_PACKAGES+=("${@:2}"); }

find_missing() {
    MISSING=() MISSING_PACKAGES=()
    has_postgis || need "PostgreSQL 15 or newer (server) with PostGIS 3" postgresql postgresql-postgis
    find_python >/dev/null || need "Python 3.11 or newer with venv" python3 python3-venv
    has_mosquitto || need "the MQTT broker Mosquitto" mosquitto
    has_chinese_font || need "the fonts Noto Sans CJK" fonts-noto-cjk
    if [ "$PURPOSE" = test ]; then
        command -v chromium >/dev/null || need "Chromium, as the command chromium" chromium
        command -v ogrinfo >/dev/null || need "GDAL's commands (ogrinfo)" gdal-bin
        command -v qgis_process >/dev/null || need "QGIS with its Python" qgis python3-qgis qgis-providers
        command -v osmium >/dev/null || need "osmium-tool, as the command osmium" osmium-tool
    fi
}

# --- steps

system_packages() {
    find_missing
    if [ ${#MISSING[@]} = 0 ]; then
        say "== System packages: all there"
        return
    fi
    local wanted
    wanted=$(printf '%s\n' "This system lacks:" "${MISSING[@]}")
    command -v apt-get >/dev/null || stop "$wanted
There is no apt-get here to install it with. Install it, then run make again."
    AS_ROOT=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || stop "$wanted
As root, run: apt-get install --no-install-recommends ${MISSING_PACKAGES[*]}
then run make again."
        say "$wanted"
        say "sudo is asked for the right to install it."
        sudo -v
        AS_ROOT=(sudo)
    fi
    quiet "System packages (${MISSING_PACKAGES[*]})" install_packages
    find_missing
    [ ${#MISSING[@]} = 0 ] || stop "$(printf '%s\n' "Installed, and still missing:" "${MISSING[@]}")"
}

# Steps run inside a test, where "set -e" does not hold: each command says for itself that the next may follow.

install_packages() {
    # Debian would lay down and start a cluster of its own; ours is private, and nobody else's is needed. The file
    # goes again: a PostgreSQL that this machine's owner installs later is not our business.
    local no_cluster=/etc/postgresql-common/createcluster.d/citytwin.conf status=0
    "${AS_ROOT[@]}" mkdir -p "${no_cluster%/*}" &&
        echo "create_main_cluster = false" | "${AS_ROOT[@]}" tee "$no_cluster" &&
        "${AS_ROOT[@]}" apt-get update &&
        "${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install --yes --no-install-recommends "${MISSING_PACKAGES[@]}" || status=$?
    "${AS_ROOT[@]}" rm -f "$no_cluster"
    return "$status"
}

python_environment() {
    local lock=requirements/server.txt python
    # An environment for the tests is one to run in, too.
    if [ "$PURPOSE" = test ] || [ -x .venv/bin/pytest ]; then
        lock=requirements/dev.txt
    fi
    python=$(find_python)
    once "Python environment (some 540 MB the first time, of these 165 SUMO)" "$(content "$lock" setup.cfg pyproject.toml) $PWD $("$python" --version)" \
        .venv/bin/twin install_environment "$python" "$lock"
}

install_environment() {
    { .venv/bin/python -c '' || "$1" -m venv --clear .venv; } &&
        .venv/bin/python -m pip install --quiet --require-hashes --requirement "$2" &&
        .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
}

supply_node() {
    if ! has_node; then
        once "Node.js (in a Python wheel)" "$(content requirements/node.txt) $PWD" .venv/bin/npm \
            .venv/bin/python -m pip install --quiet --require-hashes --requirement requirements/node.txt
        PATH=$PWD/.venv/bin:$PATH
    fi
}

build_viewer() {
    once "Viewer's packages" "$(content viewer/package-lock.json) $(node --version)" \
        viewer/node_modules/.package-lock.json npm --prefix viewer ci --no-audit --no-fund
    once "Viewer" "$(content viewer) $(node --version)" viewer/dist/index.html npm --prefix viewer run build
}

# What the answers of WFS are judged by; too large to stand in the project, and Maven alone has it as one file.
ogc_schemas() {
    local archive=ogc-schemas-2.6.1
    if ! command -v mvn >/dev/null; then
        say "== Schemas of the OGC: no Maven (mvn) here to fetch them with, so that their tests are left out"
        return
    fi
    # The other tests need not wait for a repository that does not answer.
    (once "Schemas of the OGC" "$archive" "build/$archive.jar" mvn --batch-mode --quiet \
        org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
        -Dartifact="org.jvnet.ogc:${archive/%-2.6.1/:2.6.1}" -DoutputDirectory="$PWD/build") ||
        say "== Schemas of the OGC: not fetched, so that their tests are left out"
}

system_packages
python_environment
if [ "$PURPOSE" = test ]; then
    ogc_schemas
fi
if [ -e viewer/package-lock.json ]; then
    supply_node
    build_viewer
fi
