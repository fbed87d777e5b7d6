# make run    set up what is missing, build, start on SQLite, print the URL and the first login
# make test   set up what is missing, run every test: Rust on both databases, web, browser
# make bench  how fast, as ratios in one run
# make lint   formatting, clippy, licences and duplicate crates, types of the pages
# make fmt    format everything
# make dev    API and pages with reload on change: http://127.0.0.1:5173

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)

.PHONY: run test bench lint fmt dev setup web openapi

run: setup web/dist/index.html
	cargo build --release --locked
	./target/release/api-pool serve

test: setup web/dist/index.html
	scripts/test.sh

bench: setup web/dist/index.html
	scripts/setup.sh wrk oha
	cargo build --release --locked -p api-pool -p bench
	./target/release/bench run target/bench.json
	API_POOL_BIN=$(CURDIR)/target/release/api-pool node web/browser/measure.mjs

lint: setup web/dist/index.html
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	scripts/setup.sh cargo-deny
	cargo deny --offline check --hide-inclusion-graph bans licenses sources
	cd web && npm run typecheck

fmt:
	cargo fmt --all

dev: setup web/dist/index.html
	scripts/setup.sh entr
	trap 'kill 0' EXIT; \
	(cd web && npm run dev) & \
	find src domain jobs store api workers migrations -name '*.rs' -o -name '*.sql' | entr -r cargo run --locked -- serve

# The document that the program serves, and the client's types made from it. A drift fails `make test`.
openapi:
	cargo run --locked -q -- openapi > web/openapi.json.new
	mv web/openapi.json.new web/openapi.json
	cd web && npm run generate

setup:
	scripts/setup.sh

web: web/dist/index.html

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run build
