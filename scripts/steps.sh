# shellcheck shell=bash
# Steps of a set-up: each says its name, what it cost, and is left out when nothing it depends on has changed.
# Sourced by the other scripts, from the top of the checkout.

LOGS=build/setup

# say TEXT...: one line for the reader
say() { printf '%s\n' "$*"; }

# stop TEXT...: end with a message
stop() { printf '\n%s\n' "$*" >&2; exit 1; }

# elapsed SINCE: seconds since a value of EPOCHREALTIME, with one decimal
elapsed() { awk -v since="${1/,/.}" -v now="${EPOCHREALTIME/,/.}" 'BEGIN { printf "%.1f", now - since }'; }

# shown TITLE COMMAND...: run a step whose output is what the reader wants to see
shown() {
    local title=$1 since=$EPOCHREALTIME
    shift
    say "== $title"
    "$@"
    say "== $title: $(elapsed "$since") s"
}

# quiet TITLE COMMAND...: run a step whose output matters only if it fails
quiet() {
    local title=$1 since=$EPOCHREALTIME log
    shift
    log=$LOGS/$(printf '%s' "$title" | tr -c 'A-Za-z0-9' '-').log
    mkdir -p "$LOGS"
    printf '== %s ... ' "$title"
    if "$@" >"$log" 2>&1 </dev/null; then
        say "$(elapsed "$since") s"
    else
        say "failed after $(elapsed "$since") s"
        tail -n 30 "$log" >&2
        stop "$title failed; the whole output is in $log"
    fi
}

# content PATH...: one hash of files and of all files in folders, names included
content() {
    find "$@" \( -name node_modules -o -name dist \) -prune -o -type f -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# once TITLE KEY RESULT COMMAND...: run a step quietly unless it ran for the same key and its result stands
once() {
    local title=$1 key=$2 result=$3 stamp
    shift 3
    stamp=$LOGS/$(printf '%s' "$title" | tr -c 'A-Za-z0-9' '-').done
    if [ -e "$result" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then
        say "== $title: done before"
        return
    fi
    rm -f "$stamp"
    quiet "$title" "$@"
    printf '%s\n' "$key" >"$stamp"
}
