"""What the issue asks of each line, and whether a run met it."""

from dataclasses import dataclass

from bench.cases import HEAVY, SMALL
from bench.cold import DIRECT, Colds
from bench.crowd import Beside
from bench.installs import Install
from bench.measure import Figure
from bench.mirroring import Mirrored
from bench.pages import Paged
from bench.peers import GatehousePostgreSQL, GatehouseSQLite, Nginx, Verdaccio

BASE, LIMIT = Verdaccio.name, Nginx.name
OURS = (GatehousePostgreSQL.name, GatehouseSQLite.name)
TIMES = "\N{MULTIPLICATION SIGN}"
AT_LEAST, AT_MOST = "\N{GREATER-THAN OR EQUAL TO}", "\N{LESS-THAN OR EQUAL TO}"

# requests per second, as multiples of the peer's: on PostgreSQL, on SQLite
RATES = {
    SMALL: (10, 25),
    "200 packages mixed": (20, 50),
    "large metadata, abbreviated": (300, 300),
    "large metadata, full": (300, 300),
    "304, small": (8, 20),
    "304, large": (500, 1000),
    "private package": (5, 12),
    "small tarball": (6, 15),
    "200 tarballs mixed": (4, 6),
    HEAVY: (2.5, 2.5),
    "publish 4 KB, 1 client": (1.8, 2),
    "publish 4 KB, 8 clients": (1.5, 1.5),
    "publish, 8 clients on one package": (0, 0),  # no error, none lost
}
OF_LIMIT = {"large metadata, abbreviated": 0.5, "large metadata, full": 0.5}  # of nginx's rate
# wall seconds, as multiples of the peer's
WALLS = {
    "npm ci, full lock file": 1.1,
    "npm ci, lock file without addresses": 1.0,
    "npm install, no lock file": 0.85,
    "pnpm install, no lock file": 0.75,
}
COLD_LINE, COLD_WALL = "through an empty registry", 1.3  # times the wall seconds of installing from the upstream directly
MIRROR_LINE, MIRROR_RATE, MIRROR_MEMORY = "mirror", 100, 300  # packages a second, MB of the process
CPU_LINE, CPU = "npm install, no lock file", 0.2  # the server's processor seconds, as a multiple of the peer's
FREE_SHARE = 0.7  # of the free rate beside forty slow readers
P95 = 2.0  # times the free one beside two hundred slow clients
PAGE = 150  # milliseconds, the median of a page or a list in a large installation
REST, LOAD = 350, 500  # MB of all processes
GROWTH = 1.25  # times the CPU of a request, at 100,000 against 10; what two equal servers may differ by in one run


@dataclass(frozen=True)
class Verdict:
    """One figure against what is asked of it."""

    line: str
    server: str
    asked: str
    seen: str
    is_met: bool


def of_rates(results: dict[str, dict[str, Figure]]) -> list[Verdict]:
    """The reading and publishing lines: against the peer, against nginx where asked, and without errors."""
    found = []
    for line, figures in results.items():
        for server, times in zip(OURS, RATES.get(line, ()), strict=False):
            own = figures[server]
            found.append(_no_errors(line, server, own))
            if times and BASE in figures:
                found.append(_at_least(line, server, own.rate / (figures[BASE].rate or 1), times, TIMES))
            if line in OF_LIMIT and LIMIT in figures:
                found.append(_at_least(line, server, own.rate / (figures[LIMIT].rate or 1), OF_LIMIT[line], " of nginx"))
    return found


def of_installs(installs: dict[str, dict[str, Install]]) -> list[Verdict]:
    """Wall time of every way to install, and the server's processor time of one."""
    found = []
    for line, runs in installs.items():
        for server in OURS:
            if BASE in runs and server in runs:
                found.append(_at_most(line, server, runs[server].wall / runs[BASE].wall, WALLS[line], f"{TIMES} wall"))
                if line == CPU_LINE:
                    found.append(_at_most(line, server, runs[server].cpu / (runs[BASE].cpu or 1), CPU, f"{TIMES} server CPU"))
    return found


def of_cold(cold: Colds) -> list[Verdict]:
    """An installation through an empty registry against one from the upstream itself."""
    return [
        _at_most(f"{COLD_LINE}: {upstream}", name, found[name].wall / found[DIRECT].wall, COLD_WALL, f"{TIMES} wall")
        for upstream, found in cold.items()
        for name in OURS
    ]


def of_mirrors(mirrored: dict[str, Mirrored]) -> list[Verdict]:
    """How fast many small packages come in, and in how much memory."""
    found = [_at_least(MIRROR_LINE, name, one.rate, MIRROR_RATE, " packages/s") for name, one in mirrored.items()]
    return found + [_at_most(MIRROR_LINE, name, one.memory, MIRROR_MEMORY, " MB") for name, one in mirrored.items()]


def of_slow(readers: dict[str, tuple[float, float]], crowds: dict[str, Beside]) -> list[Verdict]:
    """Beside slow readers (rate there, rate alone), and beside two hundred slow clients."""
    found = [
        _at_least("beside 40 slow readers", name, beside / (free or 1), FREE_SHARE, " of the free rate")
        for name, (beside, free) in readers.items()
        if name in OURS
    ]
    return found + [
        _at_most("p95 beside 200 slow clients", name, seen.p95 / (seen.free_p95 or 1), P95, TIMES)
        for name, seen in crowds.items()
        if name in OURS
    ]


def of_memory(memory: dict[str, dict[str, float]]) -> list[Verdict]:
    """MB of all processes: server -> "rest" and "load"."""
    asked = {"rest": REST, "load": LOAD}
    return [
        _at_most(f"memory, {when}", server, memory[server][when], asked[when], " MB")
        for server in OURS
        for when in asked
        if when in memory.get(server, {})
    ]


def of_growth(grown: dict[str, dict[str, Figure]]) -> list[Verdict]:
    """CPU of a request where there is much, against where there is little; figures come in such pairs."""
    found = []
    for line, figures in grown.items():
        pairs = list(figures.items())
        for (_, few), (name, lots) in zip(pairs[::2], pairs[1::2], strict=True):
            ratio = lots.cpu / few.cpu if few.cpu and not lots.errors else 999
            found.append(_at_most(f"growth: {line}", name, ratio, GROWTH, f"{TIMES} CPU"))
    return found


def of_pages(paged: Paged) -> list[Verdict]:
    """Every page and list answer, one at a time."""
    return [_at_most(f"page: {address}", name, times, PAGE, " ms") for address, seen in paged.items() for name, times in seen.items()]


def plain(value: float) -> str:
    """A figure with the digits that mean something."""
    return f"{value:,.2f}" if value < 2 else f"{value:,.1f}" if value < 10 else f"{value:,.0f}"  # noqa: PLR2004 - digits


def _no_errors(line: str, server: str, own: Figure) -> Verdict:
    return Verdict(line, server, "no error, none lost", f"{own.errors} errors", own.errors == 0)


def _at_least(line: str, server: str, seen: float, asked: float, unit: str) -> Verdict:
    return Verdict(line, server, f"{AT_LEAST} {asked:g}{unit}", f"{plain(seen)}{unit}", seen >= asked)


def _at_most(line: str, server: str, seen: float, asked: float, unit: str) -> Verdict:
    return Verdict(line, server, f"{AT_MOST} {asked:g}{unit}", f"{plain(seen)}{unit}", seen <= asked)
