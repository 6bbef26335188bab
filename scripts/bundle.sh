#!/usr/bin/env bash
# Makes one folder that installs CityTwin on a bare Debian without any network: packages, wheels, viewer, checksums.
# usage: scripts/bundle.sh FOLDER          (on the same release and processor as the machine that it is for)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

FOLDER=${1:?usage: scripts/bundle.sh FOLDER}
# What scripts/setup.sh needs to run, less what only builds.
PACKAGES=(postgresql postgresql-postgis mosquitto python3 python3-venv fonts-noto-cjk fontconfig libexpat1 ca-certificates)

# Files of Debian packages and of all they depend on, as if nothing were installed: what is there, apt leaves alone.
debian_packages() {
    local state=$PWD/build/bundle-apt
    mkdir -p "$state/archives/partial" "$FOLDER/debian" &&
        apt-get --option Dir::State::status=/dev/null --option Dir::Cache::archives="$state/archives" \
            --option APT::Sandbox::User=root --option Debug::NoLocking=1 \
            --yes --no-install-recommends --download-only install "${PACKAGES[@]}" &&
        cp "$state"/archives/*.deb "$FOLDER/debian/" &&
        (cd "$FOLDER/debian" && index_packages >Packages)
}

# An index as apt reads it; every control field of each package, and where its file is.
index_packages() {
    local file
    for file in *.deb; do
        dpkg-deb --field "$file"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' \
            "$file" "$(stat --format %s "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
    done
}

wheels() {
    .venv/bin/python -m pip download --quiet --require-hashes --only-binary :all: \
        --requirement requirements/server.txt --dest "$FOLDER/wheels" &&
        .venv/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$FOLDER/wheels" .
}

the_rest() {
    cp -r viewer/dist "$FOLDER/viewer" &&
        cp requirements/server.txt "$FOLDER/requirements.txt" &&
        cp -r deploy docs "$FOLDER/" &&
        cp LICENSE "$FOLDER/" &&
        install -m 755 scripts/bundle/install.sh "$FOLDER/install.sh" &&
        (. /etc/os-release && printf '%s %s\n' "$VERSION_CODENAME" "$(dpkg --print-architecture)") >"$FOLDER/made-for"
}

checksums() {
    (cd "$FOLDER" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS)
}

[ -e viewer/dist/index.html ] || stop "The viewer is not built; run make setup first."
[ ! -e "$FOLDER" ] || stop "$FOLDER is there already; name another folder."
mkdir -p "$FOLDER"
FOLDER=$(realpath "$FOLDER")
quiet "Debian packages" debian_packages
quiet "Wheels" wheels
quiet "Viewer, documents, install script" the_rest
quiet "Checksums" checksums
say "== $FOLDER: $(du -sh "$FOLDER" | cut -f1). Carry it over; as root there: ./install.sh"
