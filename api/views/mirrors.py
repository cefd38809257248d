"""`registries/{reg}/mirrors/` and `schedules/`: jobs that bring in what an upstream has. Publishers order, members see, admins schedule."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import Door, ListDoor
from api.parsers import LockJson
from api.schema import described
from api.serializers.filters import MirrorFilter, ScheduleFilter
from api.serializers.mirrors import MirrorFields, MirrorOrder, MirrorShown, ScheduleChange, ScheduleFields, ScheduleShown, ScheduleWishes
from api.views.upstreams import for_members
from registries.gate import registry_for
from registries.models import Registry
from upstreams.models import Mirror
from upstreams.services.mirroring.drivers import Options
from upstreams.services.mirroring.lists import wanted_by_lock
from upstreams.services.mirroring.orders import Order, cancel, mirror_of, order, retry
from upstreams.services.mirroring.schedules import Plan, change_schedule, create_schedule, remove_schedule, schedule_of
from upstreams.services.sources import upstream_named
from upstreams.tasks import send_mirror
from workspaces.access import Action, Actor
from workspaces.errors import Denied

OPTIONS = ("dependencies", "versions", "full", "strict")


class MirrorsView(ListDoor):
    """The jobs of a registry."""

    body_limit = settings.LOCK_BODY_LIMIT
    parser_classes = (LockJson,)  # type: ignore[assignment]

    @described("mirrors_list", returns=MirrorFields, many=True, order={"id": "id"}, filters=MirrorFilter)
    def get(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """The newest first."""
        return self.page(reads.mirrors_of(_for_all_names(self.actor, ws, reg)), MirrorShown, MirrorFilter)

    @described("mirrors_create", body=MirrorOrder, returns=MirrorFields, code=202, outside=True)
    def post(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Order a job. 409 while the same is under way."""
        registry = registry_for(self.actor, ws, reg, Action.PUBLISH)
        asked = self.read(MirrorOrder)
        upstream = upstream_named(registry, asked["upstream"])
        wanted, listed = wanted_by_lock(upstream, asked["lock"].encode(), asked["lock_name"]) if asked["lock"] else ([], "")
        options = replace(Options(**_chosen(asked)), anywhere=bool(wanted))
        wish = Order(patterns=asked["patterns"], options=options, wanted=wanted, listed=listed)
        return _sent(order(actor=self.actor, registry=registry, upstream=upstream, order=wish))


class MirrorView(Door):
    """One job."""

    @described("mirrors_read", returns=MirrorFields)
    def get(self, request: Request, ws: str, reg: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """How far it is, what failed and why."""
        return Response(MirrorShown(mirror_of(_for_all_names(self.actor, ws, reg), int(id))).data)

    @described("mirrors_cancel", code=204)
    def delete(self, request: Request, ws: str, reg: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Cancel it: at once when nobody works on it, else within a second or two. What came in stays."""
        cancel(actor=self.actor, mirror=mirror_of(registry_for(self.actor, ws, reg, Action.PUBLISH), int(id)))
        return Response(status=204)


class MirrorCancelView(Door):
    """The same by POST, which answers with the job."""

    @described("mirrors_cancel_by_post", returns=MirrorFields, code=202)
    def post(self, request: Request, ws: str, reg: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Cancel it."""
        mirror = mirror_of(registry_for(self.actor, ws, reg, Action.PUBLISH), int(id))
        return Response(MirrorShown(cancel(actor=self.actor, mirror=mirror)).data, status=202)


class MirrorRetryView(Door):
    """Try again what failed."""

    @described("mirrors_retry", returns=MirrorFields, code=202)
    def post(self, request: Request, ws: str, reg: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """A new job for what this one failed at, or did not come to."""
        mirror = mirror_of(registry_for(self.actor, ws, reg, Action.PUBLISH), int(id))
        return _sent(retry(actor=self.actor, mirror=mirror))


class SchedulesView(ListDoor):
    """The schedules of a registry."""

    @described("schedules_list", returns=ScheduleFields, many=True, order={"id": "id", "next_at": "next_at"}, filters=ScheduleFilter)
    def get(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """The oldest first."""
        return self.page(reads.schedules_of(_for_all_names(self.actor, ws, reg)), ScheduleShown, ScheduleFilter)

    @described("schedules_create", body=ScheduleWishes, returns=ScheduleFields, code=201)
    def post(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Order a job for again and again."""
        registry = registry_for(self.actor, ws, reg, Action.MANAGE)
        asked = self.read(ScheduleWishes)
        upstream = upstream_named(registry, asked["upstream"])
        plan = Plan(patterns=tuple(asked["patterns"]), every=asked["every"], options=Options(**_chosen(asked)), enabled=asked["enabled"])
        made = create_schedule(actor=self.actor, registry=registry, upstream=upstream, plan=plan)
        return Response(ScheduleShown(made).data, status=201)


class ScheduleView(Door):
    """One schedule."""

    @described("schedules_read", returns=ScheduleFields)
    def get(self, request: Request, ws: str, reg: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """What it orders, and when next."""
        return Response(ScheduleShown(schedule_of(_for_all_names(self.actor, ws, reg), int(id))).data)

    @described("schedules_change", body=ScheduleChange, returns=ScheduleFields)
    def patch(self, request: Request, ws: str, reg: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Change it; the upstream stays."""
        found = schedule_of(registry_for(self.actor, ws, reg, Action.MANAGE), int(id))
        asked = self.read(ScheduleChange)
        chosen = {**found.options, **_chosen(asked)}
        changes = {**asked, "options": Options(**chosen)}
        return Response(ScheduleShown(change_schedule(actor=self.actor, schedule=found, changes=changes)).data)

    @described("schedules_remove", code=204)
    def delete(self, request: Request, ws: str, reg: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """What it ordered stays, done or not."""
        remove_schedule(actor=self.actor, schedule=schedule_of(registry_for(self.actor, ws, reg, Action.MANAGE), int(id)))
        return Response(status=204)


def _for_all_names(actor: Actor, workspace: str, registry: str) -> Registry:
    """What is mirrored tells names, also of what never came in: a token that may read only some may not look. Raises Denied."""
    found = for_members(actor, workspace, registry)
    if actor.grant is not None and actor.grant.scopes is not None:
        raise Denied("Mirror jobs and schedules name any package; they need a token without scopes.")
    return found


def _chosen(asked: dict[str, Any]) -> dict[str, Any]:
    """The options among a body's fields."""
    return {word: asked[word] for word in OPTIONS if word in asked}


def _sent(mirror: Mirror) -> Response:
    """The answer to an order, which a worker gets as soon as it is written."""
    transaction.on_commit(lambda: send_mirror(mirror.pk))
    return Response(MirrorShown(mirror).data, status=202)
