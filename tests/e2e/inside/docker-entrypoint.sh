#!/bin/sh
# As the one of the image `postgres`: makes the database at the first start, then runs the server.
set -eu
export PGDATA=/var/lib/postgresql/data
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" \
        --auth-local=trust --auth-host=scram-sha-256 --no-sync >/dev/null
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "CREATE DATABASE $POSTGRES_DB" |
        postgres --single -D "$PGDATA" -c fsync=off postgres >/dev/null
fi
exec "$@" -D "$PGDATA" -c listen_addresses='*'
