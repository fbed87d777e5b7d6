"""What the document can't say to schemathesis: rules about state, and batches.

Each rule lets one known answer through and nothing else. Whatever a schema can say (lengths, words,
bounds) belongs into the document, never here.
"""

import itertools
import os

import schemathesis

# Refusals that depend on what the pool holds, on the clock, on several parameters of a query, or on
# an object as a whole: which operation (`*` is any), which field, and the rule's words.
STATE_RULES = {
    ("*", "cursor", "must be one that we have answered"),
    ("*", "cursor", "belongs to another sort"),
    ("*", "group_id", "is not one of the groups"),
    ("*", "match.group", "is not one of the groups"),
    ("*", "target.group_id", "is not one of the groups"),
    *(
        ("POST /api/admin/api-pool/rules/try", field, "is not one of the groups")
        for field in ("rule.match.group", "rule.target.group_id", "request.group_id")
    ),
    ("*", "attributes", "must be at most 16 kB"),
    ("*", "attributes", "must not contain NUL"),
    ("*", "definition", "must be at most 16 kB"),
    ("*", "definition", "must not contain NUL"),
    ("GET /api/admin/api-pool/account", "account_id", "is required"),
    ("GET /api/admin/api-pool/history", "action", "leaves nothing to show"),
    ("GET /api/admin/audit-logs", "action", "leaves nothing to show"),
    ("GET /api/admin/audit-logs", "action", "is not one of those that are shown here"),
    ("POST /api/admin/api-pool/", "api_id", "is a published sample id, which Telegram limits; register your own"),
    ("POST /api/admin/api-pool/rules/try", "replaces", "is not one of the rules"),
    # A rule keeps its effect, and with it the need of a target.
    *(("PUT /api/admin/api-pool/rules/{id}", "target", f"is required for {it}") for it in ("allow", "bind", "prefer")),
    ("PUT /api/admin/settings", "capacity.warning_percent", "must not be above capacity.critical_percent"),
    ("POST /api/admin/change-password", "old_password", "is wrong"),
    # Pages have it in a cookie.
    ("POST /api/admin/refresh", "refresh_token", "is required"),
    ("POST /api/admin/service-tokens", "expires_at", "must be in the future"),
}

# Schemas count characters; these rules count bytes.
BYTE_RULES = tuple(f"must be at most {length} bytes" for length in (128, 256, 1024, 2048, 16384))

# Each member of a batch has its own outcome inside of a 200: a bad one is refused there.
BATCHES = {"POST /api/admin/api-pool/allocate/batch", "POST /api/admin/api-pool/results"}

# The tool finds most ids by itself. But nothing lists batches, no key tells who has a lease, services
# can't list credentials, the tool knows no future, and nobody guesses a password or a token of a
# session: good requests are given one that exists, now and then not.
PASSWORD = os.environ["API_POOL_PASSWORD"]
KNOWN = {
    "POST /api/admin/api-pool/batch/{id}/undo": ("id", os.environ["API_POOL_BATCHES"]),
    "DELETE /api/admin/users/sessions/{id}": ("id", os.environ["API_POOL_SESSIONS"]),
    "POST /api/admin/api-pool/renew": ("phone", os.environ["API_POOL_LEASES"]),
    "POST /api/admin/api-pool/result": ("api_id", os.environ["API_POOL_IDS"]),
    "POST /api/admin/login": ("password", PASSWORD),
    "POST /api/admin/change-password": ("old_password", PASSWORD),
    "POST /api/admin/refresh": ("refresh_token", os.environ["API_POOL_REFRESH"]),
    "POST /api/admin/service-tokens": ("expires_at", "2099-12-31T00:00:00Z"),
}
values = {label: itertools.cycle([*known.split(), None]) for label, (_, known) in KNOWN.items()}
# What goes with a known value: whose password it is, and that it stays.
ALONG = {"password": {"username": "stayer"}, "old_password": {"new_password": PASSWORD}}
# Left to itself the tool has few keys for many bodies, versions that nobody has seen, and adds what
# is there already: most good requests do without.
OPTIONAL = ("Idempotency-Key", "If-Match")
is_sent = itertools.cycle([False, False, False, True])
new_ids = itertools.count(777_000_001)
# One that exists, none, and whatever the tool says.
groups = itertools.cycle([*os.environ["API_POOL_GROUPS"].split(), None, ...])

# The person on whose behalf the run asks must stay as they are, and signed in, or the rest would be
# 401 only: what would touch them goes to nobody. So does what would touch those who sign in and out.
OWN = set(os.environ["API_POOL_OWN"].split())
CHANGES_OF_PEOPLE = tuple(f"{method} /api/admin/users/" for method in ("PUT", "POST", "DELETE"))
NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

# A rule that was made up could refuse everybody, and leave nothing to test of the hot path.
RULES = ("POST /api/admin/api-pool/rules", "PUT /api/admin/api-pool/rules/{id}")


@schemathesis.hook
def before_call(context, case, kwargs):
    label = case.operation.label
    good = bool(case.meta and case.meta.generation.mode.is_positive)
    for name in OPTIONAL:
        if good and name in (case.headers or {}) and not next(is_sent):
            del case.headers[name]
    if label in KNOWN and good:
        field, _ = KNOWN[label]
        place = case.path_parameters if field == "id" else case.body
        value = next(values[label])
        if value and isinstance(place, dict):
            place.update({field: value, **ALONG.get(field, {})})
    elif good and isinstance(case.body, dict):
        if label == "POST /api/admin/api-pool/":
            case.body["api_id"] = next(new_ids)
        if label in RULES:
            case.body["match"] = {**(case.body.get("match") or {}), "operator": "svc:nobody"}
        if case.body.get("group_id") and (group := next(groups)) is not ...:
            case.body["group_id"] = group
    if label.startswith(CHANGES_OF_PEOPLE) and case.path_parameters.get("id") in OWN:
        case.path_parameters["id"] = NOBODY


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Says whether a failure is one."""
    label = case.operation.label
    if failure.code == "ST202":  # a request that fits its schema was refused
        return not refused_by_state(label, response)
    if failure.code == "ST201":  # a request that does not fit its schema was accepted
        return not (refused_inside(label, response) or is_blank(response.request.body))
    return True


def refused_by_state(label, response):
    if response.status_code != 422:
        return False
    wrong = [(field["field"], field["message"]) for field in response.json()["error"].get("details", [])]
    return bool(wrong) and all(
        ("*", *rule) in STATE_RULES or (label, *rule) in STATE_RULES or rule[1].startswith(BYTE_RULES)
        for rule in wrong
    )


def refused_inside(label, response):
    if label not in BATCHES or response.status_code != 200:
        return False
    return any(not outcome["success"] for outcome in response.json()["data"]["results"])


def is_blank(body):
    """Spaces and line breaks alone count as no body. One that is missing is tested on its own."""
    return isinstance(body, bytes) and bool(body) and not body.strip()
