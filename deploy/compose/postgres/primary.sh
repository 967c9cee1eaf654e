#!/bin/bash
# Run once, by PostgreSQL's image, in a new cluster: a role and a slot for the replica. Without -u, as the image reads it into a
# script of its own where it is not executable.
set -eo pipefail
password=$(</run/secrets/replica_password)
psql -v ON_ERROR_STOP=1 -v password="$password" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
CREATE ROLE replica REPLICATION LOGIN PASSWORD :'password';
SELECT pg_create_physical_replication_slot('replica');
SQL
echo 'host replication replica samenet scram-sha-256' >>"$PGDATA/pg_hba.conf"
