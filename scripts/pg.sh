#!/usr/bin/env bash
# A throwaway PostgreSQL cluster for tests and benchmarks. PostgreSQL's programs refuse root, so
# they run as the user `postgres` when we are root.
#
#   scripts/pg.sh start DIR PORT    make a cluster in DIR and start it on 127.0.0.1:PORT
#   scripts/pg.sh crash DIR         stop it as a power cut would
#   scripts/pg.sh again DIR         start it again
#   scripts/pg.sh stop DIR          stop it and delete DIR
set -euo pipefail

bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || { echo "PostgreSQL is missing: run 'make setup'" >&2; exit 1; }

# In a user namespace in which there is nobody else, we are root in name only.
is_root() { [ "$(id -u)" = 0 ] && awk '{ users += $3 } END { exit users < 2 }' /proc/self/uid_map; }

as_postgres() {
  if is_root; then runuser -u postgres -- "$@"
  elif [ "$(id -u)" = 0 ]; then unshare --user --map-user=1000 --map-group=1000 -- "$@"
  else "$@"; fi
}

launch() {
  as_postgres "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 60 -o "$(cat "$dir/options")" start >/dev/null \
    || { cat "$dir/server.log" >&2; exit 1; }
}

case "${1:-}" in
  start)
    dir=$2 port=$3
    mkdir -p "$dir"
    if is_root; then chown postgres "$dir"; fi
    cd "$dir"
    as_postgres "$bin/initdb" -D "$dir/data" -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 \
      || { cat "$dir/initdb.log" >&2; exit 1; }
    echo "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories= -c max_connections=${PG_CONNECTIONS:-300} ${PG_OPTIONS:-}" >"$dir/options"
    launch
    ;;
  crash)
    dir=$2
    cd "$dir"
    as_postgres "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null
    ;;
  again)
    dir=$2
    cd "$dir"
    launch
    ;;
  stop)
    dir=$2
    cd /
    as_postgres "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$dir"
    ;;
  *)
    echo "usage: scripts/pg.sh start DIR PORT | crash DIR | again DIR | stop DIR" >&2
    exit 2
    ;;
esac
