#!/bin/bash
# A copy of the primary the first time, then a standby that follows it.
set -euo pipefail
umask 077
PGPASSWORD=$(</run/secrets/replica_password)
export PGPASSWORD PGDATA=/var/lib/postgresql/data
# The server refuses a folder that others may read.
chmod 700 "$PGDATA"
# The mark of a whole copy; it outlives a promotion, after which nothing may be copied over what is here.
whole=$PGDATA/medlock-whole-copy
if [ ! -e "$whole" ]; then
    # What an earlier copy left that was cut off.
    find "$PGDATA" -mindepth 1 -delete
    pg_basebackup -h db -U replica -D "$PGDATA" -X stream -S replica -R --checkpoint=fast
    touch "$whole"
    sync "$whole"
fi
exec postgres
