"""What every operation of the schema has because of its address and method: conditions, moved registries, limits."""

from typing import Any

FAULT = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Fault"}}}}
WRITES = ("patch", "put", "delete")
TEXT = {"schema": {"type": "string"}}
NUMBER = {"schema": {"type": "integer"}}
LIMITS = {
    "RateLimit-Limit": {**NUMBER, "description": "Requests a minute."},
    "RateLimit-Remaining": {**NUMBER, "description": "How many are left of this minute."},
    "RateLimit-Reset": {**NUMBER, "description": "Seconds to the next minute."},
    "RateLimit-Policy": TEXT,
}
AGAIN = {"Retry-After": {**NUMBER, "description": "Seconds."}}
REASONS = {
    "308": "The registry has another slug now; `Location` is the same address below it.",
    "304": "It is what `If-None-Match` names.",
    "400": "Something sent cannot be used; `fields` says which.",
    "401": "No credentials, or none that count.",
    "403": "You may not do this.",
    "404": "It is not there, or not yours to know of.",
    "409": "The state of things forbids it.",
    "412": "It is not what `If-Match` names; nothing was changed.",
    "413": "More bytes than this address takes.",
    "415": "The body is of a type that is not read here.",
    "429": "Too many requests.",
    "500": "Something went wrong here; the log has more under `request_id`.",
    "501": "Not there yet.",
    "502": "An upstream gave a wrong answer.",
    "503": "A part that is needed cannot answer now.",
    "504": "An upstream did not answer in time.",
    "507": "There is no room left.",
}


def complete(result: dict[str, Any], generator: object, request: object, public: bool) -> dict[str, Any]:  # noqa: ARG001, FBT001 - the framework's signature
    """The schema with them (a hook of drf-spectacular)."""
    for path, methods in result["paths"].items():
        single = "get" in methods and not _is_list(methods["get"])
        for method, operation in methods.items():
            _complete(path, method, operation, single=single)
    shapes: dict[str, Any] = result["components"]["schemas"]
    sent = {name for methods in result["paths"].values() for operation in methods.values() for name in _bodies(operation)}
    for name, shape in shapes.items():
        if name in sent:  # a body has the fields that are told, and no other
            shape["additionalProperties"] = False
        else:  # what is shown may be empty
            for field in shape.get("properties", {}).values():
                field.pop("minLength", None)
    return result


def _bodies(operation: dict[str, Any]) -> list[str]:
    """The names of the shapes it takes."""
    contents = operation.get("requestBody", {}).get("content", {}).values()
    return [str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2] for content in contents]


def _complete(path: str, method: str, operation: dict[str, Any], *, single: bool) -> None:
    answers: dict[str, Any] = operation["responses"]
    if "{reg}" in path:
        answers["308"] = {**FAULT, "headers": {"Location": TEXT}}
    if single and method == "get":
        answers["304"] = {"headers": {"ETag": TEXT}}
        answers["200"].setdefault("headers", {})["ETag"] = TEXT
        _takes(operation, "If-None-Match", "An `ETag` that was answered before.")
    if single and method in WRITES:
        answers["412"] = dict(FAULT)
        _takes(operation, "If-Match", "The `ETag` that was read: the write holds only for it.")
    for status, answer in answers.items():
        answer["description"] = REASONS.get(status) or answer.get("description") or "Done."
        answer["headers"] = {**answer.get("headers", {}), **LIMITS, **(AGAIN if status in {"429", "503"} else {})}
    operation["responses"] = dict(sorted(answers.items()))


def _takes(operation: dict[str, Any], header: str, sense: str) -> None:
    operation.setdefault("parameters", []).append({"in": "header", "name": header, "schema": {"type": "string"}, "description": sense})


def _is_list(operation: dict[str, Any]) -> bool:
    shown = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return "Paginated" in str(shown)
