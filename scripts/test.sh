#!/usr/bin/env bash
# Every test. PostgreSQL runs in a throwaway cluster, which is gone afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."

cluster=$(mktemp -d /tmp/api-pool-test-XXXXXX)
stop() { scripts/pg.sh stop "$cluster"; }
trap stop EXIT

port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
# Durability is tested by killing the program, not PostgreSQL; fsync would only cost time.
PG_OPTIONS="-c fsync=off -c full_page_writes=off" scripts/pg.sh start "$cluster" "$port"
export TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres"

echo "== pages: types and logic"
(cd web && npm run check)

echo "== the document that is served is the one that the pages' client was made from"
cargo build --locked
./target/debug/api-pool openapi | diff -u web/openapi.json - || { echo "run 'make openapi'" >&2; exit 1; }

echo "== pages in a browser"
(cd web && npm run browser)

echo "== the clients of the documentation"
scripts/clients.sh

echo "== the program against its own OpenAPI document"
scripts/schemathesis.sh

echo "== Rust, on both databases"
cargo nextest run --workspace --locked --no-fail-fast
cargo test --workspace --locked --doc
