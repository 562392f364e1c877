#!/usr/bin/env bash
# A private SNS and SQS for tests, on loopback only: LocalStack, which is nearest to AWS, or MiniStack, which is quicker.
#
#   scripts/services/aws.sh install     fetch the server (once)
#   scripts/services/aws.sh start       start it and wait until it answers; prints NAME=VALUE lines
#   scripts/services/aws.sh stop        end it in good order
#   scripts/services/aws.sh kill9       end it as a power cut would
#   scripts/services/aws.sh freeze      let it hang: connections stay open, nothing moves
#   scripts/services/aws.sh thaw        let it go on
#   scripts/services/aws.sh status      the lines of start, or an error
#   scripts/services/aws.sh names       the instances that were started and not stopped
#
# Only the NAME=VALUE lines go to stdout:  eval "$(scripts/services/aws.sh start)"; echo "$AWS_ENDPOINT_URL"
# `start` also mends: it thaws a frozen server and leaves one that answers alone. Queues and messages live in memory:
# after stop and kill9 they are gone.
#
#   SERVICES_DIR      where all of it lives (default: what scripts/check uses)
#   AWS_EMULATOR      localstack (default) or ministack; each is installed once into SERVICES_DIR/venvs
#   AWS_NAME          the instance, a folder in SERVICES_DIR (default: aws-EMULATOR)
#   AWS_PORT          its port (default: 17690 for LocalStack, 17691 for MiniStack)
#   AWS_WAIT          seconds that start and stop may take (default: 60)
#
# Give two instances two names and two ports, and they run side by side, out of one installation.
# LocalStack needs Python 3.13, MiniStack 3.10: on PATH, or one of pyenv's.
set -euo pipefail

source "$(dirname "$0")/common.sh"
emulator=${AWS_EMULATOR:-localstack}
dir=$services/${AWS_NAME:-aws-$emulator}
installed=$services/venvs/$emulator
venv=$installed/python
wait_s=${AWS_WAIT:-60}
region=eu-west-1


# What each is made of: packages, the lowest Python, and how it is run.
case $emulator in
    localstack)
        # Its own requirements are open at the top; the next four are the newest that it still runs with. The last four are
        # what its CloudFormation takes.
        packages=('localstack-core[base-runtime]==2026.3.0' 'cbor2<6' 'cryptography<46' 'pyopenssl<25.2' 'service-identity<25'
            'antlr4-python3-runtime==4.13.2' 'aws-sam-translator==1.115.0' 'jsonpath-ng==1.7.0' 'moto-ext==5.1.54')
        lowest=13 port=${AWS_PORT:-17690} mend='' mend_file=''
        # Given an IPv4 address, it listens on all interfaces; this is the IPv6 name of the same address.
        settings=(GATEWAY_LISTEN="[::ffff:127.0.0.1]:$port" LOCALSTACK_HOST="127.0.0.1:$port" SQS_ENDPOINT_STRATEGY=path
            OVERRIDE_IN_DOCKER=0 FILESYSTEM_ROOT="$dir/state" SERVICES=sqs,sns,sts,cloudformation EAGER_SERVICE_LOADING=1 LS_LOG=warning
            DNS_ADDRESS=0 DISABLE_EVENTS=1 SKIP_SSL_CERT_DOWNLOAD=1 SQS_DISABLE_CLOUDWATCH_METRICS=1)
        command=("$venv/bin/python" -m localstack.runtime.main)
        ;;
    ministack)
        packages=('ministack==1.5.33')
        # It loses the bytes of attributes in a PublishBatch; in its Publish it does not.
        mend_file='lib/python*/site-packages/ministack/services/sns.py'
        mend='s/^( {16})"StringValue": string_val,$/\1**({"BinaryValue": bytes_val} if (bytes_val := _p(params,'
        mend+=' f"PublishBatchRequestEntries.member.{i}.MessageAttributes.entry.{j}.Value.BinaryValue"))'
        mend+=' else {"StringValue": string_val}),/'
        lowest=10 port=${AWS_PORT:-17691}
        settings=(BIND_HOST=127.0.0.1 MINISTACK_HOST=127.0.0.1 GATEWAY_PORT="$port" PERSIST_STATE=0)
        command=("$venv/bin/ministack")
        ;;
    *) die "no such AWS_EMULATOR: $emulator; there are: localstack ministack" ;;
esac
url=http://127.0.0.1:$port

# Does the server run, and is it ours? (not so for a zombie or a reused pid)
alive() {
    local pid
    pid=$(cat "$dir/emulator.pid" 2>/dev/null) && grep -qsxzF "HOME=$dir" "/proc/$pid/environ"
}
running() { alive || die "not running"; }
send() { kill "-$1" "$(cat "$dir/emulator.pid")"; }
gone() { ! alive && sleep 0.3 && ! alive; } # twice: an exec hides the environment for a moment

# Ready means that both services answer a request.
answers() {
    local head='Authorization: AWS4-HMAC-SHA256 Credential=test/20260101' tail='aws4_request, SignedHeaders=host, Signature=0'
    curl -sf -m 5 -o /dev/null "$url/" -H "$head/$region/sqs/$tail" -H 'X-Amz-Target: AmazonSQS.ListQueues' \
        -H 'Content-Type: application/x-amz-json-1.0' -d '{}' &&
        curl -sf -m 5 -o /dev/null "$url/" -H "$head/$region/sns/$tail" -d 'Action=ListTopics&Version=2010-03-31'
}
settled() { answers || gone; }

lines() {
    echo "AWS_ENDPOINT_URL=$url"
    echo "AWS_REGION=$region"
    echo "AWS_ACCESS_KEY_ID=test"
    echo "AWS_SECRET_ACCESS_KEY=test"
    echo "AWS_PID=$(cat "$dir/emulator.pid")"
}

start() {
    if alive; then send CONT; else begin; fi
    within "$wait_s" settled || die "not ready after $wait_s s: see $dir/log"
    if ! alive || ! answers; then die "ended while starting: see $dir/log"; fi
    lines
}

begin() {
    [ -x "${command[0]}" ] || die "not installed; run: AWS_EMULATOR=$emulator $0 install"
    if answers; then die "port $port is another server's"; fi
    mkdir -p "$dir/state"
    (cd "$dir" && exec env "${settings[@]}" HOME="$dir" setsid "${command[@]}") </dev/null >"$dir/log" 2>&1 9>&- &
    echo $! >"$dir/emulator.pid"
    within 5 alive || die "ended at once: see $dir/log"
}

status() {
    answers || die "runs, but does not answer"
    lines
}

end() { # end SIGNAL
    if alive; then
        send "$1"
        [ "$1" = KILL ] || send CONT # a frozen one cannot hear TERM
        within "$wait_s" gone || kill_late
    fi
    rm -f "$dir/emulator.pid"
}

kill_late() {
    say "no end in $wait_s s: kill -9"
    send KILL
    within 5 gone || die "still running"
}

# A folder with exactly these packages; it counts once it is whole.
install() {
    local marker python
    marker=$venv/$(sha256sum <<<"${packages[*]} $mend" | cut -c1-16).whole
    if [ -e "$marker" ]; then return; fi
    python=$(python)
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --upgrade pip
    "$venv/bin/pip" install --quiet "${packages[@]}"
    if [ -n "$mend" ]; then mended; fi
    touch "$marker"
}

mended() {
    local file before
    file=$(compgen -G "$venv/$mend_file")
    before=$(sha256sum "$file")
    sed -E -i "$mend" "$file"
    [ "$before" != "$(sha256sum "$file")" ] || die "$emulator is not as it was; see whether it still needs mending: $file"
}

# The first Python here that is new enough.
python() {
    local found
    for found in python3.13 python3 python3.12 python3.11 python3.14 "$(pyenv root 2>/dev/null)"/versions/3.1[0-9]*/bin/python3; do
        if "$found" -c "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, $lowest))" 2>/dev/null; then
            echo "$found"
            return
        fi
    done
    die "$emulator needs Python 3.$lowest, and there is none on PATH and none of pyenv's." \
        "Debian bookworm has 3.11: there, pyenv install 3.13"
}

names() {
    local pid
    for pid in "$services"/*/emulator.pid; do
        if [ -e "$pid" ]; then basename "$(dirname "$pid")"; fi
    done
}

case ${1:-} in
    install) alone "$installed" install >&2 ;;
    start) alone "$dir" start ;;
    stop) alone "$dir" end TERM ;;
    kill9) alone "$dir" end KILL ;;
    freeze) running && send STOP ;;
    thaw) running && send CONT ;;
    status) running && status ;;
    names) names ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0" ;;
    *) say "what to do? There are: install start stop kill9 freeze thaw status names --help" && exit 2 ;;
esac
