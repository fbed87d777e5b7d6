#!/usr/bin/env bash
# How fast, as ratios in one run: allocations against a bare echo of the same request and answer, and
# the same batches without HTTP, on SQLite with synchronous=FULL and 10,000 credentials; then how quick
# the pages are on 100,000. Machines are noisy: compare the ratios, not the figures of two runs.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh wrk

seconds=${BENCH_SECONDS:-10}
dir=$(mktemp -d /tmp/api-pool-bench-XXXXXX)
pids=()
stop() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
  pids=()
}
trap 'stop; rm -rf "$dir"' EXIT

export DATABASE_PATH="$dir/pool.db" HTTP_PORT=0 LOG_LEVEL=warn API_POOL_ADMIN_PASSWORD="only for this run"
# The key that `bench raw` has: 32 bytes of 7.
export API_POOL_MASTER_KEY=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=
{ echo "api_id,api_hash,name,max_accounts"
  seq 1000000 1009999 | awk '{ printf "%d,%032x,bench-%d,100000\n", $1, $1 * 7919, $1 }'; } >"$dir/pool.csv"
./target/release/api-pool import "$dir/pool.csv" >/dev/null 2>&1
token=$(./target/release/api-pool token issue bench)
./target/release/api-pool serve >"$dir/out" 2>"$dir/err" &
server=$!
./target/release/bench echo >"$dir/echo" &
pids=("$server" $!)
until url=$(grep -o 'http://[0-9.:]*' "$dir/out") && echo=$(grep -o 'http://[0-9.:]*' "$dir/echo"); do sleep 0.1; done

# Prints requests per second and the 99th percentile in milliseconds.
measure() { # url connections script
  TOKEN="$token" RUN="$RANDOM" wrk -t"$(($2 > 1 ? 2 : 1))" -c"$2" -d"${seconds}s" --latency -s "scripts/bench/$3.lua" "$1" |
    awk '/99%/ { p = $2; if (p ~ /us$/) { p = p / 1000 } else if (p ~ /ms$/) { p = p + 0 } else { p = p * 1000 } }
         /Requests\/sec/ { r = $2 } /Non-2xx/ { bad = $NF } END { printf "%.0f %.1f %d\n", r, p, bad }'
}

printf '%-12s %-18s %12s %10s %10s %8s\n' connections what 'requests/s' 'p99 ms' 'of echo' errors
for connections in 1 16 64 256; do
  read -r base p99 bad < <(measure "$echo" "$connections" allocate-new)
  printf '%-12s %-18s %12s %10s %10s %8s\n' "$connections" echo "$base" "$p99" 1.00 "$bad"
  for what in allocate-new allocate-existing; do
    read -r rate p99 bad < <(measure "$url" "$connections" "$what")
    printf '%-12s %-18s %12s %10s %10s %8s\n' "$connections" "$what" "$rate" "$p99" "$(awk "BEGIN { printf \"%.2f\", $rate / $base }")" "$bad"
  done
done
stop
printf '%-12s %-18s %12s\n' - 'raw, 256 at once' "$(./target/release/bench raw "$DATABASE_PATH" 256 "$seconds")"
./target/release/api-pool doctor

echo
API_POOL_BIN="$PWD/target/release/api-pool" node web/browser/measure.mjs
