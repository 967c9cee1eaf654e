#!/bin/sh
# Builds HAPI FHIR's server (bench/hapi), the peer of `make bench-gateway`. 300 MB, about a minute the first time.
exec "$(dirname "$0")/maven-tool.sh" hapi bench/hapi "HAPI FHIR's server"
