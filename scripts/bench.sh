#!/usr/bin/env bash
# How fast, as ratios in one run: allocations against the program's own smallest answer, on SQLite
# with synchronous=FULL and 10,000 credentials; then how quick the pages are on 100,000. Machines are
# noisy: compare the ratios, not the figures of two runs.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh wrk

seconds=${BENCH_SECONDS:-10}
dir=$(mktemp -d /tmp/api-pool-bench-XXXXXX)
pid=""
stop() {
  if [ -n "$pid" ]; then kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; fi
  rm -rf "$dir"
}
trap stop EXIT

export DATABASE_PATH="$dir/pool.db" HTTP_PORT=0 LOG_LEVEL=warn API_POOL_ADMIN_PASSWORD="only for this run"
{ echo "api_id,api_hash,name,max_accounts"
  seq 1000000 1009999 | awk '{ printf "%d,%032x,bench-%d,100000\n", $1, $1 * 7919, $1 }'; } >"$dir/pool.csv"
./target/release/api-pool import "$dir/pool.csv" >/dev/null 2>&1
token=$(./target/release/api-pool token issue bench)
./target/release/api-pool serve >"$dir/out" 2>"$dir/err" &
pid=$!
until url=$(grep -o 'http://[0-9.:]*' "$dir/out"); do sleep 0.1; done

# Prints requests per second and the 99th percentile in milliseconds.
measure() { # connections script
  TOKEN="$token" RUN="$RANDOM" wrk -t"$(($1 > 1 ? 2 : 1))" -c"$1" -d"${seconds}s" --latency -s "scripts/bench/$2.lua" "$url" |
    awk '/99%/ { p = $2; if (p ~ /us$/) { p = p / 1000 } else if (p ~ /ms$/) { p = p + 0 } else { p = p * 1000 } }
         /Requests\/sec/ { r = $2 } /Non-2xx/ { bad = $NF } END { printf "%.0f %.1f %d\n", r, p, bad }'
}

printf '%-12s %-18s %12s %10s %10s %8s\n' connections what 'requests/s' 'p99 ms' 'of health' errors
for connections in 1 16 64 256; do
  read -r base p99 bad < <(measure "$connections" health)
  printf '%-12s %-18s %12s %10s %10s %8s\n' "$connections" health "$base" "$p99" 1.00 "$bad"
  for what in allocate-new allocate-existing; do
    read -r rate p99 bad < <(measure "$connections" "$what")
    printf '%-12s %-18s %12s %10s %10s %8s\n' "$connections" "$what" "$rate" "$p99" "$(awk "BEGIN { printf \"%.2f\", $rate / $base }")" "$bad"
  done
done
kill "$pid"; wait "$pid" || true; pid=""
./target/release/api-pool doctor

echo
API_POOL_BIN="$PWD/target/release/api-pool" node web/browser/measure.mjs
