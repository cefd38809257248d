"""Audits: npm 7 and later, yarn 4 and pnpm 12 in bulk, npm 6 and pnpm 10 with a lock tree (reference/npm.md 1.2).

An audit is a question by the way: trouble with upstreams is a notice beside an answer in the right shape, never an error.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from packages.formats.npm.advisories import read_bulk, read_request, read_tree
from protocols.npm.door import visit
from protocols.npm.errors import json_response
from protocols.npm.notices import noticed
from protocols.npm.zipped import read_zipped
from upstreams.services.advisories import audit, audit_tree


def read_advisories(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """`{name: [versions]}` in, `{name: [advisory]}` out."""
    here = visit(request, ws, reg)
    wanted = read_bulk(read_request(read_zipped(request, settings.AUDIT_LIMIT)))
    told = audit(actor=here.actor, registry=here.registry, wanted=wanted)
    return noticed(json_response(told.advisories), told.notices)


def read_report(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """A lock tree in, a report with the paths to each finding out."""
    here = visit(request, ws, reg)
    nodes = read_tree(read_request(read_zipped(request, settings.AUDIT_LIMIT)))
    report, notices = audit_tree(actor=here.actor, registry=here.registry, nodes=nodes)
    return noticed(json_response(report), notices)
