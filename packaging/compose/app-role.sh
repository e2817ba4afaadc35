#!/bin/bash
# Run once by the postgres image on an empty database: the role the gateway works as, which owns nothing. The gateway grants
# it what it needs when it migrates.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --set password="$SIGNALBOX_APP_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
create role signalbox_app login password :'password';
SQL
