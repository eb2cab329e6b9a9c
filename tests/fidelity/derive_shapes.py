"""Derives `shapes/*.json` from recordings of real orgs that others publish under open licences.

No recording is part of this project; the shapes hold names, types and lengths, never a value of a record. Needs clones
of the two repositories:

    python -m tests.fidelity.derive_shapes CLONE_OF_CUMULUSCI CLONE_OF_SALESFORCEGRPC
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import yaml
from tests.fidelity.shapes import FOLDER, avro_shape, field_facts, parts_of, shape_of

CUMULUSCI = "SFDO-Tooling/CumulusCI (BSD-3-Clause)"
SALESFORCE_GRPC = "Valeriyyy/SalesforceGRPC (MIT)"
BULK = "cumulusci/tasks/bulkdata/tests/cassettes"
RECORDINGS = {
    "query": (
        f"{BULK}/TestUpdatesIntegrationTests.test_updates_task.yaml",
        "query/?q=SELECT+Id%2CName+FROM+Account",
    ),
    "collections_insert": (f"{BULK}/TestUpsert.test_upsert__rest.yaml", "composite/sobjects"),
    "collections_upsert": (f"{BULK}/TestUpsert.test_upsert__rest.yaml", "composite/sobjects/Contact/Email"),
    "record_count": (
        f"{BULK}/TestUpdatesIntegrationTests.test_updates_task.yaml",
        "recordCount?sObjects=Account",
    ),
    "composite_of_queries": (
        "cumulusci/utils/salesforce/tests/cassettes/TestCountSObjects.test_count_sobjects__errors.yaml",
        "composite",
    ),
    "composite_not_found": (
        "cumulusci/utils/http/tests/cassettes/TestCompositeParallelSalesforce.test_errors.yaml",
        "composite",
    ),
}


def main(cumulusci: str, salesforce_grpc: str) -> None:
    for name in ("Contact", "Account", "Opportunity", "OpportunityContactRole"):
        path = f"cumulusci/tests/shared_cassettes/GET_sobjects_{name}_describe.yaml"
        body = _body(yaml.safe_load(_file(cumulusci, path)))
        _write(f"describe_{name}", CUMULUSCI, path, _describe(body))
    for name, (path, uri) in RECORDINGS.items():
        found = [
            each for each in _interactions(_file(cumulusci, path)) if each["request"]["uri"].endswith(uri)
        ]
        _write(name, CUMULUSCI, path, parts_of(_body(found[0])))
    for name in ("Contact", "Account"):
        path = f"SalesforceGrpc/avro/{name}ChangeEvent.avsc"
        _write(
            f"{name}ChangeEvent", SALESFORCE_GRPC, path, avro_shape(json.loads(_file(salesforce_grpc, path)))
        )


def _file(clone: str, path: str) -> str:
    command = ["git", "-C", clone, "show", f"HEAD:{path}"]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def _interactions(text: str) -> list[dict[str, Any]]:
    return [each for each in _plain(yaml.safe_load(text))["interactions"] if "request" in each]


def _plain(document: Any) -> Any:
    return document if isinstance(document, dict) else {"interactions": document}


def _body(interaction: dict[str, Any]) -> Any:
    return json.loads(interaction["response"]["body"]["string"])


def _describe(body: dict[str, Any]) -> dict[str, Any]:
    fields = {field["name"]: field_facts(field) for field in body["fields"]}
    return {"object": shape_of(body | {"fields": []}), "field": shape_of(body["fields"])[0], "fields": fields}


def _write(name: str, source: str, path: str, shape: Any) -> None:
    content = {"source": source, "path": path, "shape": shape}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    main(*sys.argv[1:])
