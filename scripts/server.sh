# Sourced by scripts that need the program for a while: a throwaway folder in $work, `start` a server
# in a folder of it, `post` to it as $as. Everything is gone at the end; when the script failed, what
# the servers said is shown first.
program=$(realpath "${API_POOL:-target/debug/api-pool}")
password=correct-horse-battery
work=$(mktemp -d /tmp/api-pool-server-XXXXXX)
server=""
stop() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  server=""
}
finish() {
  local code=$?
  stop
  if [ $code != 0 ]; then echo "== what the servers said" >&2; cat "$work"/*/err >&2 || true; fi
  rm -rf "$work"
}
trap finish EXIT

# The first field NAME in JSON.
field() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }
post() { curl -sS --fail-with-body -H "$as" "$url$1" --json "$2"; }

# A server with a database of its own, in the folder $1; sets $url.
start() {
  env -u DATABASE_URL HTTP_PORT=0 METRICS_PORT=0 DATABASE_PATH="$1/pool.db" API_POOL_ADMIN_PASSWORD=$password \
    LOG_LEVEL=warn "$program" serve >"$1/out" 2>"$1/err" &
  server=$!
  until grep -q 'ready at' "$1/out"; do
    kill -0 "$server" 2>/dev/null || { echo "the server did not start" >&2; exit 1; }
    sleep 0.1
  done
  url=$(sed -n 's/.*ready at \(http[^ ]*\) .*/\1/p' "$1/out")
}
