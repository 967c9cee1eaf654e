#!/bin/sh
# Builds HAPI FHIR's validator (tools/hapi-validator), which the tests check FHIR resources with beside fhir.resources. 145 MB, half a
# minute the first time.
exec "$(dirname "$0")/maven-tool.sh" hapi-validator tools/hapi-validator "HAPI FHIR's validator"
