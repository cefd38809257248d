"""How much memory the processes of a live server take, and took at most."""

from pathlib import Path

MB = 1024 * 1024
RESET_PEAK = "5"  # proc(5), clear_refs


def forget_peak(group: int) -> int:
    """Begin to measure; returns what the group's processes take now, in bytes."""
    for process in _of_group(group):
        (process / "clear_refs").write_text(RESET_PEAK, encoding="ascii")
    return sum(_status(process, "VmRSS") for process in _of_group(group))


def peak(group: int) -> int:
    """The most each process of the group took since, added up, in bytes."""
    return sum(_status(process, "VmHWM") for process in _of_group(group))


def _of_group(group: int) -> list[Path]:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                fields = (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            if int(fields[2]) == group:
                found.append(process)
    return found


def _status(process: Path, field: str) -> int:
    for line in (process / "status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return 0
