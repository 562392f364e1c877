#!/usr/bin/env bash
# A private PostgreSQL for tests, on loopback only.
#
#   scripts/services/postgres.sh install     fetch the server (root and apt; once)
#   scripts/services/postgres.sh start       start it and wait until it answers; prints NAME=VALUE lines
#   scripts/services/postgres.sh stop        end it in good order
#   scripts/services/postgres.sh kill9       end it as a power cut would
#   scripts/services/postgres.sh freeze      let it hang: connections stay open, nothing moves
#   scripts/services/postgres.sh thaw        let it go on
#   scripts/services/postgres.sh status      the lines of start, or an error
#   scripts/services/postgres.sh sql TEXT    what the server answers to these statements, as its superuser
#   scripts/services/postgres.sh names       the instances that were started and not stopped
#
# Only the NAME=VALUE lines go to stdout:  eval "$(scripts/services/postgres.sh start)"; psql "$POSTGRES_URL"
# `start` also mends: it thaws a frozen server and leaves one that answers alone. What was committed survives stop, kill9
# and start; remove an instance's folder while it is stopped to begin anew.
#
#   SERVICES_DIR      where all of it lives (default: what scripts/check uses)
#   POSTGRES_NAME     the instance, a folder in SERVICES_DIR (default: postgres)
#   POSTGRES_PORT     its port (default: 17760)
#   POSTGRES_WAIT     seconds that start and stop may take (default: 60)
#
# `install` takes the package of this machine (15 on bookworm) and starts none of its own clusters. A server never runs as
# root: where this script does, it becomes the package's user, `postgres`.
# Give two instances two names and two ports, and they run side by side, out of one installation.
set -euo pipefail

source "$(dirname "$0")/common.sh"
dir=$services/${POSTGRES_NAME:-postgres}
port=${POSTGRES_PORT:-17760}
wait_s=${POSTGRES_WAIT:-60}
password=tegami # of a server that nobody else can reach


# The newest of the servers that are installed.
bin() {
    local found
    found=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1) || true
    [ -n "$found" ] || die "not installed; run: $0 install"
    echo "$found"
}

# As who owns the data, who may pass through folders of others to get there.
as_owner() {
    if privileged; then
        exec setpriv --reuid=postgres --regid=postgres --clear-groups \
            --inh-caps=+dac_read_search --ambient-caps=+dac_read_search "$@"
    fi
    exec "$@"
}

# Does the server run, and is it ours? (not so for a zombie or a reused pid)
pid() { head -n 1 "$dir/data/postmaster.pid" 2>/dev/null; }
alive() {
    local found
    found=$(pid) && [ -n "$found" ] && grep -qsxzF -- "$dir/data" "/proc/$found/cmdline"
}
running() { alive || die "not running"; }
sql() { PGPASSWORD=$password "$(bin)/psql" -qAtX -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U tegami tegami <<<"$1"; }
answers() { sql 'select 1' >/dev/null 2>&1; }
gone() { ! alive; }
settled() { answers || gone; }
# To the server and all of its children: each is a process group of its own.
send() { # send SIGNAL
    local first
    first=$(pid)
    # shellcheck disable=SC2046 # a list of words
    kill "-$1" "$first" $(pgrep -P "$first") 2>/dev/null || true
}

lines() {
    echo "POSTGRES_URL=postgres://tegami:$password@127.0.0.1:$port/tegami"
    echo "POSTGRES_PID=$(pid)"
}

start() {
    if alive; then send CONT; else begin; fi
    within "$wait_s" settled || die "not ready after $wait_s s: see $dir/log"
    alive || die "ended while starting: see $dir/log"
    lines
}

begin() {
    local postgres
    postgres=$(bin)
    if [ ! -e "$dir/whole" ]; then cluster "$postgres"; fi
    # Whoever died left its number behind, which may be another's by now.
    rm -f "$dir/data/postmaster.pid"
    (as_owner setsid "$postgres/postgres" -D "$dir/data" -p "$port" -h 127.0.0.1 -k '') \
        </dev/null >>"$dir/log" 2>&1 9>&- &
    within 10 alive || die "ended at once: see $dir/log"
}

# Data of its own; it counts once it is whole.
cluster() { # cluster BIN
    rm -rf "$dir/data"
    mkdir -p "$dir/data"
    if privileged; then chown postgres:postgres "$dir/data"; fi
    (as_owner "$1/initdb" -D "$dir/data" -U tegami --encoding=UTF8 --locale=C --auth=scram-sha-256 \
        --pwfile=<(echo "$password") >"$dir/initdb.log" 2>&1) || die "no cluster: see $dir/initdb.log"
    # Small, for many of them run at once; everything that a crash needs is on.
    cat >>"$dir/data/postgresql.conf" <<'CONF'
shared_buffers = 32MB
max_connections = 200
logging_collector = off
log_line_prefix = '%m [%p] '
CONF
    (as_owner "$1/postgres" --single -D "$dir/data" postgres <<<'CREATE DATABASE tegami' >>"$dir/initdb.log" 2>&1) ||
        die "no database: see $dir/initdb.log"
    touch "$dir/whole"
}

status() {
    answers || die "runs, but does not answer"
    lines
}

stop() { # stop SIGNAL: INT is the server's fast shutdown
    if alive; then
        send CONT
        kill "-$1" "$(pid)"
        within "$wait_s" gone || kill_late
    fi
}

kill9() {
    if alive; then
        send KILL
        within 5 gone || die "still running"
    fi
}

kill_late() {
    say "no end in $wait_s s: kill -9"
    kill9
}

install() {
    if compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; then return; fi
    if privileged; then
        # Without a cluster of the system's.
        mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    fi
    packages postgresql
}

names() {
    local found
    for found in "$services"/*/data/postmaster.pid; do
        if [ -e "$found" ]; then basename "$(dirname "$(dirname "$found")")"; fi
    done
}

case ${1:-} in
    install) alone "$services" install >&2 ;;
    start) alone "$dir" start ;;
    stop) alone "$dir" stop INT ;;
    kill9) alone "$dir" kill9 ;;
    freeze) running && send STOP ;;
    thaw) running && send CONT ;;
    status) running && status ;;
    sql) running && sql "${2:?which statements?}" ;;
    names) names ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0" ;;
    *) say "what to do? There are: install start stop kill9 freeze thaw status sql names --help" && exit 2 ;;
esac
