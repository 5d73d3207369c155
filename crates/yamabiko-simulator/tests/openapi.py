"""Compares a running simulator with its OpenAPI document: python openapi.py URL."""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

URL = sys.argv[1]


def call(method, path, body=None, kind="application/json"):
    """Calls the simulator; returns the status and the body as JSON or text."""
    data = json.dumps(body).encode() if kind == "application/json" and body is not None else body
    headers = {"content-type": kind} if data is not None else {}
    request = urllib.request.Request(URL + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, text = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


status, DOCUMENT = call("GET", "/control/openapi.json")
assert status == 200, status
validate(DOCUMENT)


def resolved(part):
    while "$ref" in part:
        part = part["$ref"]
        found = DOCUMENT
        for name in part.removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def check(value, schema, what):
    whole = {**schema, "components": DOCUMENT["components"]}
    errors = [error.message for error in Draft202012Validator(whole).iter_errors(value)]
    assert not errors, f"{what}: {errors}: {value}"


def examples(content):
    """All examples of a body, each checked against its schema."""
    values = [content["example"]] if "example" in content else []
    values += [example["value"] for example in content.get("examples", {}).values()]
    for value in values:
        check(value, content["schema"], "example")
    return values


def address(path, parameters, real):
    """The path with the examples of its parameters, and with ids that are there."""
    query = {}
    for parameter in parameters:
        value = real.get(parameter["name"], parameter.get("example"))
        if parameter["in"] == "path":
            path = path.replace("{%s}" % parameter["name"], value)
        elif value is not None:
            query[parameter["name"]] = value
    return path + ("?" + urllib.parse.urlencode(query) if query else "")


def something_said():
    _, sent = call("POST", "/control/chats/U11111111111111111111111111111111/messages?wait=webhook",
                   {"type": "text", "text": "hello"})
    return {"messageId": sent["messageId"], "webhookEventId": sent["webhookEventId"]}


def with_real(body, real):
    if not isinstance(body, dict):
        return body
    fields = {"messageId": "messageId", "quotedMessageId": "messageId"}
    return {name: real[fields[name]] if name in fields else value for name, value in body.items()}


called = 0
for path, item in DOCUMENT["paths"].items():
    for method in ("get", "post", "put", "delete"):
        if method not in item:
            continue
        operation, name = item[method], f"{method.upper()} {path}"
        parameters = [resolved(p) for p in item.get("parameters", []) + operation.get("parameters", [])]
        for response in operation["responses"].values():
            for content in resolved(response)["content"].values():
                examples(content)
        ((kind, content),) = operation.get("requestBody", {"content": {"": {}}})["content"].items()
        bodies = [b"\x01"] if kind == "application/octet-stream" else examples(content) or [None]
        ((_, answer_content),) = resolved(operation["responses"]["200"])["content"].items()
        for body in bodies:
            real = something_said()
            where = address(path, parameters, real)
            status, answer = call(method.upper(), where, with_real(body, real), kind or "application/json")
            assert status == 200, f"{name} {body}: {status} {answer}"
            check(answer, answer_content["schema"], name)
            called += 1
        if kind == "application/json" and "400" in operation["responses"]:
            status, answer = call(method.upper(), address(path, parameters, real), "wrong")
            assert status == 400, f"{name} with a wrong body: {status} {answer}"
            check(answer, resolved(operation["responses"]["400"])["content"]["application/json"]["schema"], name)
        if "{chatId}" in path:
            status, answer = call(method.upper(), where.replace("U1111", "Unone"), with_real(bodies[0], real), kind or "application/json")
            assert status == 404, f"{name} of nobody: {status} {answer}"
print(f"{called} calls as described")
