"""What tests of a live installation do inside it, in a process of their own (`manage.py shell`)."""

from registries.models import Registry
from upstreams.models import Upstream
from upstreams.services.mirroring.drivers import Course, Options
from upstreams.services.mirroring.moonbit import Moonbit


def mirror_all(workspace: str, registry: str) -> None:
    """Everything that the registry's sources list."""
    for course in _courses(workspace, registry):
        driver = Moonbit()
        for name in driver.names(course, ["*"]):
            _fetch(course, driver, name)


def mirror_names(workspace: str, registry: str, *names: str) -> None:
    """These modules."""
    for course in _courses(workspace, registry):
        for name in names:
            _fetch(course, Moonbit(), name)


def _fetch(course: Course, driver: Moonbit, name: str) -> None:
    for wanted in driver.versions(course, name):
        driver.fetch(course, wanted)


def _courses(workspace: str, slug: str) -> list[Course]:
    registry = Registry.objects.select_related("workspace").get(workspace__slug=workspace, slug=slug)
    rows = Upstream.objects.select_related("registry__workspace").filter(registry=registry, format="moonbit")
    return [Course(registry, upstream, Options()) for upstream in rows]


def tell_held(workspace: str, registry: str) -> None:
    """Print each module with its versions."""
    from packages.models import Package

    rows = Package.objects.filter(registry__workspace__slug=workspace, registry__slug=registry, format="moonbit").order_by("name")
    for package in rows:
        print(package.name, *package.versions.order_by("version").values_list("version", flat=True))  # noqa: T201 - read by the test
