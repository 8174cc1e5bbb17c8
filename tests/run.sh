#!/usr/bin/env bash
# Runs every test on both databases and in a real browser; this is the second command of the README, and CI runs it.
#
#   bash tests/run.sh                   everything
#   bash tests/run.sh --full            with the long versions of tests that come in two lengths
#   bash tests/run.sh -- matrix         only tests whose name contains "matrix"
#
# What the tests need is installed with apt (as root; else this says what is missing and stops). PostgreSQL is started
# for the tests alone, on a free port in a temporary folder, and stopped at the end; a server that runs already is left
# alone. The exit code is that of the tests; the last line is their summary.
set -euo pipefail
cd "$(dirname "$0")/.."

while [ $# -gt 0 ]; do
  case "$1" in
    --full) export TIDEGATE_TEST_FULL=1; shift ;;
    --) shift; break ;;
    *) echo "usage: bash tests/run.sh [--full] [-- FILTER…]" >&2; exit 2 ;;
  esac
done

# --- what the tests need --------------------------------------------------------------------------------------------
export PATH="$PATH:$HOME/.cargo/bin"
command -v cargo >/dev/null || { echo "tests/run.sh: no cargo; install Rust 1.95 or newer from https://rustup.rs" >&2; exit 2; }

postgres_bin() { printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1; }
missing() {
  has() { command -v "$1" >/dev/null 2>&1; }
  has cc && has make && has perl || echo build-essential perl
  [ -x "$(postgres_bin)/initdb" ] || [ -n "${TIDEGATE_TEST_POSTGRES:-}" ] || echo postgresql
  has chromium || echo chromium
  has chromedriver || echo chromium-driver
  has java || echo default-jre-headless
  has npm || echo npm
  has sqlite3 || echo sqlite3
  has curl || echo curl
  has openssl || echo openssl
  python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
  [ -e /usr/share/fonts/opentype/inter ] || [ -e /usr/share/doc/fonts-inter ] || echo fonts-inter
}
packages=$(missing | tr '\n' ' ')
if [ -n "${packages// /}" ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "tests/run.sh: the tests need more programs; install them and run this again:" >&2
    echo "  sudo apt-get install --no-install-recommends $packages" >&2
    exit 2
  fi
  echo "installing $packages"
  # Debian would start a PostgreSQL of its own; the tests bring theirs.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
  fi
  apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Options::=--force-confold)
  "${apt[@]}" update
  # shellcheck disable=SC2086 # a list of names
  DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends $packages >/dev/null
fi

tools=$PWD/target/tools
mkdir -p "$tools"

# A Python whose zone data is of the release that chrono-tz carries, for the oracle; dateutil to be compared with, and
# icalendar to read calendars with.
chrono_tz=$(cargo metadata --locked --format-version 1 | python3 -c '
import json, os, sys
found = [p for p in json.load(sys.stdin)["packages"] if p["name"] == "chrono-tz"]
print(os.path.dirname(found[0]["manifest_path"]))')
release=$(grep -rhoE 'IANA_TZDB_VERSION *: *&(.static )?str *= *"[0-9]{4}[a-z]"' "$chrono_tz" | grep -oE '[0-9]{4}[a-z]' | head -n 1)
tzdata=${release%?}.$(($(printf '%d' "'${release: -1}") - 96))
python=$tools/tzdata-$tzdata/bin/python
if [ ! -x "$python" ] || ! "$python" -c 'import dateutil, icalendar, tzdata' 2>/dev/null; then
  python3 -m venv "$tools/tzdata-$tzdata"
  "$python" -m pip install --quiet --disable-pip-version-check "tzdata==$tzdata" python-dateutil==2.9.0.post0 icalendar==6.3.1
fi
export TIDEGATE_TEST_ORACLE_PYTHON=$python

# A mail server that others use, too.
mail=$tools/aiosmtpd-1.4.6/bin/python
if [ ! -x "$mail" ] || ! "$mail" -c 'import aiosmtpd' 2>/dev/null; then
  python3 -m venv "$tools/aiosmtpd-1.4.6"
  "$mail" -m pip install --quiet --disable-pip-version-check aiosmtpd==1.4.6
fi
export TIDEGATE_TEST_MAIL_PYTHON=$mail

# What asks the API for everything that its document says, and for what it does not.
schemathesis=$tools/schemathesis-4.32.5/bin/schemathesis
if [ ! -x "$schemathesis" ]; then
  python3 -m venv "$tools/schemathesis-4.32.5"
  "$tools/schemathesis-4.32.5/bin/python" -m pip install --quiet --disable-pip-version-check schemathesis==4.32.5 ||
    echo "tests/run.sh: schemathesis cannot be installed here; the test that needs it says nothing" >&2
fi
if [ -x "$schemathesis" ]; then export TIDEGATE_TEST_SCHEMATHESIS=$schemathesis; fi

# The W3C's HTML checker.
vnu=$tools/node_modules/vnu-jar/build/dist/vnu.jar
[ -f "$vnu" ] || npm install --prefix "$tools" --no-save --no-fund --no-audit --silent vnu-jar@26.9.27
[ -f "$vnu" ] || vnu=$(find "$tools/node_modules/vnu-jar" -name vnu.jar | head -n 1)
export TIDEGATE_TEST_VNU=$vnu

# What finds the barriers in a page, inside the browser.
axe=$tools/node_modules/axe-core/axe.min.js
[ -f "$axe" ] || npm install --prefix "$tools" --no-save --no-fund --no-audit --silent vnu-jar@26.9.27 axe-core@4.14.1
export TIDEGATE_TEST_AXE=$axe

# A provider of OpenID Connect that others use, too.
oidc=$tools/oidc-provider-9.13.3/node_modules
[ -d "$oidc/oidc-provider" ] ||
  npm install --prefix "$tools/oidc-provider-9.13.3" --no-save --no-fund --no-audit --silent oidc-provider@9.13.3
export TIDEGATE_TEST_OIDC=$oidc

# --- a PostgreSQL for the tests alone -------------------------------------------------------------------------------
work=$(mktemp -d /tmp/tidegate-tests.XXXXXX)
server=
finish() {
  if [ -n "$server" ]; then
    kill -INT "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

if [ -z "${TIDEGATE_TEST_POSTGRES:-}" ]; then
  bin=$(postgres_bin)
  as=()
  chmod 755 "$work"
  mkdir "$work/postgres"
  if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
    chown nobody:nogroup "$work/postgres"
    as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
  fi
  # A certificate for localhost, the authority that signed it, and one that did not.
  tls=$work/tls
  mkdir "$tls"
  (
    cd "$tls"
    for name in ca other; do
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$name" \
        -keyout "$name.key" -out "$name.pem"
    done
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
      -keyout server.key -out server.csr
    openssl x509 -req -days 30 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem \
      -extfile <(echo subjectAltName=DNS:localhost)
    chmod 600 server.key
    if [ "$(id -u)" = 0 ]; then chown nobody:nogroup server.key; fi
  ) >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  (cd / && "${as[@]}" "$bin/initdb" -D "$work/postgres/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N) >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
  (cd / && exec "${as[@]}" "$bin/postgres" -D "$work/postgres/data" -p "$port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories="$work/postgres" -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
    -c ssl=on -c ssl_cert_file="$tls/server.pem" -c ssl_key_file="$tls/server.key" \
    -c max_connections=300 -c shared_buffers=128MB -c dynamic_shared_memory_type=mmap) >"$work/log" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" || { cat "$work/log" >&2; exit 1; }
  export TIDEGATE_TEST_POSTGRES=postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable
  export TIDEGATE_TEST_POSTGRES_TLS=$tls
fi

# --- the tests ------------------------------------------------------------------------------------------------------
code=0
cargo test --locked --no-fail-fast -- "$@" 2>&1 | tee "$work/tests" || code=$?
awk '/^test result:/ { for (i = 1; i < NF; i++) { n = $i; w = $(i + 1); sub(";", "", w); sum[w] += n } ran++ }
  END { bad = !ran || sum["failed"]
        printf "test result: %s. %d passed; %d failed; %d ignored; %d filtered out\n", bad ? "FAILED" : "ok",
               sum["passed"], sum["failed"], sum["ignored"], sum["filtered"] }' "$work/tests"
exit "$code"
