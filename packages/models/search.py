"""What search keeps of packages."""

from django.db import models

from packages.formats.npm.search import SCHEME
from packages.models.holdings import NAME_LENGTH, Package
from registries.models import Registry


class SearchEntry(models.Model):
    """What search tells of a package, from its present version: a page of results reads no manifest."""

    package = models.OneToOneField(Package, on_delete=models.CASCADE, primary_key=True, related_name="search_entry")
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    folded = models.CharField(max_length=NAME_LENGTH)
    version = models.CharField(max_length=256)
    is_pulled = models.BooleanField()  # it has none but pulled versions that are not internal: shadowed when the name is
    is_deprecated = models.BooleanField()
    facts = models.BinaryField()  # JSON: the other fields of npm's search result
    words_digest = models.CharField(max_length=64)  # of its words: equal means that they need not be written again
    published_at = models.DateTimeField()
    scheme = models.SmallIntegerField(default=0, db_default=0)  # by which it was written

    class Meta:
        _anew = models.Index(fields=("package",), condition=models.Q(scheme__lt=SCHEME), name="search_to_list_anew")
        indexes = (models.Index(fields=("registry", "folded")), _anew)

    def __str__(self) -> str:
        return self.folded


class SearchWord(models.Model):
    """One word a package is found by, with what a hit is worth (packages.formats.npm.search).

    Bytes, so that both databases compare them alike and a range of the index is a prefix. Derived rows written with
    every publish: no constraint of the database looks after them, the entry's deletion takes them along.
    """

    entry = models.ForeignKey(SearchEntry, on_delete=models.CASCADE, related_name="words", db_constraint=False)
    registry_id = models.BigIntegerField()
    word = models.BinaryField()
    weight = models.SmallIntegerField()

    class Meta:
        indexes = (models.Index(fields=("registry_id", "word", "entry", "weight"), name="search_by_word"),)

    def __str__(self) -> str:
        return bytes(self.word).decode("utf-8", "replace")
