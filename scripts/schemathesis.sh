#!/usr/bin/env bash
# Holds the program to its own OpenAPI document: thousands of made-up requests, good and bad, once
# as an owner and once as a service. Any server error, any answer that the document does not
# describe, any good request refused and any bad one accepted fails.
#
# API_POOL is the program, VENV the folder of Python, EXAMPLES how many cases each operation gets.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
. scripts/server.sh
python=$(realpath "${VENV:-target/python}")/bin
examples=${EXAMPLES:-80}
[ -x "$python/schemathesis" ] || { echo "schemathesis is missing: run 'make setup'" >&2; exit 1; }

# Every field NAME in JSON.
all() { grep -o "\"$1\":\"[^\"]*\"" | cut -d '"' -f 4; }

# Something to find: groups, credentials, accounts that hold some, batches that can be undone.
fill() {
  local n lines=""
  for n in red green blue; do
    post /api/admin/api-pool/groups "{\"name\":\"$n\"}" | field id
  done >"$1/groups"
  for n in {10..69}; do lines+="12345$n:0123456789abcdef0123456789abcd$n:name $n\\n"; done
  post /api/admin/api-pool/batch "{\"data\":\"$lines\"}" >/dev/null
  for n in +861380000000{1..8}; do
    post /api/admin/api-pool/allocate "{\"account_id\":\"$n\",\"ttl_seconds\":86400}" >/dev/null
    echo "$n"
  done >"$1/leases"
  for n in {10..29}; do
    post /api/admin/api-pool/batch "{\"data\":\"22345$n:0123456789abcdef0123456789abcd$n:undo\"}" | field batch_id
  done >"$1/batches"
  # Somebody who signs out, and somebody who stays: sessions to refresh, then sessions to revoke.
  local guest
  for n in leaver stayer; do
    guest="\"username\":\"$n\",\"password\":\"$password\""
    post /api/admin/users "{$guest,\"role\":\"auditor\"}" | field id >>"$1/people"
    for _ in {1..4}; do post /api/admin/login "{$guest}"; done >"$1/$n"
  done
  for _ in {1..8}; do post /api/admin/login "{$guest}" >/dev/null; done
  n=$(tail -n 1 "$1/people")
  curl -sS --fail-with-body -H "$as" "$url/api/admin/users/$n/sessions?sort=created_at" | all id | tail -n +5 >"$1/sessions"
}

# One run as owner or service. Its folder takes what the tool and Python leave behind.
try() {
  local dir=$work/$1 login session token failed=""
  mkdir "$dir"
  # A server and a pool of its own: what one run deletes or bans the other would miss.
  start "$dir"
  as="X-Nobody: yet"
  login=$(post /api/admin/login "{\"username\":\"admin\",\"password\":\"$password\"}")
  # `bearer` is as good in lower case. Written otherwise, the tool reads the token and takes the
  # person's id for one of a credential, a group, a token.
  as="Authorization: bearer $(field token <<<"$login")"
  session=$(curl -sS --fail-with-body -H "$as" "$url/api/admin/me")
  fill "$dir"
  if [ "$1" = service ]; then
    token=$(post /api/admin/service-tokens '{"product":"st","scopes":["credpool:*"]}' | field token)
    as="X-Service-Token: $token"
  fi

  echo "== schemathesis as $1"
  (
    cd "$dir"
    export SCHEMATHESIS_HOOKS=$root/tests/schemathesis/hooks.py PYTHONDONTWRITEBYTECODE=1
    export API_POOL_GROUPS API_POOL_BATCHES API_POOL_LEASES API_POOL_SESSIONS API_POOL_IDS
    export API_POOL_OWN API_POOL_LEAVER API_POOL_REFRESH API_POOL_PASSWORD=$password
    API_POOL_GROUPS=$(<groups) API_POOL_BATCHES=$(<batches) API_POOL_LEASES=$(<leases)
    API_POOL_SESSIONS=$(<sessions) API_POOL_IDS=$(echo 12345{10..29})
    API_POOL_OWN="$(field id <<<"$session") $(field session_id <<<"$session") $(<people)"
    API_POOL_LEAVER=$(field token <leaver) API_POOL_REFRESH=$(all refresh_token <stayer)
    "$python/schemathesis" --config-file "$root/tests/schemathesis/schemathesis.toml" \
      run "$url/api/openapi.json" --header "$as" --checks all --phases examples,coverage,fuzzing,stateful \
      --max-examples "$examples" --seed 1 --workers 1 --no-color
  ) || failed=1

  # A run that lost its rights on the way has tested nothing.
  curl -sSf -o "$dir/last" -H "$as" "$url/api/admin/api-pool/account?account_id=x" || failed=1
  # A batch's member may fail inside of a 200: the log knows.
  if grep -E 'ERROR|panicked' "$dir/err"; then failed=1; fi
  stop
  if [ -n "$failed" ]; then status=1; fi
}

status=0
try owner
try service
exit $status
