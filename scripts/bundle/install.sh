#!/bin/sh
# Installs CityTwin from this folder alone; no network is asked. usage, as root: ./install.sh [TARGET]
set -eu
cd "$(dirname "$0")"
TARGET=${1:-/opt/citytwin}

say() { printf '%s\n' "$*"; }
stop() { say "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || stop "Installing packages needs root: sudo $0"
machine="$(. /etc/os-release && printf %s "${VERSION_CODENAME-}") $(dpkg --print-architecture)"
[ "$machine" = "$(cat made-for)" ] || stop "This folder is for Debian $(cat made-for), and this machine is $machine."

say "== checksums"
sha256sum --quiet --check SHA256SUMS || stop "A file of this folder is damaged or missing; copy it again."

say "== Debian packages"
# Only this folder is asked, whatever sources the machine has; what it has installed in good versions stays.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/more"
printf 'deb [trusted=yes] file:%s ./\n' "$PWD/debian" >"$work/sources.list"
apt() {
    DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 --option Dir::Etc::SourceList="$work/sources.list" \
        --option Dir::Etc::SourceParts="$work/more" --option Dir::State::Lists="$work/lists" \
        --option APT::Sandbox::User=root "$@"
}
# CityTwin runs a PostgreSQL of its own; Debian would lay down and start another one beside it.
mkdir -p /etc/postgresql-common/createcluster.d
echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/citytwin.conf
apt update
apt install --yes --no-install-recommends postgresql postgresql-postgis mosquitto python3 python3-venv \
    fonts-noto-cjk fontconfig libexpat1 >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
rm -f /etc/postgresql-common/createcluster.d/citytwin.conf

say "== Python packages in $TARGET"
python3 -m venv --clear "$TARGET/python"
"$TARGET/python/bin/pip" --isolated install --quiet --no-index --find-links "$PWD/wheels" --require-hashes --requirement requirements.txt
"$TARGET/python/bin/pip" --isolated install --quiet --no-index --no-deps wheels/citytwin-*.whl

say "== viewer and documents"
rm -rf "$TARGET/viewer" "$TARGET/docs" "$TARGET/deploy"
cp -r viewer docs deploy "$TARGET/"
# The command finds the viewer wherever it is called.
cat >"$TARGET/twin" <<END
#!/bin/sh
TWIN_VIEWER=\${TWIN_VIEWER:-$TARGET/viewer} exec $TARGET/python/bin/twin "\$@"
END
chmod 755 "$TARGET/twin"
ln -sf "$TARGET/twin" /usr/local/bin/twin

say "== look at the machine"
twin doctor || stop "The above is missing; see $TARGET/docs/operator.md."
say "Installed. A made-up city to look at: twin run. As a service: $TARGET/deploy/citytwin.service"
