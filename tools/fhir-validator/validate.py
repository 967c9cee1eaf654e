"""Validates FHIR R4 resources: one JSON text a line in, one line out: a JSON list of what is wrong with it.

fhir.resources checks structure, cardinality and the form of primitives. It knows, but does not enforce, the codes of required
bindings and the types that a reference may have: that is done here, from its own tables, and so are the invariants of R4 that
matter for what Medlock writes.
"""
import json
import pathlib
import sys

from fhir.resources import get_fhir_model_class
from fhir.resources.core.fhirabstractmodel import FHIRAbstractModel

DEFINITIONS = pathlib.Path(__file__).parents[2] / "crates/fhir/tests/facade/r4.json"
# Required bindings (R4) that its tables lack.
CODES = {
    ("OperationOutcomeIssue", "code"): json.loads(DEFINITIONS.read_text())["codes"]["http://hl7.org/fhir/issue-type"],
    ("AuditEvent", "action"): ["C", "R", "U", "D", "E"],
    ("AuditEvent", "outcome"): ["0", "4", "8", "12"],
    ("AuditEventAgentNetwork", "type"): ["1", "2", "3", "4", "5"],
}


def faults(text):
    resource = json.loads(text)
    try:
        model = get_fhir_model_class(resource["resourceType"]).parse_obj(resource)
    except Exception as error:  # pydantic's, and those that its validators raise
        return [str(error)]
    found = []
    walk(model, resource, resource["resourceType"], found)
    invariants(resource, found)
    return found


def walk(model, raw, path, found):
    for name, field in type(model).__fields__.items():
        value = getattr(model, name, None)
        extra = field.field_info.extra
        text = raw.get(field.alias)
        pairs = zip(value, text) if isinstance(value, list) else [(value, text)]
        for item, text in pairs:
            if item is None:
                continue
            at = f"{path}.{name}"
            # pydantic takes "yes" for true, and "7" for 7.
            if isinstance(item, (bool, int)) and type(item) is not type(text):
                found.append(f"{at}: not of its JSON type")
            codes = CODES.get((type(model).__name__, name)) or extra.get("enum_values")
            # "mime" stands for any MIME type.
            if codes and "mime" not in codes and item not in codes:
                found.append(f"{at}: not one of {list(codes)}")
            targets = extra.get("enum_reference_types")
            # A canonical has targets too, but only its URL says so.
            if targets and "Resource" not in targets and isinstance(item, FHIRAbstractModel):
                for named in (item.type, (item.reference or "").rpartition("/")[0] or None):
                    if named and named not in targets:
                        found.append(f"{at}: a reference to none of {targets}")
            if isinstance(item, FHIRAbstractModel):
                walk(item, text, at, found)


def invariants(resource, found):
    kind = resource["resourceType"]
    if kind == "Consent" and not resource.get("policy") and not resource.get("policyRule"):
        found.append("ppc-1: either a Policy or PolicyRule")
    if kind == "Bundle":
        entries = resource.get("entry", [])
        if "total" in resource and resource["type"] not in ("searchset", "history"):
            found.append("bdl-1: total only when a search or history")
        if any("search" in entry for entry in entries) and resource["type"] != "searchset":
            found.append("bdl-2: entry.search only when a search")
        urls = [entry["fullUrl"] for entry in entries if "fullUrl" in entry]
        if len(urls) != len(set(urls)):
            found.append("bdl-7: FullUrl must be unique in a bundle")
    if kind == "CapabilityStatement":
        if resource["kind"] == "instance" and "implementation" not in resource:
            found.append("cpb-15: if kind = instance, implementation must be present")
        for rest in resource.get("rest", []):
            types = [one["type"] for one in rest.get("resource", [])]
            if len(types) != len(set(types)):
                found.append("cpb-9: a given resource can only be described once per RESTful mode")
            for one in rest.get("resource", []):
                names = [parameter["name"] for parameter in one.get("searchParam", [])]
                if len(names) != len(set(names)):
                    found.append("cpb-12: search parameter names must be unique in the context of a resource")
    everywhere(resource, kind, found)


def everywhere(value, path, found):
    if isinstance(value, list):
        if not value:
            found.append(f"{path}: an array is never empty")
        for item in value:
            everywhere(item, path, found)
    if not isinstance(value, dict):
        return
    if not value:
        found.append(f"ele-1: {path} has neither a value nor children")
    if path.endswith("period") and value.get("start", "") > value.get("end", "9999-99"):
        found.append(f"per-1: {path} ends before it starts")
    for extension in value.get("extension", []):
        values = [name for name in extension if name.startswith("value")]
        if bool(values) == bool(extension.get("extension")):
            found.append(f"ext-1: {path}.extension must have either extensions or a value")
    for name, item in value.items():
        everywhere(item, f"{path}.{name}", found)


for line in sys.stdin:
    print(json.dumps(faults(line)), flush=True)
