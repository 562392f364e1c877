#!/usr/bin/env bash
# A private RabbitMQ for tests, on loopback only.
#
#   scripts/services/rabbitmq.sh install     fetch the server (root and apt; once)
#   scripts/services/rabbitmq.sh start       start it and wait until it answers; prints NAME=VALUE lines
#   scripts/services/rabbitmq.sh stop        end it in good order
#   scripts/services/rabbitmq.sh kill9       end it as a power cut would
#   scripts/services/rabbitmq.sh remove      end it, with all its queues and messages: it begins anew
#   scripts/services/rabbitmq.sh freeze      let it hang: connections stay open, nothing moves
#   scripts/services/rabbitmq.sh thaw        let it go on
#   scripts/services/rabbitmq.sh status      the lines of start, or an error
#   scripts/services/rabbitmq.sh ctl ARGS    rabbitmqctl, such as: ctl list_queues name messages
#   scripts/services/rabbitmq.sh names       the instances that were started and not stopped
#
# Only the NAME=VALUE lines go to stdout:  eval "$(scripts/services/rabbitmq.sh start)"; echo "$AMQP_URL"
# `start` also mends: it thaws a frozen broker and leaves one that answers alone. Queues and messages survive
# stop, kill9 and start.
#
#   SERVICES_DIR      where all of it lives (default: what scripts/check uses)
#   RABBITMQ_RELEASE  empty: the package of this machine (3.10 on bookworm). Else the Debian release to take it from
#                     (trixie: 4.0), installed once into SERVICES_DIR/roots; running it needs root
#   RABBITMQ_NAME     the instance, a folder in SERVICES_DIR (default: rabbitmq, or rabbitmq-RELEASE)
#   RABBITMQ_BASE     the first of four ports (default: 17670, or 17680 with a release):
#                     +0 AMQP, +1 AMQPS, +2 Erlang, +3 epmd
#   RABBITMQ_PLUGINS  comma list (default: none, which starts soonest)
#   RABBITMQ_WAIT     seconds that start and stop may take (default: 60)
#
# `install` takes a whole Debian package: where systemd runs, that also starts a server of the system's own, which
# nothing here needs (systemctl disable --now rabbitmq-server).
# Give two instances two names and two bases, and they run side by side, out of one installation.
set -euo pipefail

source "$(dirname "$0")/common.sh"
release=${RABBITMQ_RELEASE:-}
dir=$services/${RABBITMQ_NAME:-rabbitmq${release:+-$release}}
base=${RABBITMQ_BASE:-$([ -z "$release" ] && echo 17670 || echo 17680)}
wait_s=${RABBITMQ_WAIT:-60}

# How to run a command where the server is installed: here, or in a root that sees the same folder at the same path.
root='' enter=()
if [ -n "$release" ]; then
    root=$services/roots/$release
    # shellcheck disable=SC2016 # expanded by that sh
    enter=(unshare --mount sh -c 'root=$1; shift; mount -t proc proc "$root/proc" && mount --bind "$0" "$root$0" &&
        exec chroot "$root" "$@"' "$services" "$root")
fi
sbin=/usr/lib/rabbitmq/bin # the package's own scripts; those on PATH change user and folder

# A node, cookie, epmd and data of its own: no other RabbitMQ on this machine is touched.
export HOME=$dir
export ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$((base + 3))
export RABBITMQ_NODENAME=test@localhost RABBITMQ_DIST_PORT=$((base + 2))
export RABBITMQ_CONF_ENV_FILE=$dir/none RABBITMQ_CONFIG_FILE=$dir/rabbitmq.conf
export RABBITMQ_ENABLED_PLUGINS_FILE=$dir/enabled_plugins
if [ -z "${RABBITMQ_PLUGINS:-}" ]; then export RABBITMQ_PLUGINS_DIR=$dir/plugins; fi
export RABBITMQ_MNESIA_BASE=$dir/data RABBITMQ_LOG_BASE=$dir/log RABBITMQ_LOGS=$dir/log/broker.log
quiet="+sbwt none +sbwtdcpu none +sbwtdio none" # no busy waiting: brokers share the cores with the tests
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} $quiet"
export RUNNING_UNDER_SYSTEMD=true # the start script then becomes the broker: its pid is the broker's

# alive broker|epmd: does that pid run, and is it ours? (not so for a zombie or a reused pid)
alive() {
    local pid
    pid=$(cat "$dir/$1.pid" 2>/dev/null) && grep -qsxzF "HOME=$dir" "/proc/$pid/environ"
}
running() { alive broker || die "not running"; }
send() { kill "-$1" "$(cat "$dir/broker.pid")"; }
gone() { ! alive broker && sleep 0.3 && ! alive broker; } # twice: an exec hides the environment for a moment

# Ready means that the AMQP port answers a protocol header with a method frame.
answers() {
    (
        exec 3<>"/dev/tcp/127.0.0.1/$base" || exit 1
        printf 'AMQP\0\0\11\1' >&3
        IFS= read -r -t 2 -N 1 -d '' first <&3
        [ "$first" = $'\1' ]
    ) 2>/dev/null
}
ready() { alive broker && answers; }
settled() { answers || gone; }

urls() {
    echo "AMQP_URL=amqp://guest:guest@127.0.0.1:$base/%2f"
    echo "AMQPS_URL=amqps://guest:guest@localhost:$((base + 1))/%2f"
    echo "AMQPS_CA=$services/tls/ca.pem"
    echo "RABBITMQ_PID=$(cat "$dir/broker.pid")"
}

# The broker looks for each of its modules in every plugin's folder: where nobody asked for one, it sees none.
slim() {
    local part
    rm -rf "$dir/plugins"
    mkdir "$dir/plugins"
    for part in "$root"/usr/lib/rabbitmq/lib/rabbitmq_server-*/plugins/*; do
        case ${part##*/} in
            rabbitmq_prelaunch-*) ;;
            rabbitmq_*) continue ;;
        esac
        ln -s "${part#"$root"}" "$dir/plugins/"
    done
}

configure() {
    mkdir -p "$dir/log" "$dir/data"
    if [ -z "${RABBITMQ_PLUGINS:-}" ]; then slim; fi
    echo "[${RABBITMQ_PLUGINS:-}]." >"$dir/enabled_plugins"
    cat >"$dir/rabbitmq.conf" <<END
listeners.tcp.1 = 127.0.0.1:$base
listeners.ssl.1 = 127.0.0.1:$((base + 1))
ssl_options.cacertfile = $services/tls/ca.pem
ssl_options.certfile = $services/tls/server.pem
ssl_options.keyfile = $services/tls/server.key
ssl_options.verify = verify_none
END
}

launch() { # launch NAME COMMAND...: in the background, out of the caller's session
    local name=$1
    shift
    setsid "${enter[@]}" "$@" </dev/null >"$dir/log/$name.out" 2>&1 9>&- &
    echo $! >"$dir/$name.pid"
    within 5 alive "$name" || die "$name ended at once: see $dir/log"
}

start() {
    if alive broker; then send CONT; else begin; fi
    within "$wait_s" settled || die "not ready after $wait_s s: see $dir/log"
    ready || die "ended while starting: see $dir/log"
    urls
}

begin() {
    if [ ! -x "$root$sbin/rabbitmq-server" ] || [ ! -e "$services/tls" ]; then die "not installed; run: $0 install"; fi
    if answers; then die "port $base is another server's"; fi
    mkdir -p "$root$services"
    configure
    alive epmd || launch epmd epmd
    launch broker "$sbin/rabbitmq-server"
}

status() {
    answers || die "runs, but does not answer"
    urls
}

end() { # end SIGNAL: the broker first, then its epmd
    if alive broker; then
        send "$1"
        [ "$1" = KILL ] || send CONT # a frozen one cannot hear TERM
        within "$wait_s" gone || kill_late
    fi
    if alive epmd; then kill "$(cat "$dir/epmd.pid")"; fi
    rm -f "$dir/broker.pid" "$dir/epmd.pid"
}

remove() {
    end TERM
    rm -rf "$dir"
}

kill_late() {
    say "no end in $wait_s s: kill -9"
    send KILL
    within 5 gone || die "still running"
}

install() {
    if [ -z "$release" ]; then packages openssl rabbitmq-server; else packages openssl debootstrap; fi
    [ -x "$root$sbin/rabbitmq-server" ] || plant
    [ -e "$services/tls" ] || certificates
}

# The other release goes into a folder; it counts once it is whole.
plant() {
    privileged || die "needs root; by hand: debootstrap --variant=minbase --include=rabbitmq-server $release $root"
    rm -rf "$root.part"
    mkdir -p "$root.part"
    debootstrap --variant=minbase --include=rabbitmq-server "$release" "$root.part"
    rm -rf "$root.part"/var/cache/apt/archives/*.deb
    mv -T "$root.part" "$root"
}

# One certificate authority and one certificate for all instances.
certificates() (
    new=$(mktemp -d "$services/tls.XXXX")
    cd "$new"
    {
        openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=test-ca -keyout ca.key -out ca.pem
        openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out server.pem \
            -extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1')
    } >openssl.log 2>&1 || die "no certificates: see $new/openssl.log"
    mv -T "$new" "$services/tls"
)

names() {
    local pid
    for pid in "$services"/*/broker.pid; do
        if [ -e "$pid" ]; then basename "$(dirname "$pid")"; fi
    done
}

case ${1:-} in
    install) alone "$services" install >&2 ;;
    start) alone "$dir" start ;;
    stop) alone "$dir" end TERM ;;
    kill9) alone "$dir" end KILL ;;
    remove) alone "$services" remove ;;
    freeze) running && send STOP ;;
    thaw) running && send CONT ;;
    status) running && status ;;
    ctl) shift && running && exec "${enter[@]}" "$sbin/rabbitmqctl" "$@" ;;
    names) names ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0" ;;
    *) say "what to do? There are: install start stop kill9 remove freeze thaw status ctl names --help" && exit 2 ;;
esac
