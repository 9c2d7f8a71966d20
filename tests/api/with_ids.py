"""Prints the server's OpenAPI document with ids that exist as examples, so that calls reach records and not only 404."""

import json
import sys
import time
import urllib.request

base, key = sys.argv[1:3]
# Endless, or the end of the test's own key.
SKIPPED = {"/api/stream", "/api/keys/{id}"}


def get(path):
    request = urllib.request.Request(base + path, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def waited_for():
    """All events are worked on, or a minute has passed."""
    for _ in range(120):
        if get("/api/events?status=accepted")["total"] == 0:
            return
        time.sleep(0.5)


def first_ids(path):
    """Ids of the records in the list above a path with a parameter."""
    above = path.split("/{")[0]
    if above == "/api/queues":
        return ["automation"]
    try:
        items = get(above + "?limit=3" if above != "/api/rules" else above)["items"]
    except Exception:
        items = []
    # A conversation is called by its contact.
    return [str(item.get("id") or item.get("contact_id") or item.get("name")) for item in items[:3]]


waited_for()
document = get("/api/openapi.json")
document["paths"] = {path: item for path, item in document["paths"].items() if path not in SKIPPED}
for path, item in document["paths"].items():
    ids = first_ids(path) if path.startswith("/api/") and "{" in path else []
    for operation in item.values():
        # Equal keys would be refused before anything else is looked at; stories of their own see to them.
        operation["parameters"] = [p for p in operation["parameters"] if p["name"] != "Idempotency-Key"]
        for parameter in operation["parameters"]:
            if parameter["in"] == "path" and ids:
                parameter.pop("example", None)
                parameter["examples"] = {f"of_{number}": {"value": value} for number, value in enumerate(ids)}
                parameter["schema"] = {"type": "string", "enum": ids}
            if parameter["name"] == "path" and path == "/api/rules/files/content":
                parameter["example"] = get("/api/rules/files")["items"][0]["path"]
# Bodies are about records that there are, too.
known = {"contact_id": first_ids("/api/contacts/{id}"), "booking_id": first_ids("/api/bookings/{id}")}
known["other_id"] = known["contact_id"]
for item in document["paths"].values():
    for operation in item.values():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        schema = document["components"]["schemas"].get(body.get("$ref", "").rsplit("/", 1)[-1], {})
        for name, field in schema.get("properties", {}).items():
            if known.get(name):
                field["enum"] = known[name] + ([None] if "null" in field["type"] else [])
json.dump(document, sys.stdout)
