"""Looking into a tarball that others accepted: what npm would install of it. Pure.

A package that has been installed for years is not refused for a link or an odd path, which npm passes over too; of
two package.json the later overwrites the earlier. What cannot be read for certain is said, never guessed.
"""

from typing import IO

from packages.formats.errors import ContentInvalid
from packages.formats.npm.tarball import Entry, Inspected, Reader, check_entry
from packages.formats.npm.unzipped import Unzipped


def look_into(file: IO[bytes]) -> Inspected:
    """The tarball as npm unpacks it. Raises ContentInvalid when that cannot be told."""
    return Patient(Unzipped(file, patient=True)).read()


class Patient(Reader):
    """Passes over what npm passes over."""

    def accepts(self, entry: Entry) -> bool:
        """Files and folders inside the package; npm leaves out everything else."""
        try:
            check_entry(entry)
        except ContentInvalid:
            return False
        return True

    def second_package(self, entry: Entry) -> None:
        """The later one is what lies on the disk in the end."""
