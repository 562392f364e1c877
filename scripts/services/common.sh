# What the scripts beside this have in common; they read it in.

cache=${CHECK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tegami}
services=$(realpath -m "${SERVICES_DIR:-$cache/services}")

say() { echo "$(basename "$0"): $*" >&2; }
die() { say "$@"; exit 1; }
privileged() { [ "$(id -u)" = 0 ]; }

within() { # within SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# One at a time: for an installation, and for each instance.
alone() { # alone FOLDER COMMAND...
    mkdir -p "$1"
    exec 9>"$1/lock"
    flock 9
    "${@:2}"
}

# Installs packages of this machine that are not there.
packages() {
    dpkg -s "$@" >/dev/null 2>&1 && return
    if ! privileged || ! command -v apt-get >/dev/null; then die "needs root and apt; by hand: apt-get install $*"; fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}
