#!/usr/bin/env bash
# Runs the clients of docs/clients*.md, as they stand there, against the program.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/server.sh
python=$PWD/target/python/bin/python
[ -x "$python" ] || { echo "the tests' Python is missing: run 'make setup'" >&2; exit 1; }

mkdir "$work/pool"
start "$work/pool"
as="X-Nobody: yet"
as="Authorization: Bearer $(post /api/admin/login "{\"username\":\"admin\",\"password\":\"$password\"}" | field token)"
lines=""
for n in {10..49}; do lines+="12345$n:0123456789abcdef0123456789abcd$n:name $n\\n"; done
post /api/admin/api-pool/batch "{\"data\":\"$lines\"}" >/dev/null
token=$(post /api/admin/service-tokens '{"product":"clients","scopes":["credpool:*"]}' | field token)
API_POOL_URL=$url API_POOL_TOKEN=$token PYTHON=$python "$python" tests/clients/run.py "$@"
